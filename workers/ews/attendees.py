"""Attendees: Graph's one list, Exchange's three collections.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/requiredattendees
(and optionalattendees, resources); https://learn.microsoft.com/graph/api/resources/attendee
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lxml import etree

from workers.ews.change import Change, tag
from workers.ews.soap import element, find_all, text_of
from workers.update import Json

COLLECTIONS: Mapping[str, str] = {
    "required": "calendar:RequiredAttendees",
    "optional": "calendar:OptionalAttendees",
    "resource": "calendar:Resources",
}
_RESPONSES = {
    "Unknown": "none",
    "Organizer": "organizer",
    "Tentative": "tentativelyAccepted",
    "Accept": "accepted",
    "Decline": "declined",
    "NoResponseReceived": "notResponded",
}
_ROUTING = "routingType"
"""A key of ours in an address that is none for mail (a fax, Notes): what else has to be written back of it."""
_WORDS = {ours: theirs for theirs, ours in _RESPONSES.items() if ours not in ("none", "organizer")}


def read(item: etree._Element) -> list[Json]:
    """The members of the three collections, in their order, as Graph's attendees."""
    return [
        _attendee(kind, member)
        for kind, uri in COLLECTIONS.items()
        for member in find_all(item, f"{tag(uri)}/t:Attendee")
    ]


def write(value: Json, before: Json) -> list[Change]:
    """The collections that differ from ``before`` (None: not known, so all).

    A collection is sent as a whole, because Exchange replaces it (Microsoft's own page does the same); attendees who
    stay keep the name and the answer that Exchange has. A personal distribution list has no address to be written back
    by: where others only join it, they alone are appended, and nothing is lost by it, since the write is against the
    version that ``before`` was read from. Raises ValueError rather than dropping somebody who has no address.
    """
    known = None if before is None else _by_kind(before)
    stands = {_address(member): member for member in before or []}
    changes = []
    for kind, members in _by_kind(value or []).items():
        present = {} if known is None else known[kind]
        if known is not None and present.keys() == members.keys():
            continue
        joining = "" in present and present.keys() <= members.keys()
        sent = [_element(members[key], stands) for key in members if not (joining and key in present)]
        uri = COLLECTIONS[kind]
        changes.append(Change(uri, element(tag(uri), *sent) if sent else None, append=joining))
    return changes


def _by_kind(attendees: Iterable[Json]) -> dict[str, dict[str, Json]]:
    found: dict[str, dict[str, Json]] = {kind: {} for kind in COLLECTIONS}
    for member in attendees:
        kind = member.get("type") or "required"
        if kind not in found:
            raise ValueError(f"{kind!r} is no type of attendee")
        found[kind].setdefault(_address(member), member)
    return found


def _address(member: Json) -> str:
    return str(member["emailAddress"].get("address") or "").lower()


def _element(member: Json, stands: Mapping[str, Json]) -> etree._Element:
    email = member["emailAddress"]
    address = email.get("address")
    if not address:
        raise ValueError(f"the member {email.get('name')!r} has no address and cannot be written back")
    known = stands.get(address.lower()) or {"emailAddress": {}}
    name = known["emailAddress"].get("name") or email.get("name")
    mailbox = element(
        "t:Mailbox",
        element("t:Name", name) if name else None,
        element("t:EmailAddress", address),
        element("t:RoutingType", known["emailAddress"].get(_ROUTING) or _routing(address)),
    )
    return element("t:Attendee", mailbox, *_answer(known.get("status") or {}))


def _answer(status: Mapping[str, Json]) -> list[etree._Element]:
    """What somebody has answered, and when. It is sent back, because Exchange could forget it when the collection is
    replaced."""
    word = _WORDS.get(status.get("response", ""))
    if word is None:
        return []
    when = status.get("time")
    return [element("t:ResponseType", word), *([element("t:LastResponseTime", when)] if when else [])]


def _routing(address: str) -> str:
    """What an address looks like. A legacy Exchange DN is what members have whose mailbox is gone; as an SMTP address
    it would be refused."""
    return "EX" if address.lower().startswith("/o=") else "SMTP"


def _attendee(kind: str, member: etree._Element) -> Json:
    response = text_of(member, "t:ResponseType") or "Unknown"
    address, routing = (text_of(member, f"t:Mailbox/t:{name}") for name in ("EmailAddress", "RoutingType"))
    unusual = {_ROUTING: routing} if routing and address and routing.upper() != _routing(address) else {}
    return {
        "type": kind,
        "emailAddress": {"address": address, "name": text_of(member, "t:Mailbox/t:Name"), **unusual},
        "status": {"response": _RESPONSES.get(response, "none"), "time": text_of(member, "t:LastResponseTime")},
    }
