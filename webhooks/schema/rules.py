"""What must hold between the fields of a body.

Pure functions of the parsed JSON. Each passes over what it does not understand: the body may have the wrong shape,
which webhooks/schema reports, and callers want to hear of all faults at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from pydantic import TypeAdapter, ValidationError

from webhooks.faults import Fault, fault
from webhooks.schema.event import DateTimeTimeZone, EventProperties, Time, clearable, why_not
from webhooks.schema.extended import property_id
from workers.event.mapi_ids import PropertyId
from workers.event.properties import members
from workers.event.zones import instant, to_windows

OPERATIONS = ("set", "append", "remove", "clear", "shift")
_SETTABLE = {field.alias for field in EventProperties.model_fields.values()}
_TIME: TypeAdapter[DateTimeTimeZone] = TypeAdapter(Time)


def broken(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Every rule that the body breaks."""
    return chain(
        broken_target(_object(document, "target"), "target"),
        _nothing(document),
        _clear(document.get("clear")),
        _named_twice(document),
        _times(_object(document, "set")),
        _same_person_twice(document),
        _same_property_twice(document),
    )


def broken_target(target: Mapping[str, Any], *path: str) -> Iterator[Fault]:
    """Every rule that a target breaks. ``path``: where the target stands in the body."""
    if "mailbox" in target and "group" in target:
        yield fault("give mailbox or group, not both", *path, "group")
    elif target and not {"mailbox", "group"} & target.keys():
        yield fault("mailbox (or group) is required", *path, "mailbox")
    if "calendarGroup" in target and target.get("calendar") in (None, "default"):
        yield fault("a calendar group is named together with the id of one of its calendars", *path, "calendar")
    if "group" in target:
        if "calendarGroup" in target:
            yield fault("a group has no calendar groups", *path, "calendarGroup")
        if target.get("calendar", "default") != "default":
            yield fault("a group has one calendar: leave this out, or say default", *path, "calendar")
    occurrence = target.get("occurrence")
    if isinstance(occurrence, dict) and len({"index", "start"} & occurrence.keys()) != 1:
        yield fault("give index or start, one of the two", *path, "occurrence")


def _nothing(document: Mapping[str, Any]) -> Iterator[Fault]:
    if not any(document.get(operation) for operation in OPERATIONS):
        yield fault(f"nothing is to change: give at least one of {', '.join(OPERATIONS)}")


def _clear(names: Any) -> Iterator[Fault]:
    for position, name in enumerate(names if isinstance(names, list) else []):
        if not isinstance(name, str) or clearable(name):
            continue
        why = f"{name} cannot be cleared" if name in _SETTABLE else why_not(name)
        yield fault(why, "clear", position)


def _named_twice(document: Mapping[str, Any]) -> Iterator[Fault]:
    """A property may be named in one operation only, but members may be added to and removed from the same one. To
    Exchange, ``location`` and ``locations`` are one: whichever it heeds undoes the other."""
    seen: dict[str, tuple[str, str]] = {}
    for name, operation, path in _named(document):
        other, earlier = seen.setdefault("locations" if name == "location" else name, (name, operation))
        if earlier != operation and (earlier, operation) != ("append", "remove"):
            yield fault(f"{other} is already named in {earlier}", *path)


def _named(document: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str | int, ...]]]:
    for operation in OPERATIONS:
        value = document.get(operation)
        if operation == "shift" and isinstance(value, str):
            yield from ((name, operation, (operation,)) for name in ("start", "end"))
        elif isinstance(value, dict):
            yield from ((name, operation, (operation, name)) for name in value)
        elif isinstance(value, list):
            yield from ((name, operation, (operation, at)) for at, name in enumerate(value) if isinstance(name, str))


def _times(changes: Mapping[str, Any]) -> Iterator[Fault]:
    start, end = _time(changes.get("start")), _time(changes.get("end"))
    all_day = changes.get("isAllDay") is True
    for name, time in (("start", start), ("end", end)):
        if all_day and time is not None and not time.date_time.endswith("T00:00:00"):
            yield fault("an all-day event starts and ends at midnight", "set", name)
    if start is None or end is None:
        return
    if all_day and _zone(start) != _zone(end):
        yield fault("an all-day event starts and ends in one time zone", "set", "end")
    elif _order(start, end) < 0:
        yield fault("end is before start", "set", "end")
    elif all_day and _order(start, end) == 0:
        yield fault("an all-day event ends at a midnight after its start", "set", "end")


def _time(value: Any) -> DateTimeTimeZone | None:
    if value is None:
        return None
    try:
        return _TIME.validate_python(value)
    except ValidationError:
        return None


def _zone(time: DateTimeTimeZone) -> str:
    return to_windows(time.time_zone) or time.time_zone


def _order(start: DateTimeTimeZone, end: DateTimeTimeZone) -> float:
    """Positive if ``end`` is after ``start``. In one zone the wall clocks are compared: that is what people mean in the
    hour that happens twice."""
    if _zone(start) == _zone(end):
        return (datetime.fromisoformat(end.date_time) - datetime.fromisoformat(start.date_time)).total_seconds()
    try:
        between = instant(end.date_time, end.time_zone) - instant(start.date_time, start.time_zone)
    except ValueError:
        return 0
    return between.total_seconds()


def _same_person_twice(document: Mapping[str, Any]) -> Iterator[Fault]:
    """No attendee may be listed twice, as the entries may disagree; nor may one be both added and removed."""
    added: set[str] = set()
    for operation in ("set", "append"):
        listed = _object(document, operation).get("attendees")
        for position, attendee in enumerate(listed if isinstance(listed, list) else []):
            if not (who := _who(attendee)):
                continue
            if who in added:
                yield fault(f"{who} is listed twice", operation, "attendees", position)
            added.add(who)
    gone = _object(document, "remove").get("attendees")
    for position, attendee in enumerate(gone if isinstance(gone, list) else []):
        if _who(attendee) in added:
            yield fault(f"{_who(attendee)} is added and removed at once", "remove", "attendees", position)


def _same_property_twice(document: Mapping[str, Any]) -> Iterator[Fault]:
    """No extended property may be listed twice, however its id is spelled: nobody knows which value is meant."""
    for operation in ("set", "expect"):
        seen = set[PropertyId | None]()
        listed = _object(document, operation).get("singleValueExtendedProperties")
        for position, one in enumerate(listed if isinstance(listed, list) else []):
            if (which := property_id(one.get("id") if isinstance(one, dict) else None)) in seen:
                yield fault("this property is listed twice", operation, "singleValueExtendedProperties", position, "id")
            seen |= {which} - {None}


def _who(attendee: Any) -> str:
    if isinstance(attendee, str):
        return attendee.lower()
    if not isinstance(attendee, dict) or not isinstance(attendee.get("emailAddress"), dict):
        return ""
    return next(iter(members("attendees", [attendee])))


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}
