"""The body of ``POST /v1/updates`` (contract section 1): which fields there are and what each may hold.

Shapes only: what must hold between fields is webhooks/rules, what the configuration allows is webhooks/admission.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field

from webhooks.event import ATTENDEES_AT_MOST, Attendees, EventProperties, NamedLocation
from webhooks.shape import Address, Duration, Identifier, Int, Moment, Name, ObjectId, Owner, Shape, Text, in_place_of
from workers.update import ConflictResolution, SendInvitations

METADATA_AT_MOST = 4096


class AskedOccurrence(Shape):
    """One meeting of a series: exactly one of the two."""

    index: Annotated[Int, Field(default=None, ge=1, le=2**31 - 1)]
    start: Annotated[Moment, Field(default=None)]


class AskedTarget(Shape):
    """Which event. Exactly one of ``mailbox`` and ``group``."""

    mailbox: Annotated[Owner, Field(default=None)]
    group: Annotated[ObjectId, Field(default=None)]
    event: Identifier
    calendar: Annotated[Identifier, Field(default=None)]
    calendar_group: Annotated[Identifier, Field(default=None)]
    version: Annotated[Identifier, Field(default=None)]
    backend: Annotated[Name, Field(default=None)]
    occurrence: Annotated[AskedOccurrence, Field(default=None)]


class Addition(Shape):
    """What to add to what is there: text at the end, members that are not yet there."""

    subject: Annotated[Text, Field(default=None, min_length=1)]
    body: Annotated[Text, Field(default=None, min_length=1)]
    attendees: Annotated[Attendees, Field(default=None, min_length=1)]
    categories: Annotated[list[Name], Field(default=None, min_length=1)]
    locations: Annotated[list[NamedLocation], Field(default=None, min_length=1)]


def _address_of(value: Any) -> Any:
    """An attendee as it was read stands for its address."""
    if isinstance(value, dict) and isinstance(value.get("emailAddress"), dict):
        return value["emailAddress"].get("address")
    return value


Gone: TypeAlias = Annotated[Address, in_place_of(_address_of, str | dict[str, Any])]


class Removal(Shape):
    """Which members to take out: attendees by address, categories by name, locations by display name."""

    attendees: Annotated[list[Gone], Field(default=None, min_length=1, max_length=ATTENDEES_AT_MOST)]
    categories: Annotated[list[Name], Field(default=None, min_length=1)]
    locations: Annotated[list[Name], Field(default=None, min_length=1)]


class AskedShift(Shape):
    """By how much ``start`` and ``end`` move: ISO 8601 durations, negative for earlier."""

    start: Annotated[Duration, Field(default=None)]
    end: Annotated[Duration, Field(default=None)]


def _both(value: Any) -> Any:
    return {"start": value, "end": value} if isinstance(value, str) else value


def _small(metadata: dict[str, Any]) -> dict[str, Any]:
    size = len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode())
    if size > METADATA_AT_MOST:
        raise ValueError(f"must be at most {METADATA_AT_MOST} bytes as JSON; this is {size}")
    return metadata


class AskedUpdate(Shape):
    """A change of one calendar event. At least one of ``set append remove clear shift`` says what is to change."""

    target: AskedTarget
    set_: Annotated[EventProperties, Field(default=None, alias="set")]
    append: Annotated[Addition, Field(default=None)]
    remove: Annotated[Removal, Field(default=None)]
    clear: Annotated[list[str], Field(default=None)]
    shift: Annotated[AskedShift, in_place_of(_both, str | AskedShift), Field(default=None)]
    expect: Annotated[EventProperties, Field(default=None)]
    conflict_resolution: ConflictResolution = "autoResolve"
    send_invitations: SendInvitations = "auto"
    max_recipients: Annotated[Int, Field(default=None, ge=0, le=2**31 - 1)]
    deadline: Annotated[Moment, Field(default=None)]
    callback_url: Annotated[Text, Field(default=None, min_length=1, max_length=2048)]
    metadata: Annotated[dict[str, Any], AfterValidator(_small), Field(default=None)]
