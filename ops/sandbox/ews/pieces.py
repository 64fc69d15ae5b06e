"""From pieces to a change: what a client wrote, given the event that it is written to. Pure.

Times: https://learn.microsoft.com/exchange/client-developer/exchange-web-services/time-zones-and-ews-in-exchange.
A value with an offset is a moment; one without is a wall clock in the item's zone, else in the TimeZoneContext's, else
UTC, and to Exchange 2007 always in UTC. A zone alone keeps the wall clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ops.sandbox.call import Json
from ops.sandbox.event import Event
from ops.sandbox.ews.soap import ItemError, schema_fault
from ops.sandbox.ews.values import Pieces
from ops.sandbox.zones import wall_clock

_OLD = "Exchange2007"
KINDS = ("required", "optional", "resource")


def combined(pieces: Pieces, event: Event | None, version: str, context: str | None) -> dict[str, Json]:
    """Graph's properties. ``event`` None: a new item."""
    plain = {name: value for name, value in pieces.items() if "/" not in name and name not in _TIMES}
    for extra in [name for name in plain if name.endswith("+")]:
        del plain[extra]
    times = _times(pieces, event, version, context)
    return {**plain, **_body(pieces, event), **_attendees(pieces, event), **times}


_TIMES = frozenset({"start", "end", "startZone", "endZone"})


def _body(pieces: Pieces, event: Event | None) -> Pieces:
    added = pieces.get("body+")
    if added is None:
        return {}
    held = pieces.get("body") or (event["body"] if event else added)
    if held["content"] and held["contentType"] != added["contentType"]:
        raise ItemError(
            "ErrorInvalidPropertyAppend", "The body to append is not in the format of the body that is there."
        )
    return {"body": {"contentType": added["contentType"], "content": held["content"] + added["content"]}}


def _attendees(pieces: Pieces, event: Event | None) -> Pieces:
    if not any(name.startswith("attendees/") for name in pieces):
        return {}
    held: list[Json] = list(event["attendees"]) if event else []
    invited = []
    for kind in KINDS:
        invited += pieces.get(f"attendees/{kind}", [one for one in held if one["type"] == kind])
        invited += pieces.get(f"attendees/{kind}+", [])
    return {"attendees": invited}


def _times(pieces: Pieces, event: Event | None, version: str, context: str | None) -> Pieces:
    """New starts and ends, and for all-day events their midnights."""
    times: Pieces = {}
    for name in ("start", "end"):
        zone = _zone(pieces, event, name, version, context)
        if name in pieces:
            times[name] = {"dateTime": _wall(pieces[name], zone, version), "timeZone": zone}
        elif f"{name}Zone" in pieces and event is not None:
            times[name] = {"dateTime": event[name]["dateTime"], "timeZone": zone}
    if pieces.get("isAllDay", event["isAllDay"] if event else False):
        for name in ("start", "end"):
            held = times.get(name) or (event[name] if event else None)
            if held is not None:
                times[name] = {**held, "dateTime": _midnight(held["dateTime"], up=name == "end")}
    return times


def _zone(pieces: Pieces, event: Event | None, name: str, version: str, context: str | None) -> str:
    """The zone that a start or end is kept in."""
    if f"{name}Zone" in pieces:
        return str(pieces[f"{name}Zone"])
    if event is not None:
        return str(event[name]["timeZone"])
    return "UTC" if version.startswith(_OLD) else context or "UTC"


def _wall(text: str, zone: str, version: str) -> str:
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError as bad:
        raise schema_fault(0, f"The value '{text}' is invalid according to its data type 'dateTime'.") from bad
    if given.tzinfo is None and version.startswith(_OLD):
        given = given.replace(tzinfo=UTC)
    return wall_clock(given, zone) if given.tzinfo else given.replace(microsecond=0).isoformat()


def _midnight(wall: str, *, up: bool) -> str:
    given = datetime.fromisoformat(wall)
    midnight = given.replace(hour=0, minute=0, second=0)
    return (midnight + timedelta(days=1) if up and given != midnight else midnight).isoformat()
