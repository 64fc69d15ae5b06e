"""Rings: Celery messages that carry a job's id and, for Flower, its label.

A bell may be lost, doubled or late; nothing depends on it, because sweep rings again for whatever is past due. So
nobody waits for the broker: a thread of its own collects the bells that are asked for and rings them together
(ops/decisions/0014).
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue

import structlog
from celery import Celery
from kombu.connection import Connection
from kombu.exceptions import OperationalError

from workers.celery.ringer import Ringer
from workers.failpoint import failpoint
from workers.store import Ring

QUIET = 2.0
"""Seconds for which no bell is tried after one could not be rung: while the broker is down, sweep rings enough."""
WAITING_AT_MOST = 10_000
"""How many bells may wait in this process while the broker is slow; those beyond are left to sweep."""
AT_ONCE = 200
PAUSE, PAUSE_AT_MOST = 0.02, 0.05
"""Seconds to wait after ringing: so many for each bell that was rung, up to the most. A single bell is rung at once;
those that follow closely are collected, the longer the more there are."""
LEAVING = 2.0
"""Seconds that a process waits at its end until the broker has taken the bells that are left."""

_log = structlog.get_logger(__name__)


class BrokerUnavailable(Exception):
    """The broker does not answer: work is kept, and starts when it is back."""


@contextmanager
def connected(app: Celery) -> Iterator[Connection]:
    """A connection for questions to the broker. Raises BrokerUnavailable if it does not answer or refuses us: what
    another attempt would not mend, a wrong password among it, kombu hands on in the transport's own errors."""
    connection = app.connection_for_write(transport_options={"max_retries": 0})
    try:
        with connection:
            connection.ensure_connection(max_retries=1, timeout=2, interval_start=0)
            yield connection
    except (OperationalError, OSError, *connection.connection_errors, *connection.channel_errors) as error:
        raise BrokerUnavailable(f"the broker does not answer: {error}") from error


class Bell:
    """Thread-safe. ``lost`` is called with the number of bells that could not be rung."""

    def __init__(self, app: Celery, lost: Callable[[int], object] = lambda _: None) -> None:
        self._app = app
        self._lost = lost
        self._waiting: SimpleQueue[Ring | threading.Event] = SimpleQueue()
        self._ringer: threading.Thread | None = None
        self._starting = threading.Lock()
        self._quiet_until = 0.0

    def ring(self, *rings: Ring) -> None:
        """Have each job's bell rung. Never waits for the broker and never raises: what is not rung now is rung by
        sweep."""
        for job in rings:
            failpoint("bell", job.id)
            if self._waiting.qsize() < WAITING_AT_MOST:
                self._waiting.put(job)
            else:
                self._lost(1)
        if rings:
            self._begin()

    def flush(self, timeout: float = LEAVING) -> bool:
        """Wait until the bells asked for so far have been rung or given up. False if that took longer than
        ``timeout``, in seconds."""
        if self._waiting.empty() and self._ringer is None:
            return True
        done = threading.Event()
        self._waiting.put(done)
        self._begin()
        return done.wait(timeout)

    def check(self) -> None:
        """Raise BrokerUnavailable where the broker does not answer within two seconds, or refuses us."""
        with connected(self._app):
            pass

    def _begin(self) -> None:
        """Start the thread if it does not run. Not earlier, because a server may fork after its app was made."""
        if self._ringer is not None and self._ringer.is_alive():
            return
        with self._starting:
            if self._ringer is None or not self._ringer.is_alive():
                self._ringer = threading.Thread(target=self._ring_for_ever, name="bell", daemon=True)
                self._ringer.start()
                atexit.register(self.flush)

    def _ring_for_ever(self) -> None:
        ringer = Ringer(self._app)
        while True:
            asked = list(self._next())
            if jobs := [job for job in asked if isinstance(job, Ring)]:
                self._ring_all(ringer, jobs)
            for waiter in asked:
                if isinstance(waiter, threading.Event):
                    waiter.set()
            time.sleep(min(PAUSE * len(asked), PAUSE_AT_MOST))

    def _next(self) -> Iterator[Ring | threading.Event]:
        """The bells that are waiting. Waits until there is one."""
        yield self._waiting.get()
        try:
            for _ in range(AT_ONCE - 1):
                yield self._waiting.get_nowait()
        except Empty:
            return

    def _ring_all(self, ringer: Ringer, jobs: list[Ring]) -> None:
        if time.monotonic() < self._quiet_until:
            self._lost(len(jobs))
            return
        try:
            ringer.ring(jobs)
        except Exception as error:  # whatever the transport raises: this thread has to go on
            self._quiet_until = time.monotonic() + QUIET
            self._lost(len(jobs))
            _log.warning("bells not rung, sweep will ring again", jobs=[job.id for job in jobs], error=str(error))
            return
        if self._quiet_until:
            self._quiet_until = 0.0
            _log.info("bells are rung again")
