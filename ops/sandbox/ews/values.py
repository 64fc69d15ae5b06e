"""Values of a calendar item's elements, shown and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from ops.sandbox.call import Json
from ops.sandbox.event import Event
from ops.sandbox.ews.soap import NS, Element, T, schema_fault
from ops.sandbox.zones import UnknownZone, windows_name

Pieces: TypeAlias = dict[str, Json]
Show: TypeAlias = Callable[[Event], "Element | str | None"]
Read: TypeAlias = Callable[[Element], Pieces]

SENSITIVITY = {"normal": "Normal", "personal": "Personal", "private": "Private", "confidential": "Confidential"}
IMPORTANCE = {"low": "Low", "normal": "Normal", "high": "High"}
SHOW_AS = {
    "free": "Free", "tentative": "Tentative", "busy": "Busy", "oof": "OOF", "workingElsewhere": "WorkingElsewhere",
    "unknown": "NoData",
}  # fmt: skip


def text(name: str) -> Read:
    return lambda element: {name: element.text or ""}


def flag(name: str) -> Read:
    def read(element: Element) -> Pieces:
        value = {"true": True, "1": True, "false": False, "0": False}.get((element.text or "").strip())
        if value is None:
            raise schema_fault(element.sourceline or 0, f"The value '{element.text}' is invalid for a boolean.")
        return {name: value}

    return read


def choice(name: str, choices: Mapping[str, str]) -> Read:
    def read(element: Element) -> Pieces:
        for ours, theirs in choices.items():
            if theirs == element.text:
                return {name: ours}
        raise schema_fault(
            element.sourceline or 0, f"The value '{element.text}' is invalid: The Enumeration constraint failed."
        )

    return read


def minutes(element: Element) -> Pieces:
    if not (element.text or "").strip().isdigit():
        raise schema_fault(
            element.sourceline or 0, f"The value '{element.text}' is invalid for ReminderMinutesBeforeStart."
        )
    return {"reminderMinutesBeforeStart": int(element.text or "0")}


def body(element: Element) -> Pieces:
    kind = {"Text": "text", "HTML": "html"}.get(element.get("BodyType", ""))
    if kind is None:
        raise schema_fault(element.sourceline or 0, "The 'BodyType' attribute is invalid.")
    return {"body": {"contentType": kind, "content": element.text or ""}}


def show_body(event: Event) -> Element:
    return T.Body(event["body"]["content"], BodyType="Text" if event["body"]["contentType"] == "text" else "HTML")


def categories(element: Element) -> Pieces:
    return {"categories": [child.text or "" for child in element]}


def zone(name: str) -> Read:
    def read(element: Element) -> Pieces:
        try:
            return {name: windows_name(element.get("Id", ""))}
        except UnknownZone as unknown:
            raise schema_fault(
                element.sourceline or 0, f"The time zone '{element.get('Id')}' is not known."
            ) from unknown

    return read


def attendees(kind: str) -> Read:
    def read(element: Element) -> Pieces:
        return {f"attendees/{kind}": [_attendee(child, kind) for child in element.findall("t:Attendee", NS)]}

    return read


def _attendee(element: Element, kind: str) -> Json:
    address = element.findtext("t:Mailbox/t:EmailAddress", "", NS).strip()
    name = element.findtext("t:Mailbox/t:Name", "", NS).strip()
    return {"type": kind, "emailAddress": {"name": name or address, "address": address}}


def show_attendees(name: str, kind: str) -> Show:
    def show(event: Event) -> Element | None:
        invited = [_show_attendee(attendee) for attendee in event["attendees"] if attendee["type"] == kind]
        return T(name, *invited) if invited else None

    return show


def _show_attendee(attendee: Json) -> Element:
    answer = attendee["status"]["response"]
    words = {"tentativelyAccepted": "Tentative", "accepted": "Accept", "declined": "Decline", "organizer": "Organizer"}
    return T.Attendee(
        T.Mailbox(
            T.Name(attendee["emailAddress"]["name"]),
            T.EmailAddress(attendee["emailAddress"]["address"]),
            T.RoutingType("SMTP"),
            T.MailboxType("Mailbox"),
        ),
        T.ResponseType(words.get(answer, "Unknown")),
        *([T.LastResponseTime(attendee["status"]["time"])] if answer in words else []),
    )


def moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def boolean(value: bool) -> str:
    return "true" if value else "false"


def show_id(event: Event) -> Element:
    return T.ItemId(Id=event.id, ChangeKey=event.ews_change_key)


def show_organizer(event: Event) -> Element:
    mailbox = T.Mailbox(T.Name(event.organizer), T.EmailAddress(event.organizer), T.RoutingType("SMTP"))
    return T.Organizer(mailbox)
