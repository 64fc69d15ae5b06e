"""What beat does: sweep. Once a moment it looks at every job that is past due and rings again for it, and has the
watches looked at that are due; what waits although its deadline has passed is given up.

Celery's own periodic tasks are not used: a sweep that went through the broker would be lost with it. Two beats do no
harm, since a sweep moves what it looked at into the future.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from celery.beat import Scheduler

from workers.celery.bell import Bell
from workers.clock import now
from workers.configuration import load_or_exit
from workers.expiry import expire
from workers.store import Store, StoreUnavailable

TIDY_EVERY = 60.0
"""Seconds."""

_log = structlog.get_logger(__name__)


class SweepScheduler(Scheduler):  # type: ignore[misc]  # Celery has no types
    """Celery's beat loop calls ``tick`` and sleeps for as long as it says."""

    def __init__(self, app: Any, *args: Any, **kwargs: Any) -> None:
        settings = load_or_exit()
        self._store = Store.connect(settings)
        self._bell = Bell(app)
        self._every = settings.engine.sweep
        self._rooms = {backend.name: backend.max_concurrency for backend in settings.backend}
        self._tidy_at = 0.0
        self._failing = False
        super().__init__(app, *args, **kwargs)

    def setup_schedule(self) -> None:
        """There are no periodic tasks."""

    def tick(self, *_: Any, **__: Any) -> float:
        """One sweep; seconds until the next."""
        try:
            for rings in self._store.sweep():
                self._bell.ring(*rings)
            for rings in self._store.wake():
                self._bell.ring(*rings)
            for rings in expire(self._store, now()):
                self._bell.ring(*rings)
            self._tidy()
        except StoreUnavailable as error:
            self._failing = True
            _log.error("sweep failed, jobs wait until the store is back", error=str(error))
            return self._every
        if self._failing:
            self._failing = False
            _log.info("the store is back, sweep goes on")
        return self._every

    def _tidy(self) -> None:
        """Tell the store again how many jobs may run at once, because it may have been emptied; and trim, in small
        steps, the lists of jobs that have expired."""
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_EVERY
            self._store.set_rooms(self._rooms)
            for client in self._store.clients():
                self._store.trim(client)
