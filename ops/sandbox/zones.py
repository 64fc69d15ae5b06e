"""Time zones as Exchange names them, and the moments that wall clocks in them mean.

Exchange stores Windows names; Graph also understands IANA names on input. A wall clock that occurs twice (autumn)
means its first occurrence, one that never occurs (spring) is read with the offset before the gap.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz

UNSUPPORTED = frozenset({"Africa/Casablanca"})
"""IANA names that Exchange is known to refuse."""


class UnknownZone(ValueError):
    """No zone of this name."""


def windows_name(name: str) -> str:
    """The Windows name of a zone given by its Windows name, in upper or lower case, or by its IANA name."""
    for known in (name, _FOLDED.get(name.casefold(), "")):
        if known in win_tz:
            return known
    if name and name in tz_win and name not in UNSUPPORTED:
        return str(tz_win[name])
    raise UnknownZone(name)


def known_zones() -> tuple[str, ...]:
    """Every Windows name, sorted."""
    return tuple(sorted(win_tz))


def iana_names() -> tuple[str, ...]:
    """Every IANA name that is understood, sorted."""
    return tuple(sorted(set(tz_win) - UNSUPPORTED))


def instant(wall: str, zone: str) -> datetime:
    """The moment (UTC) at which clocks in the Windows zone show ``wall`` (ISO 8601 without offset)."""
    return datetime.fromisoformat(wall).replace(tzinfo=_zone(zone)).astimezone(UTC)


def wall_clock(moment: datetime, zone: str) -> str:
    """What clocks in the Windows zone show at ``moment``: ``2026-12-01T09:00:00``."""
    return moment.astimezone(_zone(zone)).replace(tzinfo=None).isoformat(timespec="seconds")


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(win_tz[windows_name(name)])


_FOLDED = {name.casefold(): name for name in win_tz}
