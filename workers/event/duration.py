"""ISO 8601 durations, and what it means to move a meeting by one.

Weeks and days move the calendar (the same time of day on another day, over a change of the clocks too); hours,
minutes and seconds move the moment. Years and months are refused: nobody agrees what a month after 31 January is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from workers.event.zones import instant, wall_clock

_PATTERN = re.compile(
    r"(?P<sign>[+-])?P(?!$)(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?!$)(?:(?P<hours>\d{1,7})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,10})S)?)?"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """Signed: ``calendar`` in whole days, ``elapsed`` in seconds."""

    calendar: timedelta
    elapsed: timedelta


def parse_duration(text: str) -> Duration:
    """``P1D``, ``PT1H30M``, ``-P1W`` … → Duration. Raises ValueError with a sentence."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration like PT1H, -PT30M or P1D (no years or months)")
    parts = {name: int(value or 0) for name, value in match.groupdict().items() if name != "sign"}
    sign = -1 if match["sign"] == "-" else 1
    calendar = timedelta(weeks=parts["weeks"], days=parts["days"])
    elapsed = timedelta(hours=parts["hours"], minutes=parts["minutes"], seconds=parts["seconds"])
    return Duration(sign * calendar, sign * elapsed)


def shifted(wall: str, zone: str, duration: str) -> str:
    """The wall clock ``wall`` in ``zone`` (Windows or IANA), moved. Raises UnknownZone, ValueError."""
    by = parse_duration(duration)
    try:
        moved = datetime.fromisoformat(wall)
        if by.calendar:
            # On another day the clock shows this once, whichever of two times it was.
            moved = moved.replace(tzinfo=None) + by.calendar
        if not by.elapsed:
            return moved.isoformat(timespec="seconds")
        return wall_clock(instant(moved.isoformat(), zone) + by.elapsed, zone)
    except OverflowError:
        raise ValueError(f"{wall} moved by {duration} leaves the calendar") from None
