"""Graph's paths: whose calendar, which calendar, which event.

https://learn.microsoft.com/graph/api/event-update#http-request. Segment names have no case; ids have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Resource = Literal["events", "supportedTimeZones", "extensions", "translateExchangeIds", "delta"]
_OF_PEOPLE: Mapping[tuple[str, ...], Resource] = {
    ("outlook", "supportedtimezones"): "supportedTimeZones",
    ("translateexchangeids",): "translateExchangeIds",
    ("calendarview", "delta"): "delta",
}
"""What people have and groups have not, by the segments behind the owner."""


class Unrouted(Exception):
    """No such path; the message names the segment."""


@dataclass(frozen=True, slots=True)
class Route:
    """``owner``: ``me``, or an address or id. ``calendar``: None is any calendar, ``""`` the default one. ``group``:
    a calendar group's id, ``""`` the default one. ``event``: None is the collection; ids in Graph's spelling."""

    kind: Literal["me", "users", "groups"]
    owner: str
    calendar: str | None = None
    group: str | None = None
    event: str | None = None
    resource: Resource = "events"
    extension: str | None = None
    """One of the event's open extensions; None is their collection."""


def parse(path: str) -> Route:
    """The route of a path without the version; ``Unrouted``."""
    segments = [segment for segment in path.split("/") if segment]
    kind, owner, rest = _owner(segments)
    resource = _OF_PEOPLE.get(tuple(segment.lower().partition("(")[0] for segment in rest))
    if resource is not None and kind != "groups":
        return Route(kind, owner, resource=resource)
    group, calendar, rest = _calendar(rest)
    if kind == "groups" and calendar:
        raise Unrouted("Resource not found for the segment 'calendars'.")
    if not rest and calendar is None and group is None:
        raise Unrouted("Only calendars and events are here.")
    if rest[:1] and rest[0].lower() == "events" and len(rest) <= 2:
        return Route(kind, owner, calendar, group, rest[1] if len(rest) == 2 else None)
    if len(rest) in (3, 4) and rest[0].lower() == "events" and rest[2].lower() == "extensions":
        name = rest[3] if len(rest) == 4 else None
        return Route(kind, owner, calendar, group, rest[1], "extensions", name)
    raise Unrouted(f"Resource not found for the segment '{rest[0] if rest else path}'.")


def _owner(segments: list[str]) -> tuple[Literal["me", "users", "groups"], str, list[str]]:
    match [segment.lower() for segment in segments[:2]]:
        case ["me", *_]:
            return "me", "me", segments[1:]
        case ["users", _]:
            return "users", segments[1], segments[2:]
        case ["groups", _]:
            return "groups", segments[1], segments[2:]
    raise Unrouted(f"Resource not found for the segment '{segments[0] if segments else ''}'.")


def _calendar(rest: list[str]) -> tuple[str | None, str | None, list[str]]:
    match [segment.lower() for segment in rest]:
        case ["calendar", *_]:
            return None, "", rest[1:]
        case ["calendars", _, *_]:
            return None, rest[1], rest[2:]
        case ["calendargroup", "calendars", _, *_]:
            return "", rest[2], rest[3:]
        case ["calendargroups", _, "calendars", _, *_]:
            return rest[1], rest[3], rest[4:]
    return None, None, rest
