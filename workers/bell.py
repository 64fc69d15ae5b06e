"""Rings: Celery messages that carry a job's id and nothing else.

A bell may be lost, doubled or late; nothing depends on it, because sweep rings again for whatever is past due.
"""

from __future__ import annotations

import time

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from workers.failpoint import failpoint
from workers.job import Kind
from workers.store import Ring

TASKS: dict[Kind, tuple[str, str]] = {
    "update": ("apply_update", "updates"),
    "callback": ("deliver_callback", "callbacks"),
    "notification": ("handle_notification", "notifications"),
    "watch": ("tend_watch", "notifications"),
}
"""Kind of job → (name of the Celery task, its queue)."""

_log = structlog.get_logger(__name__)


class BrokerUnavailable(Exception):
    """The broker does not answer: work is kept, and starts when it is back."""


QUIET = 2.0
"""Seconds for which no bell is tried after one could not be rung, so that a broker that is down delays nobody."""


class Bell:
    """Thread-safe."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._quiet_until = 0.0

    def ring(self, *rings: Ring) -> None:
        """Ring each job's bell. Never raises: a bell that could not be rung is rung again by sweep."""
        for job in rings:
            if time.monotonic() < self._quiet_until:
                return
            task, queue = TASKS[job.kind]
            failpoint("bell", job.id)
            try:
                self._app.send_task(
                    task,
                    args=[job.id],
                    task_id=job.id,
                    queue=queue,
                    argsrepr=f"({job.id}, {job.label})",
                    ignore_result=True,
                    retry=False,
                )
            except (OperationalError, OSError) as error:
                self._quiet_until = time.monotonic() + QUIET
                _log.warning("bell not rung, sweep will ring again", job=job.id, error=str(error))

    def check(self) -> None:
        """Raise BrokerUnavailable where the broker does not answer within two seconds."""
        try:
            with self._app.connection_for_write(transport_options={"max_retries": 0}) as connection:
                connection.ensure_connection(max_retries=1, timeout=2, interval_start=0)
        except (OperationalError, OSError) as error:
            raise BrokerUnavailable(f"the broker does not answer: {error}") from error
