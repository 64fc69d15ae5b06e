"""Celery's consumer, which tells Flower what happens twice a second and not at once: with an event in a message of its
own, telling cost more than handing out the work (ops/decisions/0015)."""

from __future__ import annotations

from time import monotonic

from celery.bootsteps import RUN
from celery.worker.consumer import Consumer as CeleryConsumer

EVERY = 0.5
"""Seconds for which events are gathered; Celery sends them sooner where there are two dozen."""


class Consumer(CeleryConsumer):  # type: ignore[misc]
    """Celery makes one for each worker process."""

    _flush_at = 0.0

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
