"""The body of ``POST /v1/updates``: which fields there are and what each may hold.

Shapes only: ``rules`` checks what must hold between fields, webhooks/admission what the configuration allows.
"""

from __future__ import annotations

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
    size,
)
from workers.update import ConflictResolution, SendInvitations

METADATA_AT_MOST = 4096


class AskedOccurrence(Shape):
    """One meeting of a series: exactly one of ``index`` and ``start``."""

    index: Annotated[Int, Field(default=None, ge=1, le=2**31 - 1)]
    """The meeting's number in the series: the first one is 1, and cancelled ones are counted too."""
    start: Annotated[Moment, Field(default=None)]
    """When the meeting starts by the series' pattern, even if it has been moved since: RFC 3339 with an offset. On
    Graph, a meeting of whole days is also found by midnight in UTC, which is how Graph shows its start."""


class AskedTarget(Shape):
    """Which event. Exactly one of ``mailbox`` and ``group``."""

    mailbox: Annotated[Owner, Field(default=None)]
    """Whose calendar: a user principal name, an SMTP address or an object id; or ``me``, the account that the backend
    signs in as (Graph with a delegated token, EWS without impersonation). EWS with impersonation takes SMTP addresses
    only. Always name a mailbox in the same way: order, and the limit on updates at once, are kept for each name."""
    group: Annotated[ObjectId, Field(default=None)]
    """Instead of ``mailbox``, the object id of a Microsoft 365 group; Graph only."""
    event: Identifier
    """The event's id as given by Graph (``id``) or EWS (``ItemId``); either backend also understands the other's
    spelling. Order is kept only among updates that use the same id: an event may have several, such as an immutable id,
    or the own id of a meeting beside that of its series with ``occurrence``."""
    calendar: Annotated[Identifier, Field(default=None)]
    """The calendar in which Graph is to look for the event: ``default`` or a calendar's id; for a group only
    ``default``. EWS needs only ``event`` and ignores this."""
    calendar_group: Annotated[Identifier, Field(default=None)]
    """``default`` or a calendar group's id, together with the id of one of its calendars in ``calendar``; not with
    ``group``. EWS ignores this, too."""
    version: Annotated[Identifier, Field(default=None)]
    """The ETag (Graph) or ChangeKey (EWS) of the event as you last saw it. Only ``neverOverwrite`` compares it, unless
    ``expect`` names every property that is to change."""
    backend: Annotated[Name, Field(default=None)]
    """The name of a configured backend. The default is the first one whose ``mailboxes`` match; if none matches ``me``,
    a group or an object id, it is the first Graph backend."""
    occurrence: Annotated[AskedOccurrence, Field(default=None)]
    """One meeting of the series whose master ``event`` names; by default ``event`` itself is changed."""


class Addition(Shape):
    """What to add: text at the end, or members that are not there yet."""

    subject: Annotated[Text, Field(default=None, min_length=1)]
    """Text to put at the end of the subject. No space is added between them."""
    body: Annotated[Text, Field(default=None, min_length=1)]
    """What to put at the end of the body, in the body's format; to an HTML body, and to one that was never written, it
    is added as HTML before ``</body>``."""
    attendees: Annotated[Attendees, Field(default=None, min_length=1)]
    """Attendees to add, at most 500; attendees who are there already stay as they are."""
    categories: Annotated[list[Name], Field(default=None, min_length=1)]
    """Names of categories to add; one that is there already, in upper or lower case, is not added again."""
    locations: Annotated[list[NamedLocation], Field(default=None, min_length=1)]
    """Locations to add, told apart by their display names; Graph only."""


def _address_of(value: Any) -> Any:
    """An attendee as it was read stands for its address."""
    if isinstance(value, dict) and isinstance(value.get("emailAddress"), dict):
        return value["emailAddress"].get("address")
    return value


Gone: TypeAlias = Annotated[Address, in_place_of(_address_of, str | dict[str, Any])]


class Removal(Shape):
    """Which members to remove: attendees by address, categories by name, locations by display name."""

    attendees: Annotated[list[Gone], Field(default=None, min_length=1, max_length=ATTENDEES_AT_MOST)]
    """Attendees to remove, each as an address or as an attendee object; those who are not there are ignored."""
    categories: Annotated[list[Name], Field(default=None, min_length=1)]
    """Names of categories to remove, in upper or lower case."""
    locations: Annotated[list[Name], Field(default=None, min_length=1)]
    """Display names of locations to remove, in upper or lower case; Graph only."""


class AskedShift(Shape):
    """By how much start and end move: ISO 8601 durations, later or, with a leading minus, earlier."""

    start: Annotated[Duration, Field(default=None)]
    """By how much the start moves, such as ``PT30M`` or ``-P1D``; without it the start stays."""
    end: Annotated[Duration, Field(default=None)]
    """By how much the end moves, such as ``PT30M`` or ``-P1D``; without it the end stays."""


def _both(value: Any) -> Any:
    return {"start": value, "end": value} if isinstance(value, str) else value


def _small(metadata: dict[str, Any]) -> dict[str, Any]:
    if (found := size(metadata)) > METADATA_AT_MOST:
        raise ValueError(f"must be at most {METADATA_AT_MOST} bytes as JSON; this is {found}")
    return metadata


class AskedUpdate(Shape):
    """A change of one calendar event. At least one of ``set append remove clear shift`` says what is to change."""

    target: AskedTarget
    """Which event is to be changed."""
    set_: Annotated[EventProperties, Field(default=None, alias="set")]
    """New values of properties, in place of the present ones; null clears."""
    append: Annotated[Addition, Field(default=None)]
    """What to add to texts and lists."""
    remove: Annotated[Removal, Field(default=None)]
    """Which members to remove from lists. A property may stand both in ``append`` and in ``remove``, but otherwise only
    in one operation."""
    clear: Annotated[list[str], Field(default=None)]
    """Names of properties to clear, as null in ``set`` does: any of ``attendees body categories location locations
    recurrence subject``."""
    shift: Annotated[AskedShift, in_place_of(_both, str | AskedShift), Field(default=None)]
    """By how much the event moves: one ISO 8601 duration for start and end, or one for each. It moves later, or with a
    leading minus earlier. Weeks and days keep the time of day in the event's zone, and are refused if that zone is not
    known; hours, minutes and seconds are elapsed time; years and months are not allowed. If the event is a series, all
    its meetings move: ``P1D`` moves a series on Mondays to Tuesdays, and one from Monday to Friday to Tuesday to
    Saturday."""
    expect: Annotated[EventProperties, Field(default=None)]
    """Values that properties must have when the event is written. If one differs, the update ends as a conflict,
    whatever ``conflictResolution`` is. Null means that the property is not set."""
    conflict_resolution: ConflictResolution = "autoResolve"
    """What to do if somebody else has changed the event. ``alwaysOverwrite``: your values win. ``autoResolve``: changes
    of other properties are kept, but it is a conflict if you and somebody else give the same property different values
    after our first read (``start``, ``end`` and ``isAllDay`` count as one property, and so do ``location`` and
    ``locations``; ``append`` and ``remove`` are applied to the changed value). ``neverOverwrite``: any change since
    ``target.version``, or without a version since our first read, is a conflict. A conflict ends the update ``dead``
    with class ``conflict``. Writes of Rendezvous itself are none, as a
    rule (but ``expect`` holds against them, too)."""
    send_invitations: SendInvitations = "auto"
    """Whom Exchange mails about the change of a meeting; about an appointment it mails nobody. ``auto``: as
    ``sendToAllAndSaveCopy``. ``sendToNone``: nobody. ``sendOnlyToAll``: every attendee. ``sendOnlyToChanged``: the
    attendees whom the change concerns. ``sendToAllAndSaveCopy``, ``sendToChangedAndSaveCopy``: as these two, with a
    copy in Sent Items. Graph has no such choice: if only ``attendees`` changes it mails those added or removed,
    otherwise everybody. On Graph an update of a meeting with ``sendToNone`` ends ``dead`` with class ``refused``, and
    nothing is written."""
    max_recipients: Annotated[Int, Field(default=None, ge=0, le=2**31 - 1)]
    """How many mails the change may cost at most, including those about a series' exceptions. If it would cost more,
    nothing is written and the update ends ``dead`` with class ``refused``. By default there is no limit."""
    deadline: Annotated[Moment, Field(default=None)]
    """When to give up: RFC 3339 with an offset, in the future and at most 7 days ahead; by default 24 hours after the
    update was accepted."""
    callback_url: Annotated[Text, Field(default=None, min_length=1, max_length=2048)]
    """Where to POST how the update ended: an https URL without user name and fragment, whose host has only public
    addresses and whose port is 443 or 8443. For addresses in your client's ``callback_networks``, http, any port and
    private addresses are allowed, too. Your client needs a webhook secret. Without a URL there is no callback."""
    metadata: Annotated[dict[str, Any], AfterValidator(_small), Field(default=None)]
    """Anything that you want back unchanged with the update: an object of at most 4096 bytes as compact JSON in UTF-8;
    ``{}`` by default."""
