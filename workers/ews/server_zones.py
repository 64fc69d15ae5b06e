"""The time zones that a mailbox's server knows, remembered for a day.

Exchange has the zones of the Windows that it runs on, and those differ with its age and its updates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

REMEMBERED = 24 * 60 * 60.0
"""Seconds."""


class ServerZones:
    """Thread-safe: two threads may ask for the same zone at once, and both are right. ``clock``: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._known: dict[str, float] = {}

    def lacking(self, zones: Collection[str], ask: Callable[[Collection[str]], Collection[str]]) -> frozenset[str]:
        """Those of ``zones`` (Windows names) that the server does not know; ``ask`` tells which of some it knows.

        Only what is known is remembered: a zone that comes with an update of the server works at once.
        """
        now = self._clock()
        open_ = frozenset(zone for zone in zones if self._known.get(zone, now) <= now)
        if not open_:
            return frozenset()
        known = frozenset(ask(open_))
        self._known.update(dict.fromkeys(known, now + REMEMBERED))
        return open_ - known
