"""The time zones that a mailbox's server knows, remembered for a day.

Exchange has the zones of the Windows that it runs on, and those differ with its age and its updates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from time import monotonic

from workers.exchange.memory import Memory


class ServerZones:
    """Thread-safe: two threads may ask for the same zone at once, which does no harm. ``clock``: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float] = monotonic):
        self._known: Memory[str, bool] = Memory(1_000, clock=clock)

    def lacking(self, zones: Collection[str], ask: Callable[[Collection[str]], Collection[str]]) -> frozenset[str]:
        """Those of ``zones`` (Windows names) that the server does not know; ``ask`` tells which of some it knows.

        Only what is known is remembered: a zone that comes with an update of the server works at once.
        """
        new = frozenset(zone for zone in zones if not self._known.get(zone))
        if not new:
            return frozenset()
        known = frozenset(ask(new))
        for zone in known:
            self._known.put(zone, True)
        return new - known
