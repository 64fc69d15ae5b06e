"""The properties of an event in Exchange Web Services: one table, Graph's name beside Exchange's field.

Fields, elements and their order:
https://learn.microsoft.com/exchange/client-developer/web-service-reference/calendaritem What can be unset:
https://learn.microsoft.com/dotnet/api/microsoft.exchange.webservices.data.appointmentschema

Values are Graph's JSON on one side, elements on the other; both directions of a row stand next to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import get_args

from lxml import etree

from workers.event.properties import OWN_ZONE, UNNAMED, UNTOLD
from workers.event.zones import UnknownZone, instant, to_windows, wall_clock
from workers.ews import attendees, extended, location, recurrence
from workers.ews.change import Change, tag
from workers.ews.soap import element, find, text_of
from workers.settings import ServerVersion
from workers.update import Json

Render = Callable[[str, Json], etree._Element]
Read = Callable[[etree._Element], Json]


@dataclass(frozen=True, slots=True)
class Field:
    """One row. ``read`` takes the CalendarItem and gives the property's value, None (of members []) where it is unset.
    ``write`` takes the new value and the one before (None: not known) and raises ValueError for what Exchange cannot
    hold."""

    name: str
    uris: tuple[str, ...]
    read: Read
    write: Callable[[Json, Json], list[Change]]


def _plain(name: str, uri: str, render: Render, read: Read, *, deletable: bool = False) -> Field:
    def read_item(item: etree._Element) -> Json:
        found = find(item, tag(uri))
        return None if found is None else read(found)

    def write(value: Json, _: Json) -> list[Change]:
        if value is not None:
            return [Change(uri, render(tag(uri), value))]
        if not deletable:
            raise ValueError("Exchange Web Services cannot unset it")
        return [Change(uri)]

    return Field(name, (uri,), read_item, write)


def _text(name: str, uri: str) -> Field:
    return _plain(name, uri, element, lambda found: found.text or "", deletable=True)


def _flag(name: str, uri: str) -> Field:
    def render(name: str, value: Json) -> etree._Element:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is neither true nor false")
        return element(name, "true" if value else "false")

    return _plain(name, uri, render, lambda found: (found.text or "").strip() in ("true", "1"))


def _number(name: str, uri: str) -> Field:
    def render(name: str, value: Json) -> etree._Element:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2629800:
            raise ValueError(f"{value!r} is not a whole number of minutes from 0 to 2629800")
        return element(name, str(value))

    return _plain(name, uri, render, lambda found: int(found.text or "0"))


def _word(name: str, uri: str, words: Mapping[str, str]) -> Field:
    """An enumeration: Graph's word → Exchange's. A word that only Exchange has becomes Graph's ``unknown``."""
    back = {theirs: ours for ours, theirs in words.items()}

    def render(name: str, value: Json) -> etree._Element:
        if value not in words:
            raise ValueError(f"{value!r} is none of {', '.join(words)}")
        return element(name, words[value])

    return _plain(name, uri, render, lambda found: back.get((found.text or "").strip(), "unknown"))


def _body(name: str, uri: str) -> Field:
    """The format stays: text is text and html is html, in both directions."""

    def render(name: str, value: Json) -> etree._Element:
        kind = {"html": "HTML", "text": "Text"}.get(str(value.get("contentType") or "text").lower())
        if kind is None:
            raise ValueError(f"contentType {value['contentType']!r} is neither text nor html")
        return element(name, value.get("content") or "", BodyType=kind)

    def read(found: etree._Element) -> Json:
        return {"contentType": "html" if found.get("BodyType") == "HTML" else "text", "content": found.text or ""}

    return _plain(name, uri, render, read, deletable=True)


def _categories(name: str, uri: str) -> Field:
    def read(item: etree._Element) -> Json:
        found = find(item, tag(uri))
        return [] if found is None else [value.text or "" for value in found]

    def write(value: Json, _: Json) -> list[Change]:
        made = [element("t:String", category) for category in value or []]
        return [Change(uri, element(tag(uri), *made) if made else None)]

    return Field(name, (uri,), read, write)


def _time(name: str, uri: str, zone_uri: str) -> Field:
    """A moment and the zone that it is kept in; one that has no name, or is not told, is left alone.

    The zone goes first: changed alone it would move the moment.
    """

    def read(item: etree._Element) -> Json:
        text = text_of(item, tag(uri))
        if not text:
            return None
        zone = zone_of(item, zone_uri) or zone_of(item, START_ZONE)
        shown = {"dateTime": _shown(item, moment_of(text, zone or "UTC"), zone or "UTC"), "timeZone": zone or "UTC"}
        if zone is not None:
            return shown
        is_told = any(find(item, tag(uri)) is not None for uri in (zone_uri, START_ZONE))
        return {**shown, OWN_ZONE: UNNAMED if is_told else UNTOLD}

    def write(value: Json, _: Json) -> list[Change]:
        if value is None:
            raise ValueError("an event cannot be without it")
        zone = to_windows(value["timeZone"])
        if zone is None:
            raise UnknownZone(value["timeZone"])
        moment = instant(value["dateTime"], value["timeZone"]).isoformat(timespec="seconds").replace("+00:00", "Z")
        zones = [] if OWN_ZONE in value else [Change(zone_uri, element(tag(zone_uri), Id=zone))]
        return [*zones, Change(uri, element(tag(uri), moment))]

    return Field(name, (uri, zone_uri), read, write)


def zone_of(item: etree._Element, uri: str) -> str | None:
    """The Windows name of a zone field; None where the item has none or one with rules of its own."""
    found = find(item, tag(uri))
    return None if found is None else to_windows(found.get("Id", ""))


def _shown(item: etree._Element, moment: datetime, zone: str) -> str:
    """What the clock shows; of whole days midnight, also where clocks go forward then and a day begins at one."""
    shown = wall_clock(moment, zone)
    midnight = f"{shown[:10]}T00:00:00"
    return midnight if FIELDS["isAllDay"].read(item) and instant(midnight, zone) == moment else shown


def moment_of(text: str, zone: str = "UTC") -> datetime:
    """An xs:dateTime; one without an offset is in the zone, which is that of its field, or the one that we ask in.
    Raises ValueError."""
    given = datetime.fromisoformat(text.strip())
    return instant(text.strip(), zone) if given.tzinfo is None else given


def _recurrence(name: str, uri: str) -> Field:
    def read(item: etree._Element) -> Json:
        found = find(item, tag(uri))
        return None if found is None else recurrence.read(found, zone_of(item, START_ZONE))

    def write(value: Json, _: Json) -> list[Change]:
        return [Change(uri, None if value is None else recurrence.render(value))]

    return Field(name, (uri, START_ZONE), read, write)


START_ZONE, END_ZONE = "calendar:StartTimeZone", "calendar:EndTimeZone"

FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        _text("subject", "item:Subject"),
        _word(
            "sensitivity",
            "item:Sensitivity",
            {"normal": "Normal", "personal": "Personal", "private": "Private", "confidential": "Confidential"},
        ),
        _body("body", "item:Body"),
        _categories("categories", "item:Categories"),
        _word("importance", "item:Importance", {"low": "Low", "normal": "Normal", "high": "High"}),
        _flag("isReminderOn", "item:ReminderIsSet"),
        _number("reminderMinutesBeforeStart", "item:ReminderMinutesBeforeStart"),
        _time("start", "calendar:Start", START_ZONE),
        _time("end", "calendar:End", END_ZONE),
        _flag("isAllDay", "calendar:IsAllDayEvent"),
        _word(
            "showAs",
            "calendar:LegacyFreeBusyStatus",
            {
                "free": "Free",
                "tentative": "Tentative",
                "busy": "Busy",
                "oof": "OOF",
                "workingElsewhere": "WorkingElsewhere",
                "unknown": "NoData",
            },
        ),
        Field("location", (location.TEXT, location.ENHANCED), location.read, location.write),
        _flag("responseRequested", "calendar:IsResponseRequested"),
        Field("attendees", tuple(attendees.COLLECTIONS.values()), attendees.read, attendees.write),
        _recurrence("recurrence", "calendar:Recurrence"),
    )
}
"""In the order of CalendarItem's elements."""

VERSIONS: tuple[ServerVersion, ...] = get_args(ServerVersion)
_SINCE: Mapping[str, ServerVersion] = {
    START_ZONE: "Exchange2010",
    END_ZONE: "Exchange2010",
    location.ENHANCED: "Exchange2013",
}


def extended_field(name: str) -> Field:
    """The row of an extended property (``singleValueExtendedProperties/`` and its id). Raises ValueError for an id
    that is none."""
    extended.check(name)
    return Field(name, (name,), partial(extended.read, name=name), lambda value, _: extended.write(name, value))


def known(uri: str, version: ServerVersion) -> bool:
    """Whether the schema of this version has the field. A field that is not in the schema would fail the whole request.

    Exchange 2007 keeps no zone that could be read or written this way: there, times are shown in UTC and an event's
    zone stays what it is.
    """
    return not older(version, _SINCE.get(uri, VERSIONS[0]))


def older(version: ServerVersion, than: ServerVersion) -> bool:
    """Whether this version of the schema came before that one."""
    return VERSIONS.index(version) < VERSIONS.index(than)
