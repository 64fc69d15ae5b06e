"""GetItem: an event as it stands.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/getitem-operation-calendar-item
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from lxml import etree

from workers.event.properties import EXTENDED, EXTENSION, TIMES
from workers.ews import extended
from workers.ews.change import Change, path_of
from workers.ews.fields import FIELDS, Field, extended_field, known, moment_of
from workers.ews.soap import Answer, NotAnAnswer, element, find, find_all, qualified, text_of
from workers.exchange import EXCEPTIONS, Event, Refused, marker_of
from workers.settings import ServerVersion
from workers.update import Json, Target

NAME = "GetItem"
IS_MEETING = "calendar:IsMeeting"
KIND = "calendar:CalendarItemType"
ORIGINAL = "calendar:OriginalStart"


@dataclass(frozen=True, slots=True)
class EwsEvent(Event):
    """An event, and what a later write to its times has to know besides; only where those were asked for."""

    kind: str = ""
    """Exchange's CalendarItemType: Single, Occurrence, Exception or RecurringMaster."""
    series: Json = None
    """How it recurs."""


def build(target: Target, properties: Collection[str], version: ServerVersion) -> etree._Element:
    """The request for these properties, the marker and whether it is a meeting; nothing else is fetched.

    An occurrence that is named by its start has to be found first (locate). Raises Refused, Unwritable.
    """
    uris = _uris(properties, version)
    return request((*uris, ORIGINAL) if target.occurrence else uris, _id(target))


def build_many(ids: Iterable[str], properties: Collection[str], version: ServerVersion) -> etree._Element:
    """The request for the same of many items, each of which is answered by a response message of its own."""
    return request(_uris(properties, version), *(element("t:ItemId", Id=item_id) for item_id in ids))


def request(uris: Iterable[str], *ids: etree._Element) -> etree._Element:
    """The request for these paths of these items."""
    return element("m:GetItem", deepcopy(_shape(tuple(uris))), element("m:ItemIds", *ids))


@lru_cache(maxsize=256)
def _shape(uris: tuple[str, ...]) -> etree._Element:
    """The largest part of a request, and nearly always the same. It has to be copied, because an element can only be in
    one place."""
    return element(
        "m:ItemShape",
        element("t:BaseShape", "IdOnly"),
        element("t:BodyType", "Best"),
        element("t:AdditionalProperties", *(path_of(uri) for uri in uris)),
    )


def check(properties: Collection[str]) -> None:
    """Raise Refused, naming the property, for one that Exchange Web Services do not have."""
    wanted(properties)


def read(answer: Answer, properties: Collection[str]) -> EwsEvent:
    """The event. Raises NotAnAnswer if a success holds none that can be read, Refused if the id names something else
    than an event."""
    item = item_of(answer)
    if item.tag != qualified("t:CalendarItem"):
        raise Refused("NotAnEvent", f"the id names a {etree.QName(item).localname}, not an event")
    try:
        fields = _read_with(properties)
        values = {field.name: field.read(item) for field in fields}
    except (ValueError, KeyError, OverflowError) as error:
        raise NotAnAnswer(f"a value of the event cannot be read: {error}") from None
    item_id, version = id_of(item)
    is_meeting = (text_of(item, "t:IsMeeting") or "").strip() in ("true", "1")
    is_meeting = is_meeting or bool(values.get("attendees"))
    kind, series = (kind_of(item), _series(item)) if _of_times(fields) else ("", None)
    return EwsEvent(item_id, version, is_meeting, _marker(item), values, kind, series, original=_original(item))


def wanted(properties: Collection[str]) -> list[Field]:
    """The properties in the table's order, then the extended ones; start and end only together. Raises Refused naming
    one that EWS lacks."""
    asked = {*properties, *(TIMES if not set(TIMES).isdisjoint(properties) else ())}
    return [*(field for field in FIELDS.values() if field.name in asked), *map(_other, sorted(asked - FIELDS.keys()))]


def _read_with(properties: Collection[str]) -> list[Field]:
    """What has to be read for these: a recurrence says little without the start that it counts from."""
    return wanted({*properties, *TIMES} if "recurrence" in properties else properties)


def _uris(properties: Collection[str], version: ServerVersion) -> tuple[str, ...]:
    fields = _read_with(properties)
    uris = [uri for field in fields for uri in field.uris]
    if _of_times(fields):
        uris += [KIND, *FIELDS["isAllDay"].uris, *FIELDS["recurrence"].uris]
    return (*(uri for uri in dict.fromkeys(uris) if known(uri, version)), IS_MEETING, extended.MARKER)


def _other(name: str) -> Field:
    """A property that is not in the table. Raises Refused."""
    if name == EXCEPTIONS:
        return Field(name, ("calendar:ModifiedOccurrences",), _exceptions, _unwritable)
    if name.startswith(EXTENSION):
        why = "Exchange Web Services has no open extensions; use singleValueExtendedProperties"
        raise Refused("NotOnEws", f"{name}: {why}")
    if not name.startswith(EXTENDED):
        raise Refused("NotOnEws", f"{name}: Exchange Web Services has no such property")
    try:
        return extended_field(name)
    except ValueError as error:
        raise Refused("InvalidValue", f"{name}: {error}") from None


def item_of(answer: Answer) -> etree._Element:
    """The item in a successful response message. Raises NotAnAnswer."""
    items = answer.find("m:Items")
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


def kind_of(item: etree._Element) -> str:
    """Exchange's CalendarItemType; empty if it is not told."""
    return (text_of(item, "t:CalendarItemType") or "").strip()


def _of_times(fields: Iterable[Field]) -> bool:
    return any(field.name in TIMES for field in fields)


def _original(item: etree._Element) -> datetime | None:
    """When it was to start; None for what is no meeting of a series, and where it was not asked for."""
    with suppress(ValueError):
        return moment_of(text_of(item, "t:OriginalStart") or "")
    return None


def _series(item: etree._Element) -> Json:
    """How the event recurs; None also for what calendars do not have."""
    with suppress(ValueError, KeyError):
        return FIELDS["recurrence"].read(item)
    return None


def _exceptions(item: etree._Element) -> Json:
    """By their ids only."""
    return [{"id": id_of(found)[0]} for found in find_all(item, "t:ModifiedOccurrences/t:Occurrence")]


def _unwritable(_value: Json, _before: Json) -> list[Change]:
    raise ValueError("it can be read and not written")


def _id(target: Target) -> etree._Element:
    if target.occurrence is None:
        return element("t:ItemId", Id=target.event)
    if target.occurrence.index is None:
        raise ValueError("an occurrence that is named by its start has to be found first")
    return element("t:OccurrenceItemId", RecurringMasterId=target.event, InstanceIndex=str(target.occurrence.index))


def _marker(item: etree._Element) -> tuple[str, ...]:
    return marker_of(extended.read(item, extended.MARKER))
