"""The properties of an event that a caller may name, and what their values look like, as Graph spells them.

https://learn.microsoft.com/graph/api/resources/event. Not here: which of them can be written and which cleared
(workers/event/properties), and rules between properties (webhooks/schema/rules).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from webhooks.schema.extended import ExtendedProperty, Extensions
from webhooks.schema.recurrence import PatternedRecurrence
from webhooks.schema.shape import Address, Bool, Complete, Int, Name, Number, Shape, Text, WallClock, Zone, in_place_of
from workers.event.properties import PROPERTIES

NOT_YET = frozenset({"multiValueExtendedProperties", "allowNewTimeProposals"})
READ_ONLY = frozenset(
    {"@odata.context", "@odata.etag", "@odata.type", "attachments", "bodyPreview", "calendar", "cancelledOccurrences",
     "changeKey", "createdDateTime", "exceptionOccurrences", "hasAttachments", "iCalUId", "id", "instances",
     "isCancelled", "isDraft", "isOrganizer", "lastModifiedDateTime", "onlineMeeting", "onlineMeetingUrl", "organizer",
     "originalEndTimeZone", "originalStart", "originalStartTimeZone", "responseStatus", "seriesMasterId",
     "transactionId", "type", "uid", "webLink"}
)  # fmt: skip
"""Properties of an event that only Exchange writes (https://learn.microsoft.com/graph/api/event-update)."""

_MOMENT_IN_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z", re.ASCII)


def why_not(name: str) -> str:
    """Why the property of this name cannot be written, as a sentence."""
    if name in NOT_YET:
        return f"{name} is not supported yet"
    if name in READ_ONLY:
        return f"{name} is read-only"
    return f"{name[:100]} is not a property of an event"


class EmailAddress(Shape):
    address: Address
    """The SMTP address. Attendees with the same address are the same."""
    name: Annotated[Text, Field(default=None)]
    """The display name, if you know it."""


class Attendee(Complete):
    """Somebody who is invited, or a room or device that is booked."""

    type: Literal["required", "optional", "resource"] = "required"
    """How the attendee is invited; a room or a device is a ``resource``."""
    email_address: EmailAddress
    """Who it is, by name and address."""
    status: Annotated[Any, Field(default=None, exclude=True)]
    """The attendee's answer as Graph shows it. It is ignored, because only Exchange writes it."""
    proposed_new_time: Annotated[Any, Field(default=None, exclude=True)]
    """The attendee's proposal as Graph shows it. It is ignored, because only Exchange writes it."""


class ItemBody(Complete):
    content_type: Literal["text", "html"] = "text"
    """The format of ``content``: plain text or HTML."""
    content: Text
    """The text or the HTML itself."""


class DateTimeTimeZone(Shape):
    """A wall clock and its zone (https://learn.microsoft.com/graph/api/resources/datetimetimezone)."""

    date_time: WallClock
    """A local time like ``2026-12-01T09:00:00``, without an offset; seconds may be left out, a fraction is cut off."""
    time_zone: Zone
    """The zone's Windows or IANA name; EWS takes only IANA names that have a Windows counterpart."""


def _from_moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not _MOMENT_IN_UTC.fullmatch(value):
        raise ValueError("must be {dateTime, timeZone}, or a time in UTC like 2026-12-01T09:00:00Z")
    return {"dateTime": value[:-1], "timeZone": "UTC"}


Time: TypeAlias = Annotated[DateTimeTimeZone, in_place_of(_from_moment, str | DateTimeTimeZone)]


class PhysicalAddress(Shape):
    street: Annotated[Text, Field(default=None)]
    """The street with its number."""
    city: Annotated[Text, Field(default=None)]
    """The city or town."""
    state: Annotated[Text, Field(default=None)]
    """The state or province."""
    country_or_region: Annotated[Text, Field(default=None)]
    """The country or region."""
    postal_code: Annotated[Text, Field(default=None)]
    """The postal code."""


class GeoCoordinates(Shape):
    latitude: Annotated[Number, Field(default=None, ge=-90, le=90)]
    """Degrees north, negative in the south."""
    longitude: Annotated[Number, Field(default=None, ge=-180, le=180)]
    """Degrees east, negative in the west."""
    accuracy: Annotated[Number, Field(default=None)]
    """How exact latitude and longitude are."""
    altitude: Annotated[Number, Field(default=None)]
    """The height of the place."""
    altitude_accuracy: Annotated[Number, Field(default=None)]
    """How exact the altitude is."""


class Location(Shape):
    """https://learn.microsoft.com/graph/api/resources/location"""

    display_name: Text
    """The name of the place, as people see it."""
    address: Annotated[PhysicalAddress, Field(default=None)]
    """The postal address; EWS holds it from Exchange 2013 on."""
    coordinates: Annotated[GeoCoordinates, Field(default=None)]
    """Where on earth it is; EWS holds them from Exchange 2013 on."""
    location_email_address: Annotated[Text, Field(default=None)]
    """The room's own mailbox; EWS cannot hold it."""
    location_uri: Annotated[Text, Field(default=None)]
    """A link to the place; EWS holds it from Exchange 2013 on."""
    location_type: Annotated[
        Literal["default", "conferenceRoom", "homeAddress", "businessAddress", "geoCoordinates", "streetAddress",
                "hotel", "restaurant", "localBusiness", "postalAddress"],
        Field(default=None),
    ]  # fmt: skip
    """What kind of place it is, in Graph's words; Exchange finds it out itself, so it never counts as a difference."""
    unique_id: Annotated[Text, Field(default=None)]
    """Graph's own key of the place; it never counts as a difference."""
    unique_id_type: Annotated[Literal["unknown", "locationStore", "directory", "private", "bing"], Field(default=None)]
    """What kind of key ``uniqueId`` is; it never counts as a difference."""


class NamedLocation(Location):
    """One of several locations, identified by its display name."""

    display_name: Name
    """The name of the place, as people see it. It identifies the location among the others."""


ATTENDEES_AT_MOST = 500
Attendees: TypeAlias = Annotated[list[Attendee], Field(max_length=ATTENDEES_AT_MOST)]


class EventProperties(Shape):
    """Property → value. Null clears, where a property can be cleared."""

    attendees: Attendees | None = None
    """All attendees, in place of the present ones; null removes them all. Those who stay keep their answers."""
    body: ItemBody | None = None
    """The text of the event; null empties it. On Graph the join block of an online meeting stays in it."""
    categories: list[Name] | None = None
    """The names of all its categories, in place of the present ones; null removes them all."""
    end: Annotated[Time, Field(default=None)]
    """When it ends: a local time with its zone, or a time in UTC like ``2026-12-01T09:00:00Z``, which leaves the
    event in the zone that it has."""
    extensions: Annotated[Extensions, Field(default=None, max_length=20)]
    """Graph's open extensions by name, at most 20: an object of at most 2048 bytes as compact JSON in UTF-8
    replaces the whole extension, null deletes it; Graph only."""
    hide_attendees: Annotated[Bool, Field(default=None)]
    """Whether each attendee sees nobody but themselves; Graph only."""
    importance: Annotated[Literal["low", "normal", "high"], Field(default=None)]
    """How important the event is."""
    is_all_day: Annotated[Bool, Field(default=None)]
    """Whether it lasts whole days; its start and end are then midnights in one time zone."""
    is_online_meeting: Annotated[Bool, Field(default=None)]
    """Whether people can join online; Graph only."""
    is_reminder_on: Annotated[Bool, Field(default=None)]
    """Whether the owner is reminded of it."""
    location: Location | None = None
    """Where it takes place; null clears it."""
    locations: list[NamedLocation] | None = None
    """All its locations, instead of the present ones; null removes them all. Graph only."""
    online_meeting_provider: Annotated[
        Literal["unknown", "teamsForBusiness", "skypeForBusiness", "skypeForConsumer"], Field(default=None)
    ]
    """Which service the online meeting is held with; Graph only."""
    recurrence: PatternedRecurrence | None = None
    """How a series repeats; null clears it. A single meeting of a series has none."""
    reminder_minutes_before_start: Annotated[Int, Field(default=None, ge=0, le=2**31 - 1)]
    """How many minutes before the start the reminder comes; EWS takes at most 2629800."""
    response_requested: Annotated[Bool, Field(default=None)]
    """Whether the attendees are asked for an answer."""
    sensitivity: Annotated[Literal["normal", "personal", "private", "confidential"], Field(default=None)]
    """How private the event is."""
    show_as: Annotated[Literal["free", "tentative", "busy", "oof", "workingElsewhere", "unknown"], Field(default=None)]
    """How the time is shown to others; EWS has ``workingElsewhere`` from Exchange 2013 on."""
    single_value_extended_properties: Annotated[list[ExtendedProperty], Field(default=None, max_length=20)]
    """Single MAPI properties, at most 20, each with its id and value; no property twice."""
    start: Annotated[Time, Field(default=None)]
    """When it starts: a local time with its zone, or a time in UTC like ``2026-12-01T09:00:00Z``, which leaves the
    event in the zone that it has."""
    subject: Text | None = None
    """The title of the event; null clears it."""


def clearable(name: str) -> bool:
    return name in PROPERTIES and PROPERTIES[name].clearable
