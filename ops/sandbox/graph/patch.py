"""The body of PATCH and POST event, read: https://learn.microsoft.com/graph/api/event-update#request-body."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from ops.sandbox.call import Json
from ops.sandbox.event import DEFAULTS, Event
from ops.sandbox.extended import BadName, of_graph
from ops.sandbox.graph.errors import GraphError
from ops.sandbox.graph.resource import PROPERTIES
from ops.sandbox.mailing import graph_mode
from ops.sandbox.store import Change
from ops.sandbox.zones import UnknownZone, instant, wall_clock, windows_name

IGNORED = frozenset({"isCancelled"})
"""Read-only, yet answered with 200 and no effect."""


_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_PATTERN = frozenset({"type", "interval", "month", "dayOfMonth", "daysOfWeek", "firstDayOfWeek", "index"})
_PATTERNS = ("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
_NEEDED: Mapping[str, tuple[str, ...]] = {"endDate": ("endDate",), "noEnd": (), "numbered": ("numberOfOccurrences",)}
"""The fields that each type of range needs."""
_RANGE = frozenset({"type", "startDate", "endDate", "numberOfOccurrences", "recurrenceTimeZone"})


def read(body: bytes, event: Event | None) -> Change:
    """The change that a body asks for of this event (None: a new one); ``GraphError``."""
    document = _document(body)
    extended = _extended(document.pop("singleValueExtendedProperties", None) or [])
    written = {
        name: _value(name, value)
        for name, value in document.items()
        if "@" not in name and name not in IGNORED and not (event is None and name == "transactionId")
    }
    _check_zone(written, event)
    _check_all_day(written, event)
    people = [*(event["attendees"] if event else ()), *written.get("attendees", ())]
    return Change(written, extended, graph_mode(written) if people else "SendToNone")


def _document(body: bytes) -> dict[str, Json]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise GraphError(
            400,
            "BadRequest",
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid "
            "JSON format.",
        )
    return document


def _value(name: str, value: Json) -> Json:
    if name == "transactionId":
        raise GraphError(
            400,
            "ErrorInvalidRequest",
            "The request is invalid. ClientId/TransactionId is immutable and cannot be updated.",
        )
    if name in _READERS:
        return DEFAULTS[name] if value is None and name not in ("start", "end") else _READERS[name](value)
    if name in PROPERTIES:
        raise _invalid()
    raise _unreadable(
        f"The property '{name}' does not exist on type 'microsoft.graph.event'. Make sure to only use property names "
        "that are defined by the type."
    )


def _check_zone(written: Mapping[str, Json], event: Event | None) -> None:
    """A series may not move into another zone without its recurrence."""
    if event is None or not event["recurrence"] or "recurrence" in written:
        return
    for name in ("start", "end"):
        if name in written and written[name]["timeZone"] != event[name]["timeZone"]:
            raise _invalid()


def _check_all_day(written: Mapping[str, Json], event: Event | None) -> None:
    """Whole days have one zone, and there is at least one of them."""
    after = {**(event.properties if event else DEFAULTS), **written}
    start, end = after["start"], after["end"]
    whole = start["timeZone"] == end["timeZone"] and start["dateTime"] < end["dateTime"]
    if after["isAllDay"] and not whole and written.keys() & {"isAllDay", "start", "end"}:
        raise _invalid()


def _invalid() -> GraphError:
    return GraphError(400, "ErrorPropertyValidationFailure", "At least one property failed validation.")


def _unreadable(text: str) -> GraphError:
    return GraphError(400, "RequestBodyRead", text)


def _a(kind: type, edm: str) -> Callable[[Json], Json]:
    def reader(value: Json) -> Json:
        if type(value) is not kind:
            raise _unreadable(f"Cannot convert the literal '{value}' to the expected type 'Edm.{edm}'.")
        return value

    return reader


def _one_of(*members: str) -> Callable[[Json], Json]:
    def reader(value: Json) -> Json:
        if value not in members:
            raise _unreadable(f"Requested value '{value}' was not found.")
        return value

    return reader


def _list_of(member: Callable[[Json], Json]) -> Callable[[Json], Json]:
    def reader(value: Json) -> Json:
        return [member(item) for item in _a(list, "Collection")(value)]

    return reader


def _object(value: Json, required: tuple[str, ...], known: frozenset[str], type_name: str) -> dict[str, Json]:
    members: dict[str, Json] = dict(_a(dict, type_name)(value))
    unknown = next((name for name in members if name not in known and "@" not in name), None)
    if unknown is not None:
        raise _unreadable(f"The property '{unknown}' does not exist on type 'microsoft.graph.{type_name}'.")
    if any(members.get(name) in (None, "") for name in required):
        raise _invalid()
    return members


def _time(value: Json) -> Json:
    members = _object(value, ("dateTime",), frozenset({"dateTime", "timeZone"}), "dateTimeTimeZone")
    try:
        zone = windows_name(members.get("timeZone") or "")
    except UnknownZone as unknown:
        raise GraphError(
            400,
            "TimeZoneNotSupportedException",
            "A valid TimeZone value must be specified. The following TimeZone value is not supported: "
            f"'{members.get('timeZone') or ''}'.",
        ) from unknown
    try:
        given = datetime.fromisoformat(
            str(members["dateTime"])[:19] if "." in members["dateTime"] else members["dateTime"]
        )
    except (ValueError, TypeError) as bad:
        raise _unreadable(f"Cannot convert the literal '{members['dateTime']}' to the expected type.") from bad
    wall = wall_clock(given, zone) if given.tzinfo else given.isoformat(timespec="seconds")
    instant(wall, zone)
    return {"dateTime": wall, "timeZone": zone}


def _body(value: Json) -> Json:
    members = _object(value, (), frozenset({"contentType", "content"}), "itemBody")
    kind = _one_of("text", "html")(str(members.get("contentType", "text")).lower())
    return {"contentType": kind, "content": _a(str, "String")(members.get("content") or "")}


def _attendee(value: Json) -> Json:
    known = frozenset({"type", "emailAddress", "status", "proposedNewTime"})
    members = _object(value, ("emailAddress",), known, "attendee")
    address = _object(members["emailAddress"], ("address",), frozenset({"name", "address"}), "emailAddress")
    kind = _one_of("required", "optional", "resource")(members.get("type") or "required")
    return {
        "type": kind,
        "emailAddress": {"name": address.get("name") or address["address"], "address": address["address"]},
    }


def _place(value: Json) -> Json:
    kept = ("address", "coordinates", "locationEmailAddress", "locationUri")
    known = frozenset({*kept, "displayName", "locationType", "uniqueId", "uniqueIdType"})
    members = _object(value, (), known, "location")
    return {
        "displayName": members.get("displayName") or "",
        **{name: members[name] for name in kept if members.get(name)},
    }


def _recurrence(value: Json) -> Json:
    """https://learn.microsoft.com/graph/api/resources/patternedrecurrence"""
    members = _object(value, ("pattern", "range"), frozenset({"pattern", "range"}), "patternedRecurrence")
    pattern = _object(members["pattern"], ("type", "interval"), _PATTERN, "recurrencePattern")
    span = _object(members["range"], ("type", "startDate"), _RANGE, "recurrenceRange")
    _one_of(*_PATTERNS)(pattern["type"])
    _one_of(*_NEEDED)(span["type"])
    _list_of(_one_of(*_DAYS))(pattern.get("daysOfWeek") or [])
    _object(span, _NEEDED[span["type"]], _RANGE, "range")
    return {"pattern": pattern, "range": span}


def _extended(members: list[Json]) -> dict[str, str | None]:
    try:
        return {of_graph(member["id"]): member["value"] for member in members}
    except BadName as bad:
        raise GraphError(400, "ErrorInvalidProperty", f"The property '{bad}' is not valid.") from bad


_READERS: Mapping[str, Callable[[Json], Json]] = {
    "attendees": _list_of(_attendee),
    "body": _body,
    "categories": _list_of(_a(str, "String")),
    "end": _time,
    "hideAttendees": _a(bool, "Boolean"),
    "importance": _one_of("low", "normal", "high"),
    "isAllDay": _a(bool, "Boolean"),
    "isOnlineMeeting": _a(bool, "Boolean"),
    "isReminderOn": _a(bool, "Boolean"),
    "location": _place,
    "locations": _list_of(_place),
    "onlineMeetingProvider": _one_of("unknown", "teamsForBusiness", "skypeForBusiness", "skypeForConsumer"),
    "recurrence": _recurrence,
    "reminderMinutesBeforeStart": _a(int, "Int32"),
    "responseRequested": _a(bool, "Boolean"),
    "allowNewTimeProposals": _a(bool, "Boolean"),
    "sensitivity": _one_of("normal", "personal", "private", "confidential"),
    "showAs": _one_of("free", "tentative", "busy", "oof", "workingElsewhere", "unknown"),
    "start": _time,
    "subject": _a(str, "String"),
}
