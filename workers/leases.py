"""The leases of a process: one thread renews them while their jobs run, so that a lease can be short and a dead
worker's job is taken over soon, and yet a slow Exchange call outlives it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog

from workers.store import Grant, Store

LONGEST = timedelta(minutes=10)
"""A job that runs longer than this hangs: its lease is no longer renewed, and another worker takes it over."""

_log = structlog.get_logger(__name__)


class Leases:
    """Thread-safe. ``start`` once per process, ``hold`` around each job."""

    def __init__(self, store: Store, lease: timedelta) -> None:
        self._store = store
        self._every = lease.total_seconds() / 3
        self._held: dict[int, tuple[Grant, float]] = {}
        """By fence, since when (monotonic): a job may be claimed here again while an earlier run of it still hangs."""
        self._abandoned: list[Grant] = []
        self._lock = threading.Lock()
        self.closing = False
        self._thread = threading.Thread(target=self._renew, name="leases", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Take no new jobs; those that run keep their leases."""
        self.closing = True

    @contextmanager
    def hold(self, grant: Grant) -> Iterator[None]:
        """Renew this lease until the block ends."""
        with self._lock:
            self._held[grant.fence] = (grant, time.monotonic())
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(grant.fence, None)

    def abandon(self, grant: Grant) -> None:
        """The store did not answer when this job was to be settled: hand it back as soon as it answers again."""
        with self._lock:
            self._abandoned.append(grant)

    def held(self) -> tuple[Grant, ...]:
        """The jobs that this process is running, without those that hang."""
        oldest = time.monotonic() - LONGEST.total_seconds()
        with self._lock:
            return tuple(grant for grant, since in self._held.values() if since > oldest)

    def _renew(self) -> None:
        while True:
            time.sleep(self._every)
            try:
                self._tend()
            except Exception as error:  # whatever it is: once this thread has ended, every lease would
                _log.warning("leases not renewed", error=repr(error))

    def _tend(self) -> None:
        with self._lock:
            abandoned = tuple(self._abandoned)
        for job_id in self._store.renew(self.held()):
            _log.warning("lease lost, another worker may take the job over", job=job_id)
        self._store.hand_back(abandoned)  # sweep rings for them
        with self._lock:
            del self._abandoned[: len(abandoned)]
