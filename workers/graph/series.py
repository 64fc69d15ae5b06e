"""A series: its recurrence kept in step with its start.

https://learn.microsoft.com/graph/api/resources/patternedrecurrence. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from workers.event.properties import OWN_ZONE
from workers.event.series import moved
from workers.event.zones import to_windows
from workers.exchange import EXCEPTIONS, Refused
from workers.graph.times import zone_of
from workers.update import Json

EXPAND = f"{EXCEPTIONS}($select=id,attendees)"


def in_step(changes: Mapping[str, Json], stands: Mapping[str, Json], recurrence: Json) -> Mapping[str, Json]:
    """The changes, with what Graph needs beside them. ``recurrence``: the series' own as it stands, None if it is none.

    A series moves to another day or into another zone only together with its recurrence, which begins on the day of
    the start; where the caller named no such day, it is taken from there. A zone that has no name cannot be written
    back: in UTC the series would be on other days, and at another time when the clocks change. Raises Refused.
    """
    start = changes.get("start") or stands.get("start")
    if start is None:
        return changes
    wanted, day = changes.get("recurrence"), start["dateTime"][:10]
    if "recurrence" not in changes and recurrence and changes.get("start"):
        return _along(changes, stands.get("start") or start, recurrence)
    if wanted and not (wanted.get("range") or {}).get("startDate"):
        begun = {**(wanted.get("range") or {}), "startDate": day}
        return {**changes, "recurrence": {**wanted, "range": begun}}
    return changes


def with_windows_zone(recurrence: Json) -> Json:
    """The same recurrence with Windows' name of its zone, as ``start`` and ``end`` have it."""
    span = recurrence.get("range") or {}
    zone = span.get("recurrenceTimeZone")
    if not zone:
        return recurrence
    return {**recurrence, "range": {**span, "recurrenceTimeZone": to_windows(zone) or zone}}


def _along(changes: Mapping[str, Json], stood: Json, recurrence: Json) -> Mapping[str, Json]:
    """The changes; if they move the start from where it ``stood`` to another day or zone, with the recurrence."""
    start, span = changes["start"], recurrence["range"]
    is_named, day = OWN_ZONE not in stood, start["dateTime"][:10]
    if not is_named and OWN_ZONE in start:
        why = "the series is kept in a zone without a name, which Graph cannot be told"
        raise Refused("InvalidValue", f"start: {why}: name start and end with a time zone")
    moves = not is_named or zone_of(stood) != zone_of(start)
    if not moves and span.get("startDate") == day:
        return changes
    was = (None if is_named else span.get("startDate")) or stood["dateTime"][:10]
    zone = {"recurrenceTimeZone": zone_of(start)} if moves else {}
    return {**changes, "recurrence": moved({**recurrence, "range": {**span, **zone}}, was, day)}
