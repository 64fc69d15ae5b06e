"""When two values of a property are the same, although Exchange fills in, leaves out and respells what it stores.

``agrees`` compares what stands with what is asked for; ``normal_form`` makes values comparable that both stand. Pure.
Not here: what of a difference is written (patch).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from workers.event.html_body import canonical_html
from workers.event.plain_body import folded, plain_text
from workers.event.properties import EXTENSION, OWN_ZONE, TIMES, UNTOLD, asks_for_no_zone, members, property_of
from workers.event.recurrence import as_used, tells_zone, without_zone
from workers.event.zones import UnknownZone, instant, to_windows
from workers.update import Json


def agrees(name: str, stands: Json, asked: Json) -> bool:
    """Whether the event's value ``stands`` already is what was ``asked``.

    Not symmetric: what Exchange adds of its own (a location's type, an attendee's status) is no difference, and an
    empty value counts as unset. Open extensions are compared exactly: Exchange adds nothing to them, and a write
    replaces the whole extension.
    """
    if name.startswith(EXTENSION):
        return _exactly(_without_nulls(stands), _without_nulls(asked))
    if name == "attendees":
        return _roles(stands) == _roles(asked)
    if property_of(name).member is not None:
        theirs, ours = members(name, stands), members(name, asked)
        if name == "locations":
            ours = {key: _place(location) for key, location in ours.items()}
        return theirs.keys() == ours.keys() and all(_covers(theirs[key], ours[key]) for key in ours)
    if name in TIMES:
        return _same_time(stands, asked)
    if name == "body":
        return _text(stands) == _text(asked) or _is_that_text(stands, asked)
    if name == "recurrence":
        theirs, ours = as_used(stands), as_used(asked, week=None)
        return _covers(theirs, ours if tells_zone(theirs) else without_zone(ours))
    if name == "location":
        asked = _place(asked)
    return _covers(stands, asked)


def _without_nulls(extension: Json) -> Json:
    """An open extension without its nulls: to Graph, a member that is null and one that is missing are the same."""
    return {name: value for name, value in extension.items() if value is not None} if extension else extension


def _exactly(stands: Json, asked: Json) -> bool:
    """Whether both are the same JSON. Python's ``==`` alone would take true for 1. A moment is the same however it is
    spelled: Graph respells those in an open extension
    (https://learn.microsoft.com/graph/api/opentypeextension-update, in its examples)."""
    if isinstance(stands, dict) and isinstance(asked, dict):
        return stands.keys() == asked.keys() and all(_exactly(stands[key], asked[key]) for key in asked)
    if isinstance(stands, list) and isinstance(asked, list):
        return len(stands) == len(asked) and all(map(_exactly, stands, asked))
    if isinstance(stands, str) and isinstance(asked, str):
        return (_moment(stands) or stands) == (_moment(asked) or asked)
    return isinstance(stands, bool) == isinstance(asked, bool) and bool(stands == asked)


def _moment(text: str) -> datetime | None:
    """The moment that a text spells, with its offset from UTC; None where it is any other text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def normal_form(name: str, value: Json) -> Json:
    """The same for all values that agree with each other in both directions."""
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
"""The parts of a location that people set, and of each the parts that count. Exchange adds others and may change those
(https://learn.microsoft.com/graph/api/resources/location)."""


def _as_people_set_it(location: Json) -> Json:
    """A location without what Exchange adds; None where people have set nothing."""
    said = {name: _some(parts, location.get(name)) for name, parts in _SET_BY_PEOPLE.items()}
    return {name: value for name, value in said.items() if not _empty(value)} or None


def _some(parts: tuple[str, ...], value: Json) -> Json:
    return {part: value[part] for part in parts if not _empty(value.get(part))} if isinstance(value, dict) else value


_MADE_UP = frozenset({"locationType", "uniqueId", "uniqueIdType"})
"""The parts of a location that Exchange makes up, whatever is asked for: Graph calls the type read-only, EWS has none
(https://learn.microsoft.com/graph/api/resources/location)."""


def _place(location: Json) -> Json:
    """A location that is asked for, without the parts that need not agree."""
    return {key: value for key, value in location.items() if key not in _MADE_UP} if location else location


def _roles(attendees: Json) -> dict[str, str]:
    return {key: value.get("type") or "required" for key, value in members("attendees", attendees).items()}


def _same_time(stands: Json, asked: Json) -> bool:
    """Whether both are the same moment in the same zone, where both tell their zones."""
    if stands is None or asked is None:
        return stands is asked
    try:
        if instant(stands["dateTime"], stands["timeZone"]) != instant(asked["dateTime"], asked["timeZone"]):
            return False
    except UnknownZone:
        return bool(stands == asked)
    zones = {to_windows(value["timeZone"]) or value["timeZone"] for value in (stands, asked)}
    return len(zones) == 1 or asks_for_no_zone(asked) or stands.get(OWN_ZONE) == UNTOLD


def _is_that_text(stands: Json, asked: Json) -> bool:
    """Whether the HTML that stands says just the plain text that was asked for: Graph shows every body as HTML."""
    if not stands or not asked or (stands.get("contentType"), asked.get("contentType", "text")) != ("html", "text"):
        return False
    return plain_text(str(stands.get("content") or "")) == folded(str(asked.get("content") or ""))


def _text(body: Json) -> tuple[str, ...]:
    """What of a body is compared: its format and its content as a reader sees it. An empty text is empty HTML."""
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
    """Whether everything that is asked for stands; what stands besides is no difference."""
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
