"""The event properties that can be written: one table, and what is true of each.

Names and values are Graph's (https://learn.microsoft.com/graph/api/event-update). Not here: when two values are the
same (agreement), how a backend spells them (workers/ews/fields, workers/graph/resources).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from workers.event.zones import to_windows
from workers.update import BackendKind, Json


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
WATCHED = frozenset(
    {"subject", "body", "start", "end", "isAllDay", "location", "attendees", "categories", "importance", "sensitivity",
     "showAs", "isReminderOn", "reminderMinutesBeforeStart", "recurrence"}
)  # fmt: skip
"""The properties that every event has on every backend."""

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


def writable_on(kind: BackendKind, name: str) -> bool:
    """Whether a backend of this kind can write the property."""
    return kind == "graph" or property_of(name).ews


def group_of(name: str) -> frozenset[str]:
    """The properties that are merged together with this one, itself included."""
    return next((group for group in GROUPS if name in group), frozenset({name}))


def members(name: str, values: Json) -> dict[str, Json]:
    """The members of a collection, in order, each by the key that tells it from the others. None is an empty one."""
    key = property_of(name).member
    if key is None:
        raise ValueError(f"{name} is not a collection")
    return {key(value): value for value in values or []}


OWN_ZONE = "ownZone"
"""A key of ours in a time that was read: why it is told in UTC and not in the zone that the event is kept in. A time
that is written back with this key sets the moment only, and the event keeps its zone."""
UNNAMED, UNTOLD = "unnamed", "untold"
"""The values of OWN_ZONE: the zone has rules of its own and no name, or Exchange does not say which zone it is."""
NOT_KNOWN = "the event is kept in a zone that is not known: name start and end with a time zone"
"""What is said where a day would have to be known in such a zone."""


def shown_change(name: str, change: Mapping[str, Json]) -> dict[str, Json]:
    """A property's values as callers see them. Times are spelt as Graph does: without an offset and without
    OWN_ZONE."""
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
    """Whether only the moment matters: the time is in UTC, which is how both APIs spell a moment, or it has an offset,
    which a wall clock needs only where it shows the same time twice."""
    return to_windows(time["timeZone"]) == "UTC" or datetime.fromisoformat(time["dateTime"]).tzinfo is not None
