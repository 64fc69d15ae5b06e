"""A series that begins on another day: its pattern moves with it.

Whoever moves a weekly meeting from Monday to Tuesday means that it is on Tuesdays from then on. Left as it was, the
pattern would not have the first meeting, and Exchange takes another day or refuses. Pure.

https://learn.microsoft.com/graph/api/resources/recurrencepattern
"""

from __future__ import annotations

from calendar import month_name, monthrange
from collections.abc import Mapping
from datetime import date, timedelta

from workers.exchange import Refused
from workers.update import Json

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INDEXES: Mapping[str, int] = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}


def moved(series: Json, was: str, day: str, *, shifted: bool = False) -> Json:
    """The series (Graph's patternedRecurrence) with ``day`` as its first: its range begins there, and if the start
    ``was`` on another day, it ends as much later, and a pattern that does not have this one is moved to it.
    ``shifted``: the days of a week move also where this one is among them, for all meetings are to move, and not only
    the first. Raises Refused where nobody can say what the moved pattern would be."""
    pattern, first = series["pattern"], date.fromisoformat(day)
    if was != day and (not fits(pattern, first) or (shifted and pattern["type"] == "weekly")):
        begun = date.fromisoformat(series["range"].get("startDate") or was)
        pattern = {**pattern, **_at(pattern, begun, first)}
    span = {**series["range"], "startDate": day}
    if span["type"] == "endDate":
        span["endDate"] = _later(span["endDate"], first - date.fromisoformat(was))
    return {**series, "pattern": pattern, "range": span}


def fits(pattern: Json, day: date) -> bool:
    """Whether the pattern has a meeting on this day. In a month without the pattern's day it is the last day."""
    match pattern["type"]:
        case "weekly":
            return _DAYS[day.weekday()] in pattern["daysOfWeek"]
        case "absoluteYearly" | "relativeYearly" if pattern["month"] != day.month:
            return False
        case "absoluteMonthly" | "absoluteYearly":
            return bool(day.day == min(pattern["dayOfMonth"], _length(day)))
        case "relativeMonthly" | "relativeYearly":
            return day == _relative(pattern, day)
    return True


def _later(day: str, by: timedelta) -> str:
    try:
        return (date.fromisoformat(day) + by).isoformat()
    except OverflowError:
        raise Refused("InvalidValue", f"start: the series ends on {day}, and would end beyond the calendar") from None


def _at(pattern: Json, begun: date, day: date) -> dict[str, Json]:
    """What changes in a pattern when its series, which began on one day, is to begin on another."""
    match pattern["type"]:
        case "weekly":
            return _turned(pattern, begun, day)
        case "absoluteMonthly":
            return {"dayOfMonth": day.day}
        case "absoluteYearly":
            return {"dayOfMonth": day.day, "month": day.month}
    raise Refused(
        "InvalidValue",
        f"start: the series is on {_said(pattern)}, and {day} is none: name recurrence together with start",
    )


def _turned(pattern: Json, begun: date, day: date) -> dict[str, Json]:
    """All days of the week, moved by as many days as the first meeting; a range may begin before its first meeting."""
    first = min(map(_DAYS.index, pattern["daysOfWeek"]), key=lambda number: (number - begun.weekday()) % 7)

    def turned(name: str) -> str:
        return _DAYS[(_DAYS.index(name) + day.weekday() - first) % 7]

    days = {"daysOfWeek": [turned(name) for name in pattern["daysOfWeek"]]}
    if pattern.get("interval", 1) == 1:
        return days
    # Which weeks are left out depends on where a week begins: if that stayed, meetings of one week would be torn apart.
    return {**days, "firstDayOfWeek": turned(pattern.get("firstDayOfWeek") or "sunday")}


def _relative(pattern: Json, day: date) -> date:
    """The day of the same month that a pattern like ``the last Monday`` means."""
    month = (day.replace(day=number) for number in range(1, _length(day) + 1))
    return [one for one in month if _DAYS[one.weekday()] in pattern["daysOfWeek"]][_INDEXES[_index(pattern)]]


def _length(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _index(pattern: Json) -> str:
    return pattern.get("index") or "first"


def _said(pattern: Json) -> str:
    days = " or ".join(name.capitalize() for name in pattern["daysOfWeek"])
    where = month_name[pattern["month"]] if pattern["type"] == "relativeYearly" else "a month"
    return f"the {_index(pattern)} {days} of {where}"
