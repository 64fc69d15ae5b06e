"""Graph's event resource in JSON: what to ask for, how to read it, how to write it.

The properties are those of https://learn.microsoft.com/graph/api/event-update, in Microsoft's order. The marker is a
https://learn.microsoft.com/graph/api/resources/singlevaluelegacyextendedproperty. Not here: HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from workers.exchange import MARKER_GUID, MARKER_NAME, Event, Patch, Refused
from workers.graph import times
from workers.update import Json

MARKER_ID = f"String {{{MARKER_GUID}}} Name {MARKER_NAME}"


class Unreadable(ValueError):
    """A success whose body is not the event that it should be."""


class _Never:
    """Stands for a property that cannot be cleared."""


NEVER = _Never()


def _as_is(value: Json) -> Json:
    return value


def _members(value: Json) -> Json:
    return value or []


def _text(value: Json) -> Json:
    return value or None


def _body(value: Json) -> Json:
    return value if value and value.get("content") else None


def _location(value: Json) -> Json:
    """Graph describes even the place that was never set: ``{"displayName": "", "locationType": "default", …}``."""
    return value if value and (value.get("displayName") or value.get("locationUri") or value.get("address")) else None


def _locations(value: Json) -> Json:
    return [location for location in value or [] if _location(location)]


@dataclass(frozen=True, slots=True)
class Property:
    """``cleared``: what goes over the wire to unset it. ``read``, ``write``: Graph's value ↔ the neutral one."""

    name: str
    cleared: Json = NEVER
    read: Callable[[Json], Json] = _as_is
    write: Callable[[Json], Json] = _as_is


PROPERTIES: Mapping[str, Property] = {
    prop.name: prop
    for prop in (
        Property("attendees", cleared=[], read=_members),
        Property("body", cleared={"contentType": "text", "content": ""}, read=_body),
        Property("categories", cleared=[], read=_members),
        Property("end", write=times.with_windows_zone),
        Property("hideAttendees"),
        Property("importance"),
        Property("isAllDay"),
        Property("isOnlineMeeting"),
        Property("isReminderOn"),
        Property("location", cleared={"displayName": ""}, read=_location),
        Property("locations", cleared=[], read=_locations),
        Property("onlineMeetingProvider"),
        Property("recurrence", cleared=None),
        Property("reminderMinutesBeforeStart"),
        Property("responseRequested"),
        Property("sensitivity"),
        Property("showAs"),
        Property("start", write=times.with_windows_zone),
        Property("subject", cleared="", read=_text),
    )
}

_ALWAYS = ("id", "changeKey", "attendees", "organizer")
_FOR_TIMES = ("isAllDay", "originalStartTimeZone", "originalEndTimeZone")


def query(properties: Collection[str]) -> str:
    """The query of a GET that answers with these properties and what an Event needs besides, percent-encoded."""
    asked = set(properties)
    wanted = [*_ALWAYS, *(_FOR_TIMES if asked & {"start", "end"} else ()), *sorted(asked)]
    marker = f"singleValueExtendedProperties($filter=id eq '{MARKER_ID}')"
    # A space has to be %20: in OData a plus is a plus.
    return urlencode({"$select": ",".join(dict.fromkeys(wanted)), "$expand": marker}, quote_via=quote, safe="$(),'")


def patch_body(patch: Patch) -> bytes:
    """The body of a PATCH: the changed properties in Microsoft's order, and the marker. Nothing else, because Graph
    mails only the attendees concerned when ``attendees`` stands alone.

    Raises Refused, naming the property, for what Graph cannot write, clear or spell.
    """
    for name in patch.changes:
        if name not in PROPERTIES:
            raise Refused("PropertyNotWritable", f"{name}: Graph cannot write this property")
    body = {name: _written(prop, patch.changes[name]) for name, prop in PROPERTIES.items() if name in patch.changes}
    if patch.marker:
        body["singleValueExtendedProperties"] = [{"id": MARKER_ID, "value": " ".join(patch.marker)}]
    return b"{%s}" % b",".join(_member(name, value) for name, value in body.items())


def _written(prop: Property, value: Json) -> Json:
    if value is not None:
        return prop.write(value)
    if prop.cleared is NEVER:
        raise Refused("PropertyNotClearable", f"{prop.name}: this property cannot be cleared")
    return prop.cleared


def _member(name: str, value: Json) -> bytes:
    try:
        return f'"{name}":{json.dumps(value, ensure_ascii=False, allow_nan=False)}'.encode()
    except ValueError:
        raise Refused("InvalidValue", f"{name}: not a value that JSON in UTF-8 can hold") from None


def read_event(body: bytes, properties: Iterable[str], marker: tuple[str, ...] = ()) -> Event:
    """The event that Graph answered with. ``marker`` is what it is known to be if the answer does not tell: a PATCH
    does not echo extended properties. Raises Unreadable."""
    try:
        document = json.loads(body)
        return Event(
            id=_id(document),
            version=_version(document),
            is_meeting=_is_meeting(document),
            marker=_marker(document, marker),
            properties={name: _read(document, name) for name in properties},
        )
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError) as error:
        raise Unreadable(f"this is not an event: {error}") from error


def _read(document: Json, name: str) -> Json:
    if name in ("start", "end"):
        return times.in_own_zone(document, name)
    value = document.get(name)
    return PROPERTIES[name].read(value) if name in PROPERTIES else value


def _id(document: Json) -> str:
    if not isinstance(document, dict) or not isinstance(document.get("id"), str):
        raise Unreadable("it has no id")
    return str(document["id"])


def _version(document: Json) -> str:
    """The ETag, which goes back as ``If-Match``: anything that a header cannot hold is no ETag."""
    etag = document.get("@odata.etag") or f'W/"{document["changeKey"]}"'
    if not isinstance(etag, str) or not etag.isascii() or not etag.isprintable():
        raise Unreadable("its ETag is not a header's value")
    return etag


def _is_meeting(document: Json) -> bool:
    organizer = _address(document.get("organizer"))
    return any(_address(attendee) != organizer for attendee in document.get("attendees") or [])


def _address(recipient: Json) -> str:
    return str(((recipient or {}).get("emailAddress") or {}).get("address") or "").lower()


def _marker(document: Json, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    for prop in document.get("singleValueExtendedProperties") or []:
        if prop["id"].lower() == MARKER_ID.lower():
            return tuple((prop["value"] or "").split())
    return otherwise
