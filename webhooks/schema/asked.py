"""The body of ``POST /v1/updates``: which fields there are and what each may hold.

Shapes only: what must hold between fields is ``rules``, what the configuration allows is webhooks/admission.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field

from webhooks.schema.event import ATTENDEES_AT_MOST, Attendees, EventProperties, NamedLocation
from webhooks.schema.shape import (
    Address,
    Duration,
    Identifier,
    Int,
    Moment,
    Name,
    ObjectId,
    Owner,
    Shape,
    Text,
    in_place_of,
)
from workers.update import ConflictResolution, SendInvitations

METADATA_AT_MOST = 4096


class AskedOccurrence(Shape):
    """One meeting of a series: exactly one of the two."""

    index: Annotated[Int, Field(default=None, ge=1, le=2**31 - 1)]
    """The meeting's number in the series: the first one is 1, and cancelled ones are counted too."""
    start: Annotated[Moment, Field(default=None)]
    """When the meeting was to start by the series' pattern, even if it was moved since: RFC 3339 with an offset. On
    Graph, whole days are found by midnight in UTC, too, as Graph tells them."""


class AskedTarget(Shape):
    """Which event. Exactly one of ``mailbox`` and ``group``."""

    mailbox: Annotated[Owner, Field(default=None)]
    """Whose calendar: a user principal name, an SMTP address or an object id; or ``me``, the account that the backend
    signs in as (Graph with a delegated token, EWS without impersonation). EWS with impersonation takes SMTP addresses
    only. Name a mailbox always in the same way: order, and how much may run at once, are kept for each name."""
    group: Annotated[ObjectId, Field(default=None)]
    """Instead of ``mailbox``: the object id of a Microsoft 365 group; on Graph backends only."""
    event: Identifier
    """The event's id as Graph (``id``) or EWS (``ItemId``) gave it out; either backend understands the other's
    spelling. An immutable id, and the own id of a series' meeting, are other names of the same event: order is kept
    among updates that use the same one."""
    calendar: Annotated[Identifier, Field(default=None)]
    """``default`` or a calendar's id, where Graph is to look for the event in that calendar; of a group only
    ``default``. EWS needs only ``event`` and passes this over."""
    calendar_group: Annotated[Identifier, Field(default=None)]
    """``default`` or a calendar group's id, together with the id of one of its calendars in ``calendar``; not with
    ``group``. EWS passes this over, too."""
    version: Annotated[Identifier, Field(default=None)]
    """The ETag (Graph) or ChangeKey (EWS) of the event as you last saw it. Only ``neverOverwrite`` compares it,
    and not where ``expect`` names every property that is to change."""
    backend: Annotated[Name, Field(default=None)]
    """The name of a configured backend; by default the first one whose ``mailboxes`` match and, for a ``me``, group or
    object id that none of them names, the first Graph backend."""
    occurrence: Annotated[AskedOccurrence, Field(default=None)]
    """One meeting of the series whose master ``event`` names; by default ``event`` itself is changed."""


class Addition(Shape):
    """What to add to what is there: text at the end, members that are not yet there."""

    subject: Annotated[Text, Field(default=None, min_length=1)]
    """Text that is put at the end of the subject as it is, without a space between."""
    body: Annotated[Text, Field(default=None, min_length=1)]
    """What is put at the end of the body, in the format that is there: to an HTML body HTML, before its ``</body>``."""
    attendees: Annotated[Attendees, Field(default=None, min_length=1)]
    """Attendees to add, at most 500; an address that is there already stays as it is."""
    categories: Annotated[list[Name], Field(default=None, min_length=1)]
    """Names of categories to add; one that is there already, in whichever case, is not added again."""
    locations: Annotated[list[NamedLocation], Field(default=None, min_length=1)]
    """Locations to add, told apart by their display names; Graph only."""


def _address_of(value: Any) -> Any:
    """An attendee as it was read stands for its address."""
    if isinstance(value, dict) and isinstance(value.get("emailAddress"), dict):
        return value["emailAddress"].get("address")
    return value


Gone: TypeAlias = Annotated[Address, in_place_of(_address_of, str | dict[str, Any])]


class Removal(Shape):
    """Which members to take out: attendees by address, categories by name, locations by display name."""

    attendees: Annotated[list[Gone], Field(default=None, min_length=1, max_length=ATTENDEES_AT_MOST)]
    """Whom to take out, by address: each a string, or an attendee as it was read; who is not there is passed over."""
    categories: Annotated[list[Name], Field(default=None, min_length=1)]
    """Names of categories to take out, in whichever case."""
    locations: Annotated[list[Name], Field(default=None, min_length=1)]
    """Display names of locations to take out, in whichever case; Graph only."""


class AskedShift(Shape):
    """By how much start and end move: ISO 8601 durations, later or, with a leading minus, earlier."""

    start: Annotated[Duration, Field(default=None)]
    """By how much the start moves, such as ``PT30M`` or ``-P1D``; without it the start stays."""
    end: Annotated[Duration, Field(default=None)]
    """By how much the end moves, such as ``PT30M`` or ``-P1D``; without it the end stays."""


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
    """Which event is to be changed."""
    set_: Annotated[EventProperties, Field(default=None, alias="set")]
    """New values of properties, each in place of the one that is there; null clears."""
    append: Annotated[Addition, Field(default=None)]
    """What to add to the text or the members that are there."""
    remove: Annotated[Removal, Field(default=None)]
    """Which members to take out; a property may stand in ``append`` and in ``remove``, else in one operation only."""
    clear: Annotated[list[str], Field(default=None)]
    """Names of properties to unset, like null in ``set``: any of ``attendees body categories location locations
    recurrence subject``."""
    shift: Annotated[AskedShift, in_place_of(_both, str | AskedShift), Field(default=None)]
    """By how much the event moves, start and end by the same ISO 8601 duration or each by its own; later, or with a
    leading minus earlier. Weeks and days keep the time of day in the event's zone, hours, minutes and seconds move the
    moment; years and months are not taken. Of a series all meetings move: by ``P1D`` one on Mondays is on Tuesdays
    from then on, one from Monday to Friday from Tuesday to Saturday."""
    expect: Annotated[EventProperties, Field(default=None)]
    """Values that properties must have when the event is written; where one differs the update ends as a conflict,
    whatever ``conflictResolution`` is. Null: not set."""
    conflict_resolution: ConflictResolution = "autoResolve"
    """What to do where somebody else changed the event. ``alwaysOverwrite``: ours wins. ``autoResolve``: what they
    changed in other properties is kept, but one that both changed since our first read, to different values, is a
    conflict (``start``, ``end`` and ``isAllDay`` count as one, and so do ``location`` and ``locations``; ``append`` and
    ``remove`` go on top of theirs). ``neverOverwrite``: whatever they changed since ``target.version``, or without one
    since our first read, is a conflict. A conflict ends the update ``dead`` with class ``conflict``; writes of
    Rendezvous itself are none."""
    send_invitations: SendInvitations = "auto"
    """Whom Exchange mails about the change of a meeting; about an appointment it mails nobody. ``auto``: as
    ``sendToAllAndSaveCopy``. ``sendToNone``: nobody. ``sendOnlyToAll``: every attendee. ``sendOnlyToChanged``: those
    attendees whom the change concerns. ``sendToAllAndSaveCopy``, ``sendToChangedAndSaveCopy``: as these two, with a
    copy in Sent Items. Graph has no such choice: it mails those added and removed where only ``attendees`` changes,
    else everybody, and an update of a meeting with ``sendToNone`` ends there ``dead`` with class ``refused`` before
    anything is written."""
    max_recipients: Annotated[Int, Field(default=None, ge=0, le=2**31 - 1)]
    """How many mails the change may cost at most, those about a series' exceptions included; where it would be more,
    nothing is written and the update ends ``dead`` with class ``refused``. By default there is no limit."""
    deadline: Annotated[Moment, Field(default=None)]
    """When to give up: RFC 3339 with an offset, in the future and at most 7 days ahead; by default 24 hours after the
    update was accepted."""
    callback_url: Annotated[Text, Field(default=None, min_length=1, max_length=2048)]
    """Where to POST how the update ended: an https URL without user name and fragment, whose host has public addresses
    only and whose port is 443 or 8443; in your client's ``callback_networks`` http, any port and private addresses,
    too. Your client needs a webhook secret. Without it nobody is told."""
    metadata: Annotated[dict[str, Any], AfterValidator(_small), Field(default=None)]
    """Whatever you want to be given back unchanged with the update: an object of at most 4096 bytes as compact JSON in
    UTF-8; ``{}`` by default."""
