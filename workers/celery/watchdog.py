"""Notices that this worker is alive but deaf: bells are rung for it again and again and it hears none of them.

Celery's consumer can stay connected to Redis and never consume again after the broker was restarted. Nothing inside the
process mends that, so the process ends and its supervisor starts a new one; the work waits in the store.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection

import structlog

from workers.celery.bell import BrokerUnavailable
from workers.job import Kind
from workers.leases import Leases
from workers.store import Store, StoreUnavailable

PATIENCE = 30.0
"""Seconds without hearing a bell, although jobs of our kinds have been rung for at least ``UNANSWERED`` times."""
UNANSWERED = 4
EXIT_CODE = 70

_log = structlog.get_logger(__name__)


class Watchdog:
    """``start`` it once per process and tell it what is ``heard``. ``ask_broker`` raises BrokerUnavailable where bells
    cannot come."""

    def __init__(
        self,
        store: Store,
        leases: Leases,
        kinds: Collection[Kind],
        ask_broker: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        leave: Callable[[int], None] = os._exit,
    ) -> None:
        self._store = store
        self._leases = leases
        self._kinds = kinds
        self._ask_broker = ask_broker
        self._clock = clock
        self._leave = leave
        self._last = clock()

    def start(self) -> None:
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def heard(self) -> None:
        """A bell came."""
        self._last = self._clock()

    def look(self) -> None:
        """End the process if it is deaf."""
        silence = self._clock() - self._last
        if silence < PATIENCE or self._leases.held() or self._leases.closing:
            return
        try:
            waiting = self._store.unanswered(self._kinds, UNANSWERED)
            if waiting:
                self._ask_broker()
        except StoreUnavailable:
            return
        except BrokerUnavailable:
            self.heard()  # nobody could; from its return on there is time to hear again
            return
        if waiting:
            _log.critical("this worker hears no bells and ends, to be started again", waiting=waiting[:3],
                          silent_for=round(silence))  # fmt: skip
            self._leave(EXIT_CODE)

    def _watch(self) -> None:
        while True:
            time.sleep(PATIENCE / 6)
            try:
                self.look()
            except Exception as error:  # whatever it is: nobody would notice that this thread has ended
                _log.error("this worker could not be looked after", error=repr(error))
