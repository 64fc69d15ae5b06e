"""Celery's consumer, but for two habits.

It tells Flower what happens twice a second and not at once: with an event in a message of its own, telling cost more
than handing out the work (ops/decisions/0015). And it looks for a lost broker again within a second, where Celery lets
two, four and up to thirty seconds pass.
"""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import Any

from celery.bootsteps import RUN
from celery.worker.consumer import Consumer as CeleryConsumer

EVERY = 0.5
"""Seconds for which events are gathered; Celery sends them sooner where there are two dozen."""

AGAIN = {"interval_start": 0.2, "interval_step": 0.2, "interval_max": 1.0}
"""Seconds between looking for the broker and looking again: after the first time, more each time, at most."""


class Consumer(CeleryConsumer):  # type: ignore[misc]  # Celery has no types
    """Celery makes one for each worker process."""

    _flush_at = 0.0

    def ensure_connected(self, conn: Any) -> Any:
        """The connection, once the broker is there."""
        conn.ensure_connection = partial(conn.ensure_connection, **AGAIN)
        return super().ensure_connected(conn)

    def on_send_event_buffered(self) -> None:
        """An event was put by, by any thread. Once the worker stops there may be no later: told at once."""
        if self.blueprint.state != RUN:
            super().on_send_event_buffered()
        elif self._flush_at < monotonic():
            self._flush_at = monotonic() + EVERY
            self.hub.call_soon(self._flush_later)

    def _flush_later(self) -> None:
        """In the loop's thread: its timer is not for others."""
        self.hub.call_later(EVERY, self._flush_events)

    def stop(self) -> None:
        """Tell what was put by."""
        self._flush_events()
        super().stop()
