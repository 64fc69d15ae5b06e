"""An event as it stands: the one form that both APIs are views of.

``properties`` are named and shaped as in Graph (https://learn.microsoft.com/graph/api/resources/event); ``start`` and
``end`` are wall clocks in the event's own Windows zone. Ids and versions are built as Exchange builds them.
"""

from __future__ import annotations

import hashlib
import uuid
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from struct import pack

from ops.sandbox.call import Json
from ops.sandbox.zones import instant

_CALENDAR_ITEM = 0x0F
_KEY_LENGTH = 22

NO_RESPONSE = {"response": "none", "time": "0001-01-01T00:00:00Z"}

DEFAULTS: Mapping[str, Json] = {
    "subject": "",
    "body": {"contentType": "html", "content": ""},
    "start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-12-01T10:00:00", "timeZone": "UTC"},
    "isAllDay": False,
    "importance": "normal",
    "sensitivity": "normal",
    "showAs": "busy",
    "isReminderOn": True,
    "reminderMinutesBeforeStart": 15,
    "responseRequested": True,
    "allowNewTimeProposals": True,
    "hideAttendees": False,
    "categories": [],
    "location": {"displayName": ""},
    "locations": [],
    "attendees": [],
    "recurrence": None,
    "isOnlineMeeting": False,
    "onlineMeetingProvider": "unknown",
    "onlineMeeting": None,
    "isCancelled": False,
}
"""Every stored property with its default value."""


@dataclass(frozen=True, slots=True)
class Event:
    """One version of an event. ``id`` is the EWS form; ``counter`` grows with every write to the store."""

    id: str
    mailbox: str
    calendar: str
    uid: str
    store_guid: uuid.UUID
    counter: int
    created: datetime
    modified: datetime
    properties: Mapping[str, Json]
    extended: Mapping[str, str] = field(default_factory=dict)
    organizer: str = ""
    is_organizer: bool = True
    was_sent: bool = False
    """Whether invitations have ever gone out: then it stays a meeting, even without attendees."""
    sequence: int = 0
    """How often the attendees were told (AppointmentSequenceNumber)."""

    def __getitem__(self, name: str) -> Json:
        """The value of a property."""
        return self.properties[name]

    @property
    def is_meeting(self) -> bool:
        """Whether somebody besides the organizer is invited."""
        return bool(self["attendees"]) or self.was_sent

    @property
    def type(self) -> str:
        """Graph's ``type``."""
        return "seriesMaster" if self["recurrence"] else "singleInstance"

    @property
    def graph_id(self) -> str:
        """The same id in Graph's spelling."""
        return graph_form(self.id)

    @property
    def change_key(self) -> str:
        """Graph's ``changeKey``: the store's bare change key."""
        return b64encode(self._key).decode()

    @property
    def etag(self) -> str:
        """Graph's ``@odata.etag``."""
        return f'W/"{self.change_key}"'

    @property
    def ews_change_key(self) -> str:
        """EWS's ``ChangeKey``: kind and length before the same bytes."""
        return b64encode(pack("<ii", _CALENDAR_ITEM, _KEY_LENGTH) + self._key).decode()

    def moment(self, name: str) -> datetime:
        """``start`` or ``end`` as a moment in UTC."""
        return instant(self[name]["dateTime"], self[name]["timeZone"])

    @property
    def _key(self) -> bytes:
        return self.store_guid.bytes + self.counter.to_bytes(_KEY_LENGTH - 16, "big")


def is_change_key(text: str) -> bool:
    """Whether this could be an EWS ChangeKey of a calendar item, present or past."""
    try:
        raw = b64decode(text, validate=True)
    except NotBase64:
        return False
    return len(raw) == _KEY_LENGTH + 8 and raw[:8] == pack("<ii", _CALENDAR_ITEM, _KEY_LENGTH)


def item_id(mailbox_guid: uuid.UUID, name: str) -> str:
    """An id that looks like Exchange's: the mailbox's GUID as text, then an entry id made from ``name``."""
    entry = hashlib.sha256(f"{mailbox_guid}/{name}".encode()).digest() + hashlib.sha256(name.encode()).digest()[:14]
    return b64encode(
        pack("<HH", 0x300, 0x24) + str(mailbox_guid).encode() + pack("<H", 0x46) + bytes(4) + entry[:46] + bytes(18)
    ).decode()


def is_item_id(text: str) -> bool:
    """Whether this has the form of an EWS id."""
    try:
        return b64decode(text, validate=True)[:2] == pack("<H", 0x300)
    except NotBase64:
        return False


def graph_form(ews_id: str) -> str:
    """An EWS id in Graph's spelling. Exchange replaces the two characters in its own way, not as base64url does."""
    return ews_id.translate(_TO_GRAPH)


def ews_form(graph_id: str) -> str:
    """The inverse of ``graph_form``."""
    return graph_id.translate(_TO_EWS)


def utc_now() -> datetime:
    """The present moment, with its zone."""
    return datetime.now(UTC)


_TO_GRAPH = str.maketrans("/+", "-_")
_TO_EWS = str.maketrans("-_", "/+")
