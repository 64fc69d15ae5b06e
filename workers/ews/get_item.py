"""GetItem: an event as it stands.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/getitem-operation-calendar-item
"""

from __future__ import annotations

from collections.abc import Collection

from lxml import etree

from workers.ews.change import marker_path
from workers.ews.fields import FIELDS, known
from workers.ews.soap import Answer, NotAnAnswer, element, find, find_all, qualified, text_of
from workers.exchange import MARKER_GUID, MARKER_NAME, Event, Refused
from workers.properties import TIMES
from workers.update import Target

NAME = "GetItem"
IS_MEETING = "calendar:IsMeeting"


def build(target: Target, properties: Collection[str], version: str) -> etree._Element:
    """The request for these properties, the marker and whether it is a meeting; nothing else is fetched.

    Raises Refused for an occurrence that is named by its start: EWS knows occurrences by number only.
    """
    uris = dict.fromkeys(uri for name in wanted(properties) for uri in FIELDS[name].uris if known(uri, version))
    paths = [element("t:FieldURI", FieldURI=uri) for uri in (*uris, IS_MEETING)]
    shape = element(
        "m:ItemShape",
        element("t:BaseShape", "IdOnly"),
        element("t:BodyType", "Best"),
        element("t:AdditionalProperties", *paths, marker_path()),
    )
    return element("m:GetItem", shape, element("m:ItemIds", _id(target)))


def read(answer: Answer, properties: Collection[str]) -> Event:
    """The event. Raises NotAnAnswer where a success holds none that can be read, Refused where the id names something
    else than an event."""
    item = item_of(answer)
    if item.tag != qualified("t:CalendarItem"):
        raise Refused("NotAnEvent", f"the id names a {etree.QName(item).localname}, not an event")
    try:
        values = {name: FIELDS[name].read(item) for name in wanted(properties)}
    except (ValueError, KeyError) as error:
        raise NotAnAnswer(f"a value of the event cannot be read: {error}") from None
    item_id, version = id_of(item)
    is_meeting = (text_of(item, "t:IsMeeting") or "").strip() in ("true", "1")
    return Event(item_id, version, is_meeting or bool(values.get("attendees")), _marker(item), values)


def wanted(properties: Collection[str]) -> list[str]:
    """The properties in the table's order; start and end only together. Raises Refused naming one that EWS lacks."""
    asked = {*properties, *(TIMES if not set(TIMES).isdisjoint(properties) else ())}
    if lacking := sorted(asked - FIELDS.keys()):
        raise Refused("NotOnEws", f"{lacking[0]}: Exchange Web Services has no such property")
    return [name for name in FIELDS if name in asked]


def item_of(answer: Answer) -> etree._Element:
    """The item in a successful response message. Raises NotAnAnswer."""
    items = None if answer.element is None else find(answer.element, "m:Items")
    if items is None or not len(items):
        raise NotAnAnswer("the response message holds no item")
    return items[0]


def id_of(item: etree._Element) -> tuple[str, str]:
    """The item's id and its ChangeKey. Raises NotAnAnswer."""
    found = find(item, "t:ItemId")
    item_id, version = (None, None) if found is None else (found.get("Id"), found.get("ChangeKey"))
    if not item_id or not version:
        raise NotAnAnswer("the item has no ItemId with a ChangeKey")
    return item_id, version


def _id(target: Target) -> etree._Element:
    if target.occurrence is None:
        return element("t:ItemId", Id=target.event)
    if target.occurrence.index is None:
        raise Refused(
            "NotOnEws", "occurrence: Exchange Web Services finds an occurrence by its index, not by its start"
        )
    return element("t:OccurrenceItemId", RecurringMasterId=target.event, InstanceIndex=str(target.occurrence.index))


def _marker(item: etree._Element) -> tuple[str, ...]:
    for found in find_all(item, "t:ExtendedProperty"):
        path = find(found, "t:ExtendedFieldURI")
        if (
            path is not None
            and path.get("PropertyName") == MARKER_NAME
            and path.get("PropertySetId", "").lower() == MARKER_GUID
        ):
            return tuple((text_of(found, "t:Value") or "").split())
    return ()
