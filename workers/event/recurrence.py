"""A recurrence in one spelling, by which two are compared.

https://learn.microsoft.com/graph/api/resources/patternedrecurrence. Not here: how it goes along with a series that is
moved (series), how EWS spells it (workers/ews/recurrence).
"""

from __future__ import annotations

from collections.abc import Mapping

from workers.event.zones import to_windows
from workers.update import Json

_USED: Mapping[str, frozenset[str]] = {
    "daily": frozenset(),
    "weekly": frozenset({"daysOfWeek", "firstDayOfWeek"}),
    "absoluteMonthly": frozenset({"dayOfMonth"}),
    "relativeMonthly": frozenset({"daysOfWeek", "index"}),
    "absoluteYearly": frozenset({"dayOfMonth", "month"}),
    "relativeYearly": frozenset({"daysOfWeek", "index", "month"}),
    "noEnd": frozenset(),
    "endDate": frozenset({"endDate"}),
    "numbered": frozenset({"numberOfOccurrences"}),
}
"""What only some types of pattern or range use, by type. Graph fills in the rest (``month: 0``), EWS leaves it out."""
_NOT_BY_ALL = frozenset[str]().union(*_USED.values())


def as_used(recurrence: Json, week: str | None = "sunday") -> Json:
    """A recurrence in one spelling: what its types use, and nothing else. ``week``: the first day of the week where
    none is given; None leaves it out, because mostly it makes no difference. Both defaults are Graph's
    (https://learn.microsoft.com/graph/api/resources/recurrencepattern)."""
    meant = {"index": "first", "firstDayOfWeek": week}
    return {name: _parts(recurrence[name], meant) for name in ("pattern", "range") if (recurrence or {}).get(name)}


def week_counts(pattern: Json) -> bool:
    """Whether the first day of the week makes a difference in a pattern: only if it leaves out weeks and the others
    have more than one day."""
    return (pattern.get("interval") or 1) > 1 and len(set(pattern.get("daysOfWeek") or ())) > 1


def tells_zone(recurrence: Json) -> bool:
    """Whether it says in which zone the series is kept."""
    return "recurrenceTimeZone" in recurrence.get("range", {})


def without_zone(recurrence: Json) -> Json:
    """The recurrence without its zone. A series is kept in the zone of its start, so a value without a zone cannot
    disagree about it."""
    return {part: {name: told for name, told in said.items() if name != "recurrenceTimeZone"}
            for part, said in recurrence.items()}  # fmt: skip


def _parts(given: Json, meant: Mapping[str, Json]) -> Json:
    told = {name: _spelt(name, value) for name, value in given.items() if value is not None}
    if (used := _USED.get(given.get("type"))) is None:
        return told
    if not week_counts(given):
        used = used - {"firstDayOfWeek"}
    whole = {name: value for name, value in meant.items() if value is not None} | told
    return {name: value for name, value in whole.items() if name in used or name not in _NOT_BY_ALL}


def _spelt(name: str, value: Json) -> Json:
    """One spelling of a part: neither the order of the days of the week nor the kind of a zone's name matters."""
    if name == "daysOfWeek":
        return sorted(set(value))
    return to_windows(value) or value if name == "recurrenceTimeZone" else value
