"""The event properties that can be written: one table, and when two values of one property are the same.

Names and values are Graph's (https://learn.microsoft.com/graph/api/event-update). Not here: how a backend spells them
(workers/ews/fields, workers/graph/resources).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from workers.event.html_body import canonical_html
from workers.event.plain_body import folded, plain_text
from workers.event.recurrence import as_used, tells_zone, without_zone
from workers.event.zones import UnknownZone, instant, to_windows
from workers.update import Json


@dataclass(frozen=True, slots=True)
class Property:
    """``clearable``: null is allowed. ``member``: how a member of a collection is told from the others.
    ``ews``: whether EWS can write it at all."""

    name: str
    clearable: bool = False
    member: Callable[[Json], str] | None = None
    ews: bool = True


def _address(attendee: Json) -> str:
    """By name where there is no address: a private distribution list has none."""
    known = attendee.get("emailAddress") or {}
    return str(known.get("address") or known.get("name") or "").strip().lower()


def _category(name: Json) -> str:
    return str(name).lower()


def _display_name(location: Json) -> str:
    return str(location.get("displayName") or "").strip().lower()


PROPERTIES: Mapping[str, Property] = {
    prop.name: prop
    for prop in (
        Property("attendees", clearable=True, member=_address),
        Property("body", clearable=True),
        Property("categories", clearable=True, member=_category),
        Property("end"),
        Property("hideAttendees", ews=False),
        Property("importance"),
        Property("isAllDay"),
        Property("isOnlineMeeting", ews=False),
        Property("isReminderOn"),
        Property("location", clearable=True),
        Property("locations", clearable=True, member=_display_name, ews=False),
        Property("onlineMeetingProvider", ews=False),
        Property("recurrence", clearable=True),
        Property("reminderMinutesBeforeStart"),
        Property("responseRequested"),
        Property("sensitivity"),
        Property("showAs"),
        Property("start"),
        Property("subject", clearable=True),
    )
}

EXTENDED = "singleValueExtendedProperties/"
"""Before the id of a single MAPI property (``String {guid} Name x``): each is a property of its own, with a string."""
EXTENSION = "extensions/"
"""Before the name of one of Graph's open extensions: each is a property of its own, with an object."""


def property_of(name: str) -> Property:
    """The row of any property that an intent may touch. Raises KeyError for one that there is not."""
    if name.startswith((EXTENDED, EXTENSION)):
        return Property(name, clearable=True, ews=name.startswith(EXTENDED))
    return PROPERTIES[name]


TIMES = ("start", "end")
"""Always written together: one without the other may change the duration or be refused."""

GROUPS = (frozenset({"start", "end", "isAllDay"}), frozenset({"location", "locations"}))
"""Properties that mean something only together: merged, or in conflict, as one."""


def writable_on(kind: str, name: str) -> bool:
    """Whether a backend of this kind can write the property."""
    return kind == "graph" or property_of(name).ews


def group_of(name: str) -> frozenset[str]:
    """The properties that are merged together with this one, itself included."""
    return next((group for group in GROUPS if name in group), frozenset({name}))


def members(name: str, values: Json) -> dict[str, Json]:
    """A collection by what tells its members apart, in order; None is the empty collection."""
    key = property_of(name).member
    if key is None:
        raise ValueError(f"{name} is not a collection")
    return {key(value): value for value in values or []}


def agrees(name: str, stands: Json, asked: Json) -> bool:
    """Whether the event's value ``stands`` already is what was ``asked``.

    Not symmetric: what Exchange adds of its own (a location's type, an attendee's status) is no difference, and an
    empty value is an unset one. But nothing is added to an open extension, and what is written replaces all of it.
    """
    if name.startswith(EXTENSION):
        return _exactly(_without_nulls(stands), _without_nulls(asked))
    if name == "attendees":
        return _roles(stands) == _roles(asked)
    if property_of(name).member is not None:
        theirs, ours = members(name, stands), members(name, asked)
        plain = _place if name == "locations" else _as_it_is
        return theirs.keys() == ours.keys() and all(_covers(theirs[key], plain(ours[key])) for key in ours)
    if name in TIMES:
        return _same_time(stands, asked)
    if name == "body":
        return _text(stands) == _text(asked) or _is_that_text(stands, asked)
    if name == "recurrence":
        theirs, ours = as_used(stands), as_used(asked, week=None)
        return _covers(theirs, ours if tells_zone(theirs) else without_zone(ours))
    if name == "location":
        asked = _place(asked, tells_type="locationType" in (stands or {}))
    if _empty(stands) and _empty(asked):
        return True
    return _covers(stands, asked)


def _without_nulls(extension: Json) -> Json:
    """An open extension without its nulls: no member, for Graph, is a null one."""
    return {name: value for name, value in extension.items() if value is not None} if extension else extension


def _exactly(stands: Json, asked: Json) -> bool:
    """The same JSON, in which true is not 1."""
    if isinstance(stands, dict) and isinstance(asked, dict):
        return stands.keys() == asked.keys() and all(_exactly(stands[key], asked[key]) for key in asked)
    if isinstance(stands, list) and isinstance(asked, list):
        return len(stands) == len(asked) and all(map(_exactly, stands, asked))
    return isinstance(stands, bool) == isinstance(asked, bool) and bool(stands == asked)


def _as_it_is(value: Json) -> Json:
    return value


def normal_form(name: str, value: Json) -> Json:
    """One spelling of a value, for all that ``agrees`` takes for the same in both directions."""
    if name == "attendees":
        return sorted(_roles(value).items())
    if name == "locations":
        return [_as_people_set_it(place) for _, place in sorted(members(name, value).items())]
    if property_of(name).member is not None:
        return sorted(members(name, value))
    if name in TIMES and value:
        try:
            return [instant(value["dateTime"], value["timeZone"]).isoformat(), to_windows(value["timeZone"])]
        except UnknownZone:
            return value
    if name == "body":
        return list(_text(value))
    if _empty(value):
        return None
    if name == "recurrence":
        return as_used(value)
    return _as_people_set_it(value) if name == "location" else value


_SET_BY_PEOPLE: Mapping[str, tuple[str, ...]] = {
    "displayName": (),
    "address": ("street", "city", "state", "countryOrRegion", "postalCode"),
    "coordinates": ("latitude", "longitude"),
    "locationEmailAddress": (),
    "locationUri": (),
}
"""The parts of a location, and theirs, that are what somebody said; Exchange adds others, and is free to change them
(https://learn.microsoft.com/graph/api/resources/location)."""


def _as_people_set_it(location: Json) -> Json:
    """None where nobody said anything."""
    said = {name: _some(parts, location.get(name)) for name, parts in _SET_BY_PEOPLE.items()}
    return {name: value for name, value in said.items() if not _empty(value)} or None


def _some(parts: tuple[str, ...], value: Json) -> Json:
    return {part: value[part] for part in parts if not _empty(value.get(part))} if isinstance(value, dict) else value


def _place(location: Json, *, tells_type: bool = True) -> Json:
    """A location without what Exchange makes up for itself, and without its type where it does not tell one: EWS has
    none, and a mirror of a room on Graph brings one."""
    passed_over = {"uniqueId", "uniqueIdType"}
    if not tells_type or (location or {}).get("locationType") == "default":
        passed_over.add("locationType")
    return {key: value for key, value in location.items() if key not in passed_over} if location else location


def _roles(attendees: Json) -> dict[str, str]:
    return {key: value.get("type") or "required" for key, value in members("attendees", attendees).items()}


def _same_time(stands: Json, asked: Json) -> bool:
    """The same moment in the same zone, as far as that is told."""
    if stands is None or asked is None:
        return stands is asked
    try:
        if instant(stands["dateTime"], stands["timeZone"]) != instant(asked["dateTime"], asked["timeZone"]):
            return False
    except UnknownZone:
        return bool(stands == asked)
    zones = {to_windows(value["timeZone"]) or value["timeZone"] for value in (stands, asked)}
    return len(zones) == 1 or asks_for_no_zone(asked) or stands.get(OWN_ZONE) == UNTOLD


OWN_ZONE = "ownZone"
"""In a time that stands: why it is told in UTC and not in the zone that the event is kept in. Written back with it, a
time is a moment, and the zone stays what it is."""
UNNAMED, UNTOLD = "unnamed", "untold"
"""The zone has rules of its own and no name; Exchange does not say which it is."""


def shown_change(name: str, change: Mapping[str, Json]) -> dict[str, Json]:
    """A property's values as callers see them: times as Graph spells them, which knows no offset and not why a time is
    told in UTC."""
    return {which: _shown_time(value) if name in TIMES else value for which, value in change.items()}


def _shown_time(time: Json) -> Json:
    if time is None:
        return None
    plain = {key: value for key, value in time.items() if key != OWN_ZONE}
    moment = datetime.fromisoformat(plain["dateTime"])
    if moment.tzinfo is None:
        return plain
    return {**plain, "dateTime": moment.astimezone(UTC).replace(tzinfo=None).isoformat(), "timeZone": "UTC"}


def asks_for_no_zone(time: Json) -> bool:
    """UTC is how both APIs spell a moment; and a wall clock with an offset is one that could not be told without."""
    return to_windows(time["timeZone"]) == "UTC" or datetime.fromisoformat(time["dateTime"]).tzinfo is not None


def _is_that_text(stands: Json, asked: Json) -> bool:
    """Whether HTML that stands is just the plain text that was asked for: Graph shows every body as HTML."""
    if not stands or not asked or (stands.get("contentType"), asked.get("contentType", "text")) != ("html", "text"):
        return False
    return plain_text(str(stands.get("content") or "")) == folded(str(asked.get("content") or ""))


def _text(body: Json) -> tuple[str, ...]:
    body = body or {}
    content = str(body.get("content") or "")
    if body.get("contentType", "text").lower() == "html":
        return ("html", *canonical_html(content))
    stripped = content.replace("\r\n", "\n").strip()
    return ("text", stripped) if stripped else ("html",)


def _empty(value: Json) -> bool:
    if isinstance(value, dict):
        return all(_empty(inner) for inner in value.values())
    return value is None or value == "" or value == []


def _covers(stands: Json, asked: Json) -> bool:
    if _empty(asked):
        return _empty(stands)
    if isinstance(asked, dict):
        return isinstance(stands, dict) and all(_covers(stands.get(key), value) for key, value in asked.items())
    if isinstance(asked, list):
        return (
            isinstance(stands, list)
            and len(stands) == len(asked)
            and all(_covers(theirs, ours) for theirs, ours in zip(stands, asked, strict=True))
        )
    return bool(stands == asked)
