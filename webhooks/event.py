"""The properties of an event that a caller may name, and what their values look like, as Graph spells them.

https://learn.microsoft.com/graph/api/resources/event. Which of them can be written at all, and which cleared, is
workers/properties. Not here: rules between properties (webhooks/rules).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from webhooks.extended import ExtendedProperty, Extensions
from webhooks.recurrence import PatternedRecurrence
from webhooks.shape import Address, Bool, Complete, Int, Name, Number, Shape, Text, WallClock, Zone, in_place_of
from workers.properties import PROPERTIES

NOT_YET = frozenset({"multiValueExtendedProperties", "allowNewTimeProposals"})
READ_ONLY = frozenset(
    {"@odata.context", "@odata.etag", "@odata.type", "attachments", "bodyPreview", "calendar", "cancelledOccurrences",
     "changeKey", "createdDateTime", "exceptionOccurrences", "hasAttachments", "iCalUId", "id", "instances",
     "isCancelled", "isDraft", "isOrganizer", "lastModifiedDateTime", "onlineMeeting", "onlineMeetingUrl", "organizer",
     "originalEndTimeZone", "originalStart", "originalStartTimeZone", "responseStatus", "seriesMasterId",
     "transactionId", "type", "uid", "webLink"}
)  # fmt: skip
"""What an event has and Exchange keeps to itself (https://learn.microsoft.com/graph/api/event-update)."""

_MOMENT_IN_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z", re.ASCII)


def why_not(name: str) -> str:
    """Why a name is none of the properties that can be written, as a sentence."""
    if name in NOT_YET:
        return f"{name} is not supported yet"
    if name in READ_ONLY:
        return f"{name} is read-only"
    return f"{name[:100]} is not a property of an event"


class EmailAddress(Shape):
    address: Address
    name: Annotated[Text, Field(default=None)]


class Attendee(Complete):
    """``status`` and ``proposedNewTime`` may be there as they were read; Exchange keeps them, so they are left out."""

    type: Literal["required", "optional", "resource"] = "required"
    email_address: EmailAddress
    status: Annotated[Any, Field(default=None, exclude=True)]
    proposed_new_time: Annotated[Any, Field(default=None, exclude=True)]


class ItemBody(Complete):
    content_type: Literal["text", "html"] = "text"
    content: Text


class DateTimeTimeZone(Shape):
    """A wall clock and its zone (https://learn.microsoft.com/graph/api/resources/datetimetimezone)."""

    date_time: WallClock
    time_zone: Zone


def _from_moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not _MOMENT_IN_UTC.fullmatch(value):
        raise ValueError("must be {dateTime, timeZone}, or a time in UTC like 2026-12-01T09:00:00Z")
    return {"dateTime": value[:-1], "timeZone": "UTC"}


Time: TypeAlias = Annotated[DateTimeTimeZone, in_place_of(_from_moment, str | DateTimeTimeZone)]


class PhysicalAddress(Shape):
    street: Annotated[Text, Field(default=None)]
    city: Annotated[Text, Field(default=None)]
    state: Annotated[Text, Field(default=None)]
    country_or_region: Annotated[Text, Field(default=None)]
    postal_code: Annotated[Text, Field(default=None)]


class GeoCoordinates(Shape):
    latitude: Annotated[Number, Field(default=None, ge=-90, le=90)]
    longitude: Annotated[Number, Field(default=None, ge=-180, le=180)]
    accuracy: Annotated[Number, Field(default=None)]
    altitude: Annotated[Number, Field(default=None)]
    altitude_accuracy: Annotated[Number, Field(default=None)]


class Location(Shape):
    """https://learn.microsoft.com/graph/api/resources/location"""

    display_name: Text
    address: Annotated[PhysicalAddress, Field(default=None)]
    coordinates: Annotated[GeoCoordinates, Field(default=None)]
    location_email_address: Annotated[Text, Field(default=None)]
    location_uri: Annotated[Text, Field(default=None)]
    location_type: Annotated[
        Literal["default", "conferenceRoom", "homeAddress", "businessAddress", "geoCoordinates", "streetAddress",
                "hotel", "restaurant", "localBusiness", "postalAddress"],
        Field(default=None),
    ]  # fmt: skip
    unique_id: Annotated[Text, Field(default=None)]
    unique_id_type: Annotated[Literal["unknown", "locationStore", "directory", "private", "bing"], Field(default=None)]


class NamedLocation(Location):
    """One of several: told from the others by its display name."""

    display_name: Name


ATTENDEES_AT_MOST = 500
Attendees: TypeAlias = Annotated[list[Attendee], Field(max_length=ATTENDEES_AT_MOST)]


class EventProperties(Shape):
    """Property → value. Null clears, where a property can be cleared."""

    attendees: Attendees | None = None
    body: ItemBody | None = None
    categories: list[Name] | None = None
    end: Annotated[Time, Field(default=None)]
    extensions: Annotated[Extensions, Field(default=None)]
    hide_attendees: Annotated[Bool, Field(default=None)]
    importance: Annotated[Literal["low", "normal", "high"], Field(default=None)]
    is_all_day: Annotated[Bool, Field(default=None)]
    is_online_meeting: Annotated[Bool, Field(default=None)]
    is_reminder_on: Annotated[Bool, Field(default=None)]
    location: Location | None = None
    locations: list[NamedLocation] | None = None
    online_meeting_provider: Annotated[
        Literal["unknown", "teamsForBusiness", "skypeForBusiness", "skypeForConsumer"], Field(default=None)
    ]
    recurrence: PatternedRecurrence | None = None
    reminder_minutes_before_start: Annotated[Int, Field(default=None, ge=0, le=2**31 - 1)]
    response_requested: Annotated[Bool, Field(default=None)]
    sensitivity: Annotated[Literal["normal", "personal", "private", "confidential"], Field(default=None)]
    show_as: Annotated[Literal["free", "tentative", "busy", "oof", "workingElsewhere", "unknown"], Field(default=None)]
    single_value_extended_properties: Annotated[list[ExtendedProperty], Field(default=None, max_length=20)]
    start: Annotated[Time, Field(default=None)]
    subject: Text | None = None


def clearable(name: str) -> bool:
    return name in PROPERTIES and PROPERTIES[name].clearable
