"""Recurrence: Graph's pattern and range, Exchange's six pattern and three range elements.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/recurrence-recurrencetype
https://learn.microsoft.com/graph/api/resources/patternedrecurrence
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lxml import etree

from workers.event.properties import OWN_ZONE
from workers.event.recurrence import week_counts
from workers.event.series import moved
from workers.event.zones import to_windows
from workers.ews.soap import element, find, text_of
from workers.exchange import Refused
from workers.update import Json

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_INDEXES = ("first", "second", "third", "fourth", "last")
_DAY_GROUPS = {"Day": _DAYS, "Weekday": _DAYS[1:6], "WeekendDay": (_DAYS[0], _DAYS[6])}
"""What a relative pattern calls a set of days: ``the last Weekday of the month``."""


_AHEAD_OF_UTC = tuple(timedelta(minutes=15) * quarters for quarters in range(-12 * 4, 14 * 4 + 1))
"""By how much clocks can be ahead of UTC, anywhere in the world."""


@dataclass(frozen=True, slots=True)
class Part:
    """One property of a pattern or range: Graph's name, Exchange's element, and the value both ways."""

    name: str
    tag: str
    render: Callable[[Json], str]
    read: Callable[[str], Json]
    default: Json = None
    """What Graph means if it is left out; without a default it must be given."""


def _number(value: Json) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{value!r} is not a whole number from 1 on")
    return str(value)


def _day(value: Json) -> str:
    return _one_of(value, _DAYS).capitalize()


def _one_of(value: Json, words: tuple[str, ...]) -> str:
    if value not in words:
        raise ValueError(f"{value!r} is none of {', '.join(words)}")
    return str(value)


def _days(value: Json) -> str:
    if not isinstance(value, list) or not value:
        raise ValueError("daysOfWeek must name a day")
    return " ".join(_day(day) for day in sorted({_one_of(day, _DAYS) for day in value}, key=_DAYS.index))


def _read_days(text: str) -> Json:
    found = {day for word in text.split() for day in _DAY_GROUPS.get(word, (word.lower(),))}
    return sorted(found, key=_DAYS.index)


def _relative_days(value: Json) -> str:
    words = _days(value)
    if " " not in words:
        return words
    for group, days in _DAY_GROUPS.items():
        if set(days) == set(value):
            return group
    raise ValueError(f"Exchange Web Services cannot say the days {', '.join(value)} in a relative pattern")


def _month(value: Json) -> str:
    number = int(_number(value))
    if number > len(_MONTHS):
        raise ValueError(f"{value!r} is no month")
    return _MONTHS[number - 1]


def _date(value: Json) -> str:
    return date.fromisoformat(value).isoformat()


def _yearly(value: Json) -> str:
    if value != 1:
        raise ValueError("Exchange Web Services has no yearly pattern with an interval other than 1")
    return ""


_INTERVAL = Part("interval", "Interval", _number, int, default=1)
_DAY_OF_MONTH = Part("dayOfMonth", "DayOfMonth", _number, int)
_RELATIVE_DAYS = Part("daysOfWeek", "DaysOfWeek", _relative_days, _read_days)
_INDEX = Part(
    "index", "DayOfWeekIndex", lambda value: _one_of(value, _INDEXES).capitalize(), str.lower, default="first"
)
_MONTH = Part("month", "Month", _month, lambda text: _MONTHS.index(text) + 1)
_EVERY_YEAR = Part("interval", "", _yearly, int, default=1)
_START = Part("startDate", "StartDate", _date, lambda text: text[:10])

PATTERNS: Mapping[str, tuple[str, tuple[Part, ...]]] = {
    "daily": ("DailyRecurrence", (_INTERVAL,)),
    "weekly": (
        "WeeklyRecurrence",
        (
            _INTERVAL,
            Part("daysOfWeek", "DaysOfWeek", _days, _read_days),
            Part("firstDayOfWeek", "FirstDayOfWeek", _day, str.lower, default="sunday"),
        ),
    ),
    "absoluteMonthly": ("AbsoluteMonthlyRecurrence", (_INTERVAL, _DAY_OF_MONTH)),
    "relativeMonthly": ("RelativeMonthlyRecurrence", (_INTERVAL, _RELATIVE_DAYS, _INDEX)),
    "absoluteYearly": ("AbsoluteYearlyRecurrence", (_EVERY_YEAR, _DAY_OF_MONTH, _MONTH)),
    "relativeYearly": ("RelativeYearlyRecurrence", (_EVERY_YEAR, _RELATIVE_DAYS, _INDEX, _MONTH)),
}
RANGES: Mapping[str, tuple[str, tuple[Part, ...]]] = {
    "noEnd": ("NoEndRecurrence", (_START,)),
    # A date may bear an offset (2006-10-18-07:00); the day is the event's own.
    "endDate": ("EndDateRecurrence", (_START, Part("endDate", "EndDate", _date, lambda text: text[:10]))),
    "numbered": ("NumberedRecurrence", (_START, Part("numberOfOccurrences", "NumberOfOccurrences", _number, int))),
}


def render(value: Json) -> etree._Element:
    """The Recurrence element. Raises ValueError for what Exchange Web Services cannot say."""
    return element("t:Recurrence", _render(value["pattern"], PATTERNS), _render(value["range"], RANGES))


def read(recurrence: etree._Element, zone: str | None) -> Json:
    """Graph's patternedRecurrence; ``zone`` is the one that the event is kept in. Raises ValueError for a pattern
    that calendars do not have."""
    span = _read(recurrence, RANGES)
    if zone is not None:
        span["recurrenceTimeZone"] = zone
    return {"pattern": _read(recurrence, PATTERNS), "range": span}


def check_zone(value: Json, start: Json) -> None:
    """Exchange keeps a series in the zone of its start: raises ValueError if another is asked for."""
    asked = (value or {}).get("range", {}).get("recurrenceTimeZone")
    own = (start or {}).get("timeZone")
    if asked and own and to_windows(asked) != to_windows(own):
        raise ValueError(f"recurrenceTimeZone {asked!r} is not the zone of start, {own!r}")


def check_week(pattern: Json, since: str) -> None:
    """Raise ValueError for a first day of the week that only versions ``since`` this one could keep; the others take
    Sunday."""
    first = pattern.get("firstDayOfWeek") or "sunday"
    if first != "sunday" and pattern.get("type") == "weekly" and week_counts(pattern):
        raise ValueError(f"a firstDayOfWeek like {first!r} exists from {since} on")


def in_step(changes: dict[str, Json], stands: Json, series: Json) -> dict[str, Json]:
    """The changes. If they move the start of a ``series`` to another day than it ``stands`` on, its first day and its
    pattern move with it: otherwise they would not fit the first meeting. Raises Refused."""
    start = changes.get("start")
    if not series or not start or not stands or "recurrence" in changes:
        return changes
    was, day = stands["dateTime"][:10], start["dateTime"][:10]
    if OWN_ZONE in stands:  # told in UTC, whose days need not be those of the series
        was = series["range"].get("startDate") or was
        day = _day_there(was, stands, start) if OWN_ZONE in start else day
    if day == was:
        return changes
    span = {name: value for name, value in series["range"].items() if name != "recurrenceTimeZone"}
    return {**changes, "recurrence": moved({**series, "range": span}, was, day)}


def _day_there(was: str, stands: Json, start: Json) -> str:
    """The new day of a meeting that was on the day ``was`` in a zone of which nothing more is known. It has to be the
    same in every zone that is possible; raises Refused if it is not."""
    before, after = (datetime.fromisoformat(time["dateTime"]) for time in (stands, start))
    days = set[date]()
    with suppress(OverflowError):  # beyond the year 9999 in some of them
        days = {(after + ahead).date() for ahead in _AHEAD_OF_UTC if (before + ahead).date().isoformat() == was}
    if len(days) == 1:
        return days.pop().isoformat()
    raise Refused(
        "InvalidValue",
        "start: the series is kept in a zone that is not known, and so is the day on which it would begin there: name "
        "start and end with a time zone, or recurrence together with them",
    )


def check_first_day(value: Json, start: Json) -> None:
    """A series begins on the day on which its first meeting starts: raises ValueError if it is to begin on another.

    Graph demands it (https://learn.microsoft.com/graph/api/resources/recurrencerange); Exchange may silently move the
    meeting to the range's day, or the range to the meeting's.
    """
    first, day = (value or {}).get("range", {}).get("startDate"), ((start or {}).get("dateTime") or "")[:10]
    if first and day and first != day:
        raise ValueError(f"its startDate {first!r} is not the day of start, {day!r}")


def _render(value: Json, kinds: Mapping[str, tuple[str, tuple[Part, ...]]]) -> etree._Element:
    if value.get("type") not in kinds:
        raise ValueError(f"type {value.get('type')!r} is none of {', '.join(kinds)}")
    tag, parts = kinds[value["type"]]
    made = []
    for part in parts:
        given = value.get(part.name)
        text = part.render(part.default if given is None else given)
        if part.tag:
            made.append(element(f"t:{part.tag}", text))
    return element(f"t:{tag}", *made)


def _read(recurrence: etree._Element, kinds: Mapping[str, tuple[str, tuple[Part, ...]]]) -> dict[str, Json]:
    for kind, (tag, parts) in kinds.items():
        if (found := find(recurrence, f"t:{tag}")) is not None:
            return {"type": kind} | {part.name: _value(found, part) for part in parts}
    raise ValueError("the recurrence has no pattern or range that calendars have")


def _value(found: etree._Element, part: Part) -> Json:
    text = (text_of(found, f"t:{part.tag}") or "").strip() if part.tag else ""
    return part.read(text) if text else part.default
