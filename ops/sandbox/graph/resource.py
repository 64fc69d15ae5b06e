"""An event as Graph shows it: https://learn.microsoft.com/graph/api/resources/event."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from ops.sandbox.body import in_form, plain
from ops.sandbox.call import Json
from ops.sandbox.event import NO_RESPONSE, Event
from ops.sandbox.graph import extensions
from ops.sandbox.zones import wall_clock, windows_name

PROPERTIES = frozenset({
    "id", "changeKey", "iCalUId", "uid", "createdDateTime", "lastModifiedDateTime", "type", "isOrganizer",
    "organizer", "originalStartTimeZone", "originalEndTimeZone", "responseStatus", "seriesMasterId",
    "transactionId", "webLink", "hasAttachments", "bodyPreview", "isDraft", "onlineMeetingUrl", "occurrenceId",
    "cancelledOccurrences", "originalStart", "subject", "body", "start", "end", "isAllDay", "importance",
    "sensitivity", "showAs", "isReminderOn", "reminderMinutesBeforeStart", "responseRequested",
    "allowNewTimeProposals", "hideAttendees", "categories", "location", "locations", "attendees", "recurrence",
    "isOnlineMeeting", "onlineMeetingProvider", "onlineMeeting", "isCancelled",
})  # fmt: skip
"""Every property of the type."""


@dataclass(frozen=True, slots=True)
class View:
    """How a client wants to see events: its ``$select``, ``$expand`` and ``Prefer``."""

    select: frozenset[str] | None = None
    extended: Collection[str] = ()
    extensions: Collection[str] = ()
    zone: str = "UTC"
    zone_name: str = "UTC"
    """The zone as the client spelled it."""
    body_type: str | None = None
    applied: tuple[str, ...] = ()
    """For ``Preference-Applied``."""


def show(event: Event, view: View) -> Json:
    """The event's JSON."""
    shown = _everything(event, view)
    if view.select is not None:
        shown = {name: shown[name] for name in shown if name in view.select or name == "id"}
    extended = [{"id": name, "value": event.extended[name]} for name in view.extended if name in event.extended]
    opened = [found for name in view.extensions if (found := extensions.show(event, name)) is not None]
    members = {"singleValueExtendedProperties": extended, "extensions": opened}
    return {"@odata.etag": event.etag, **shown, **{name: value for name, value in members.items() if value}}


def preferences(headers: Mapping[str, str]) -> View:
    """The view that a ``Prefer`` header asks for: https://learn.microsoft.com/graph/api/event-get#request-headers.

    Raises ``UnknownZone``.
    """
    asked = dict(re.findall(r'([\w.-]+)="?([^",]*)"?', headers.get("prefer", ""), re.ASCII))
    applied = []
    zone = asked.get("outlook.timezone")
    if zone is not None:
        applied.append(f'outlook.timezone="{zone}"')
    body_type = asked.get("outlook.body-content-type", "").lower()
    if body_type in ("text", "html"):
        applied.append(f'outlook.body-content-type="{body_type}"')
    if asked.get("IdType", "").lower() == "immutableid":
        applied.append('IdType="ImmutableId"')
    return View(
        zone=windows_name(zone) if zone else "UTC",
        zone_name=zone or "UTC",
        body_type=body_type or None,
        applied=tuple(applied),
    )


def _everything(event: Event, view: View) -> dict[str, Json]:
    shown = dict(event.properties)
    shown.update(
        id=event.graph_id,
        changeKey=event.change_key,
        iCalUId=event.uid,
        createdDateTime=_moment(event.created),
        lastModifiedDateTime=_moment(event.modified),
        type=event.type,
        seriesMasterId=None,
        transactionId=None,
        hasAttachments=False,
        isDraft=False,
        isOrganizer=event.is_organizer,
        organizer={"emailAddress": {"name": event.organizer, "address": event.organizer}},
        responseStatus={**NO_RESPONSE, "response": "organizer" if event.is_organizer else "notResponded"},
        originalStartTimeZone=event["start"]["timeZone"],
        originalEndTimeZone=event["end"]["timeZone"],
        start=_time(event, "start", view),
        end=_time(event, "end", view),
        body=in_form(event["body"], view.body_type),
        bodyPreview=plain(event["body"])[:255],
        location=_place(event["location"]),
        locations=[_place(place) for place in event["locations"]],
        onlineMeetingUrl=None,
        webLink=f"https://outlook.office365.com/owa/?itemid={event.graph_id}&exvsurl=1&path=/calendar/item",
    )
    return shown


def _time(event: Event, name: str, view: View) -> Json:
    """All-day events keep their dates: their midnights are not converted."""
    if event["isAllDay"]:
        return {"dateTime": f"{event[name]['dateTime']}.0000000", "timeZone": view.zone_name}
    return {"dateTime": f"{wall_clock(event.moment(name), view.zone)}.0000000", "timeZone": view.zone_name}


def _place(place: Json) -> Json:
    name = place.get("displayName", "")
    return {"locationType": "default", "uniqueId": name, "uniqueIdType": "private" if name else "unknown", **place}


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
