"""Graph's event resource in JSON: what to ask for, how to read it, how to write it.

The properties are those of https://learn.microsoft.com/graph/api/event-update, in Microsoft's order. Not here: HTTP;
what is written through a resource of its own (open_extension).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from workers.event.agreement import normal_form
from workers.event.mapi_ids import PropertyId
from workers.event.properties import EXTENDED, EXTENSION, TIMES
from workers.exchange import EXCEPTIONS, Event, Patch, Refused, marker_of
from workers.graph import body, extended_property, open_extension, series, times
from workers.graph.extended_property import MARKER
from workers.update import Json


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
    """Graph describes even the place that was never set: ``{"displayName": "", "address": {"street": "", …}, …}``."""
    return value if normal_form("location", value) else None


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
        Property("end", write=times.written),
        Property("hideAttendees"),
        Property("importance"),
        Property("isAllDay"),
        Property("isOnlineMeeting"),
        Property("isReminderOn"),
        Property("location", cleared={"displayName": ""}, read=_location),
        Property("locations", cleared=[], read=_locations),
        Property("onlineMeetingProvider"),
        Property("recurrence", cleared=None, write=series.with_windows_zone),
        Property("reminderMinutesBeforeStart"),
        Property("responseRequested"),
        Property("sensitivity"),
        Property("showAs"),
        Property("start", write=times.written),
        Property("subject", cleared="", read=_text),
    )
}

_ALWAYS = ("id", "changeKey", "createdDateTime", "attendees", "organizer", "seriesMasterId", "originalStart")
_FOR_TIMES = ("isAllDay", "originalStartTimeZone", "originalEndTimeZone", "recurrence")
_ONLINE = ("isOnlineMeeting", "onlineMeetingProvider")
_FOR_ONLINE = ("isOnlineMeeting", "onlineMeeting")


@dataclass(frozen=True, slots=True)
class GraphEvent(Event):
    """An event, and what a later write to it has to know besides."""

    series: Json = None
    """How it recurs; only if its times were asked for."""
    join_block: str = ""
    """What was cut out of its body, or has to be put into a new one, so that people can join online."""
    join_url: str | None = None
    of_series: bool = False
    """Whether it is one meeting of a series."""


def query(properties: Collection[str]) -> str:
    """The query of a GET that answers with these properties and what an Event needs besides, percent-encoded. Of the
    open extensions it asks for the first. The exceptions of a series are told only where they are both selected and
    expanded. Raises Refused for an id that is none."""
    asked = {name for name in properties if not name.startswith((EXTENDED, EXTENSION))}
    needed = [*(_FOR_TIMES if asked & {*TIMES} else ()), *(_FOR_ONLINE if asked & {"body", *_ONLINE} else ())]
    wanted = [*_ALWAYS, *needed, *sorted(asked)]
    expand = [
        extended_property.expand(extended_property.ids(properties)),
        *map(open_extension.expand, open_extension.names(properties)[:1]),
        *([series.EXPAND] if EXCEPTIONS in asked else ()),
    ]
    # A space has to be %20: in OData a plus is a plus.
    asking = {"$select": ",".join(dict.fromkeys(wanted)), "$expand": ",".join(expand)}
    return urlencode(asking, quote_via=quote, safe="$(),'")


def patch_body(patch: Patch, event: GraphEvent) -> bytes:
    """The body of a PATCH: the changed properties in Microsoft's order, the extended ones and the marker. Nothing else,
    because Graph mails only the attendees concerned when ``attendees`` stands alone; save what Graph would lose or
    refuse otherwise, given ``event`` as it stands: its join block and, in a new zone, its recurrence.

    Raises Refused, naming the property, for what Graph cannot write, clear or spell, or would pass over, and mail
    everybody (https://learn.microsoft.com/graph/api/resources/event#properties, isOnlineMeeting).
    """
    for name in patch.changes:
        if name not in PROPERTIES and not name.startswith(EXTENDED):
            raise Refused("PropertyNotWritable", f"{name}: Graph cannot write this property")
        if name in _ONLINE and event.join_url and not patch.changes.get("isOnlineMeeting"):
            raise Refused("PropertyNotWritable", f"{name}: an online meeting stays one, with the provider that it has")
    changes = series.in_step(patch.changes, event.properties, event.series)
    members = {name: _written(prop, changes[name]) for name, prop in PROPERTIES.items() if name in changes}
    if "body" in members:
        members["body"] = body.with_block(members["body"], event.join_block, event.join_url)
    if extended := extended_property.written(patch.changes, patch.marker):
        members["singleValueExtendedProperties"] = extended
    return b"{%s}" % b",".join(_member(name, value) for name, value in members.items())


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


def read_event(
    answer: bytes, properties: Iterable[str], marker: tuple[str, ...] = (), *, whole_body: bool = False
) -> GraphEvent:
    """The event that Graph answered with. ``marker`` is what it is known to be if the answer does not tell: a PATCH
    does not echo extended properties. ``whole_body``: leave the join block where it is. Raises Unreadable."""
    try:
        document = json.loads(answer)
        rest, block = body.cut(document)
        extended = extended_property.read(document)
        seen = document if whole_body else {**document, "body": rest}
        return GraphEvent(
            id=_id(document),
            version=_version(document),
            is_meeting=_is_meeting(document),
            marker=marker_of(extended[MARKER]) if MARKER in extended else marker,
            properties={name: _read(seen, extended, name) for name in properties},
            created=_moment(document.get("createdDateTime")),
            original=_moment(document.get("originalStart")),
            series=document.get("recurrence"),
            join_block=block,
            join_url=body.join_url(document),
            of_series=bool(document.get("seriesMasterId")),
        )
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError) as error:
        raise Unreadable(f"this is not an event: {error}") from error


def _read(document: Json, extended: Mapping[PropertyId, Json], name: str) -> Json:
    if name in TIMES:
        return times.in_own_zone(document, name)
    if name.startswith(EXTENDED):
        return extended.get(extended_property.named(name.removeprefix(EXTENDED)))
    if name.startswith(EXTENSION):
        return open_extension.among(document, name.removeprefix(EXTENSION))
    value = document.get(name)
    return PROPERTIES[name].read(value) if name in PROPERTIES else value


def _id(document: Json) -> str:
    if not isinstance(document, dict) or not isinstance(document.get("id"), str):
        raise Unreadable("it has no id")
    return str(document["id"])


def _version(document: Json) -> str:
    """The ETag, which is sent back as ``If-Match``. Text that a header cannot hold is no ETag."""
    etag = document.get("@odata.etag") or f'W/"{document["changeKey"]}"'
    if not isinstance(etag, str) or not etag.isascii() or not etag.isprintable():
        raise Unreadable("its ETag is not a header's value")
    return etag


def _moment(told: Json) -> datetime | None:
    """None where it is no moment."""
    try:
        moment = datetime.fromisoformat(told)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _is_meeting(document: Json) -> bool:
    organizer = _address(document.get("organizer"))
    return any(_address(attendee) != organizer for attendee in document.get("attendees") or [])


def _address(recipient: Json) -> str:
    return str(((recipient or {}).get("emailAddress") or {}).get("address") or "").lower()
