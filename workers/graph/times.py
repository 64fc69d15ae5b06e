"""Start and end: Graph's dateTimeTimeZone in the zone that a request preferred ↔ wall clock in the event's own zone.

https://learn.microsoft.com/graph/api/resources/datetimetimezone. We ask for UTC (``Prefer: outlook.timezone="UTC"``),
because a moment in UTC is never ambiguous; ``originalStartTimeZone`` and ``originalEndTimeZone`` name the own zone.
"""

from __future__ import annotations

from datetime import datetime

from workers.event.properties import OWN_ZONE, UNNAMED
from workers.event.zones import UnknownZone, instant, to_windows, wall_clock
from workers.update import Json

_ZONES = {"start": "originalStartTimeZone", "end": "originalEndTimeZone"}


def in_own_zone(document: Json, name: str) -> Json:
    """``{"dateTime": "YYYY-MM-DDTHH:MM:SS", "timeZone": Windows name}`` of ``start`` or ``end``, None if it is not set.

    An event whose own zone has no name (``tzone://Microsoft/Custom``) stays in the zone of the answer, and says so.
    Raises ValueError or OverflowError for what is no time.
    """
    value = document.get(name)
    if value is None:
        return None
    wall = datetime.fromisoformat(value["dateTime"]).replace(microsecond=0)
    if wall.tzinfo is not None:
        raise ValueError(f"a wall clock has no offset: {value['dateTime']!r}")
    given = zone_of(value)
    told = document.get(_ZONES[name])
    own = to_windows(told or "")
    if document.get("isAllDay") and wall.time() == wall.time().min:
        # A whole day is a date, and Graph answers with midnight whichever zone was preferred.
        return _neutral(wall, own or given)
    if told and own is None:
        return {**_neutral(wall, given), OWN_ZONE: UNNAMED}
    if own is None or own == given:
        return _neutral(wall, given)
    try:
        return {"dateTime": wall_clock(instant(wall.isoformat(), given), own), "timeZone": own}
    except UnknownZone:
        return _neutral(wall, given)


def zone_of(value: Json) -> str:
    """The zone of a dateTimeTimeZone: its Windows name, or the one that it has if Windows has none."""
    zone: str = (value or {}).get("timeZone") or "UTC"
    return to_windows(zone) or zone


def in_utc(value: Json) -> datetime:
    """The moment that a dateTimeTimeZone names. Raises ValueError or KeyError for what is no time."""
    return instant(datetime.fromisoformat(value["dateTime"]).isoformat(), value.get("timeZone") or "UTC")


def written(value: Json) -> Json:
    """The same time as Graph understands it: with the Windows name of its zone, because Graph does not know every IANA
    name, and in UTC if the clock shows the time for the second time, because Graph would take it for the first."""
    zone = value.get("timeZone")
    if zone is None:
        return value
    if datetime.fromisoformat(value["dateTime"]).tzinfo is not None:
        return {"dateTime": wall_clock(in_utc(value), "UTC"), "timeZone": "UTC"}
    return {"dateTime": value["dateTime"], "timeZone": to_windows(zone) or zone}


def _neutral(wall: datetime, zone: str) -> Json:
    return {"dateTime": wall.isoformat(timespec="seconds"), "timeZone": zone}
