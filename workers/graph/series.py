"""A series: its recurrence kept in step with its start.

https://learn.microsoft.com/graph/api/resources/patternedrecurrence. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from workers.event.series import moved
from workers.event.zones import to_windows
from workers.update import Json

EXCEPTIONS = "exceptionOccurrences"
"""A property of the master that can be read and not written: its occurrences that differ from the pattern."""
EXPAND = f"{EXCEPTIONS}($select=id,attendees)"


def in_step(changes: Mapping[str, Json], stands: Mapping[str, Json], recurrence: Json) -> Mapping[str, Json]:
    """The changes, with what Graph wants beside them. ``recurrence``: the series' own as it stands, None if it is none.

    A series moves to another day or into another zone only together with its recurrence, which begins on the day of
    the start; where the caller named no such day, it is taken from there. Raises Refused.
    """
    start = changes.get("start") or stands.get("start")
    if start is None:
        return changes
    wanted, day = changes.get("recurrence"), start["dateTime"][:10]
    if "recurrence" not in changes and recurrence and changes.get("start"):
        zone = {"recurrenceTimeZone": to_windows(_zone(start)) or _zone(start)} if _moves(changes, stands) else {}
        if zone or recurrence["range"].get("startDate") != day:
            was = (stands.get("start") or start)["dateTime"][:10]
            return {**changes, "recurrence": moved({**recurrence, "range": {**recurrence["range"], **zone}}, was, day)}
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


def _moves(changes: Mapping[str, Json], stands: Mapping[str, Json]) -> bool:
    """Whether the start goes into another zone."""
    here, there = (to_windows(_zone(value)) or _zone(value) for value in (stands.get("start"), changes["start"]))
    return here != there


def _zone(value: Json) -> str:
    return str((value or {}).get("timeZone") or "UTC")
