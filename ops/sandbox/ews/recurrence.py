"""Recurrence: EWS's element and Graph's patternedRecurrence, both ways.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/recurrence-recurrencetype and
https://learn.microsoft.com/graph/api/resources/patternedrecurrence
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from ops.sandbox.call import Json
from ops.sandbox.ews.soap import NS, Element, T, schema_fault

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
PATTERNS: Mapping[str, str] = {
    "RelativeYearlyRecurrence": "relativeYearly",
    "AbsoluteYearlyRecurrence": "absoluteYearly",
    "RelativeMonthlyRecurrence": "relativeMonthly",
    "AbsoluteMonthlyRecurrence": "absoluteMonthly",
    "WeeklyRecurrence": "weekly",
    "DailyRecurrence": "daily",
}
_PARTS: Mapping[str, tuple[str, ...]] = {
    "daily": ("Interval",),
    "weekly": ("Interval", "DaysOfWeek", "FirstDayOfWeek"),
    "absoluteMonthly": ("Interval", "DayOfMonth"),
    "relativeMonthly": ("Interval", "DaysOfWeek", "DayOfWeekIndex"),
    "absoluteYearly": ("DayOfMonth", "Month"),
    "relativeYearly": ("DaysOfWeek", "DayOfWeekIndex", "Month"),
}
"""The children of each pattern, in the schema's order."""
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "Weekday": ("monday", "tuesday", "wednesday", "thursday", "friday"),
    "WeekendDay": ("saturday", "sunday"),
    "Day": ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"),
}


def show(recurrence: Json) -> Element | None:
    """EWS's element; None when the event does not repeat."""
    if not recurrence:
        return None
    pattern = recurrence["pattern"]
    name = next(name for name, kind in PATTERNS.items() if kind == pattern["type"])
    values = _shown(pattern)
    parts = [T(part, values[part]) for part in _PARTS[pattern["type"]] if part in values]
    return T.Recurrence(T(name, *parts), _show_range(recurrence["range"]))


def read(element: Element) -> Json:
    """Graph's form; a ``SoapFault`` when the schema is broken."""
    children = [etree.QName(child).localname for child in element]
    if len(children) != 2 or children[0] not in PATTERNS or not children[1].endswith("Recurrence"):
        raise schema_fault(element.sourceline or 0, "The element 'Recurrence' has invalid content.")
    kind = PATTERNS[children[0]]
    parts = {etree.QName(part).localname: (part.text or "").strip() for part in element[0]}
    return {
        "pattern": {"type": kind, "interval": int(parts.get("Interval", "1")), **_read(parts)},
        "range": _range(element),
    }


def _shown(pattern: Json) -> dict[str, str]:
    """Every part that the pattern has a value for."""
    shown = {"Interval": str(pattern.get("interval", 1))}
    if pattern.get("daysOfWeek"):
        days = tuple(str(day) for day in pattern["daysOfWeek"])
        group = next((name for name, members in _GROUPS.items() if set(members) == set(days)), None)
        relative = pattern["type"].startswith("relative")
        shown["DaysOfWeek"] = group if group and relative else " ".join(day.title() for day in days)
    if pattern.get("firstDayOfWeek") and pattern["firstDayOfWeek"] != "sunday":
        shown["FirstDayOfWeek"] = str(pattern["firstDayOfWeek"]).title()
    if pattern.get("dayOfMonth"):
        shown["DayOfMonth"] = str(pattern["dayOfMonth"])
    if pattern["type"].startswith("relative"):
        shown["DayOfWeekIndex"] = str(pattern.get("index") or "first").title()
    if pattern.get("month"):
        shown["Month"] = MONTHS[int(pattern["month"]) - 1]
    return shown


def _read(parts: Mapping[str, str]) -> dict[str, Json]:
    read: dict[str, Json] = {}
    if "DaysOfWeek" in parts:
        days = parts["DaysOfWeek"].split()
        read["daysOfWeek"] = [day for name in days for day in _GROUPS.get(name, (name.lower(),))]
    if "FirstDayOfWeek" in parts:
        read["firstDayOfWeek"] = parts["FirstDayOfWeek"].lower()
    if "DayOfMonth" in parts:
        read["dayOfMonth"] = int(parts["DayOfMonth"])
    if "DayOfWeekIndex" in parts:
        read["index"] = parts["DayOfWeekIndex"].lower()
    if "Month" in parts:
        read["month"] = MONTHS.index(parts["Month"]) + 1
    return read


def _show_range(span: Json) -> Element:
    start = T.StartDate(span["startDate"])
    match span["type"]:
        case "endDate":
            return T.EndDateRecurrence(start, T.EndDate(span["endDate"]))
        case "numbered":
            return T.NumberedRecurrence(start, T.NumberOfOccurrences(str(span["numberOfOccurrences"])))
        case _:
            return T.NoEndRecurrence(start)


def _range(element: Element) -> Json:
    parts = {
        name: element[1].findtext(f"t:{name}", None, NS) for name in ("StartDate", "EndDate", "NumberOfOccurrences")
    }
    span: dict[str, Json] = {"type": "noEnd", "startDate": (parts["StartDate"] or "")[:10]}
    if parts["EndDate"]:
        span.update(type="endDate", endDate=parts["EndDate"][:10])
    if parts["NumberOfOccurrences"]:
        span.update(type="numbered", numberOfOccurrences=int(parts["NumberOfOccurrences"]))
    return span
