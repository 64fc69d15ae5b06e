"""Celery's consumer with two of its habits changed.

It sends the events for Flower twice a second instead of one by one: a message for each event cost more than handing out
the work (ops/decisions/0015). And it looks for a lost broker every second, where Celery waits two, four and up to
thirty seconds.
"""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import Any

from celery.bootsteps import RUN
from celery.worker.consumer import Consumer as CeleryConsumer

EVERY = 0.5
"""Seconds for which events are gathered; Celery sends them sooner when there are two dozen."""

AGAIN = {"interval_start": 0.2, "interval_step": 0.2, "interval_max": 1.0}
"""Seconds between two looks for the broker: after the first look, how much longer each time, at most."""


class Consumer(CeleryConsumer):  # type: ignore[misc]  # Celery has no types
    """Celery makes one for each worker process."""

    _flush_at = 0.0

    def ensure_connected(self, conn: Any) -> Any:
        """The connection, once the broker is there."""
        conn.ensure_connection = partial(conn.ensure_connection, **AGAIN)
        return super().ensure_connected(conn)

    def on_send_event_buffered(self) -> None:
        """Some thread has put an event into the buffer. When the worker is stopping it is sent at once, because there
        may be no later."""
        if self.blueprint.state != RUN:
            super().on_send_event_buffered()
        elif self._flush_at < monotonic():
            self._flush_at = monotonic() + EVERY
            self.hub.call_soon(self._flush_later)

    def _flush_later(self) -> None:
        """Runs in the event loop's thread, because only that may use its timer."""
        self.hub.call_later(EVERY, self._flush_events)

    def stop(self) -> None:
        """Send the events that are still in the buffer."""
        self._flush_events()
        super().stop()
