"""Time zones: Windows names and IANA names, moments and wall clocks.

Exchange names zones as Windows does, everyone else as IANA does. The pairs are CLDR's, as tzlocal carries them
(https://github.com/unicode-org/cldr/blob/main/common/supplemental/windowsZones.xml); the rules are zoneinfo's.

Folds and gaps, as PEP 495 has them: a wall clock that happens twice (clocks go back) is taken as its first moment,
one that never happens (clocks go forward) is read with the offset from before the change, so 02:30 becomes 03:30.
Where the second moment is meant, the wall clock bears its offset: ``02:30:00+01:00``.

Not here: zones with rules of their own (``Customized Time Zone``, ``tzone://Microsoft/Custom``): they are unknown.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz


class UnknownZone(ValueError):
    """No zone of that name, neither a Windows nor an IANA one."""

    def __init__(self, name: str):
        super().__init__(f"there is no time zone named {name!r}")


_OTHER_NAMES = {
    "gmt": "UTC",
    "z": "UTC",
    "tzone://microsoft/utc": "UTC",
    "kamchatka standard time": "Asia/Kamchatka",
    "mid-atlantic standard time": "Etc/GMT+2",
    "cst6cdt": "America/Chicago",
    "est5edt": "America/New_York",
    "mst7mdt": "America/Denver",
    "pst8pdt": "America/Los_Angeles",
    "us/east-indiana": "America/Indiana/Indianapolis",
    "europe/uzhgorod": "Europe/Kyiv",
    "europe/zaporozhye": "Europe/Kyiv",
    "america/scoresbysund": "America/Nuuk",
    "antarctica/casey": "Australia/Perth",
    "antarctica/vostok": "Asia/Tashkent",
}
"""Names that Exchange or callers still use, in lower case → the name that CLDR lists for the same clocks. CLDR does not
list them, or lists them beside a zone with other rules, because their clocks were changed."""

_WINDOWS = {name.lower(): name for name in win_tz if name}
_IANA = {name.lower(): name for name in tz_win if name}


def to_iana(name: str) -> str | None:
    """The IANA name for a Windows or IANA name in any case (``Pacific Standard Time`` → ``America/Los_Angeles``)."""
    folded = _OTHER_NAMES.get(name.lower(), name).lower()
    if folded in _WINDOWS:
        return str(win_tz[_WINDOWS[folded]])
    known = _IANA.get(folded, name)
    return known if _rules(known) is not None else None


def to_windows(name: str) -> str | None:
    """The Windows name for a Windows or IANA name in any case (``Europe/Vienna`` → ``W. Europe Standard Time``)."""
    folded = _OTHER_NAMES.get(name.lower(), name).lower()
    if folded in _WINDOWS:
        return _WINDOWS[folded]
    return str(tz_win[_IANA[folded]]) if folded in _IANA else None


def wall_clock(instant: datetime, zone: str) -> str:
    """What the clock on the wall shows in ``zone`` at an aware ``instant``: ``YYYY-MM-DDTHH:MM:SS``, followed by the
    offset if the clock shows this time for the second time. Raises UnknownZone."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset")
    local = instant.astimezone(_zone(zone))
    return (local if local.fold else local.replace(tzinfo=None)).isoformat(timespec="seconds")


def instant(wall: str, zone: str) -> datetime:
    """The moment, in UTC, at which the clock in ``zone`` shows ``wall``: ISO 8601 with any fraction, and with an offset
    only where the time is shown for the second time.

    Raises UnknownZone, and ValueError where ``wall`` is no such time or would leave the years 1 to 9999.
    """
    shown, rules = datetime.fromisoformat(wall), _zone(zone)
    try:
        if shown.tzinfo is None:
            return shown.replace(tzinfo=rules).astimezone(UTC)
        if wall_clock(shown, zone) == wall:
            return shown.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"no such moment: {wall!r} in {zone}") from None
    raise ValueError(f"a wall clock has no offset, unless it is shown for the second time: {wall!r}")


def _zone(name: str) -> ZoneInfo:
    iana = to_iana(name)
    rules = None if iana is None else _rules(iana)
    if rules is None:
        raise UnknownZone(name)
    return rules


@cache
def _rules(iana: str) -> ZoneInfo | None:
    if iana in ("", "localtime", "Factory"):
        return None
    try:
        return ZoneInfo(iana)
    except (ValueError, OSError, KeyError):  # not found, outside the database, or a folder in it
        return None
