"""What the API answers about subscriptions and mirrors, and what is posted when an event has changed; for the OpenAPI
document and the tests, like webhooks/answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from webhooks.answers import Shown

WatchState = Literal["starting", "active", "failing"]


class ShownSubscription(Shown):
    """Where changes in a mailbox are reported, and whether that works."""

    id: str
    """The subscription's id, as its callbacks name it."""
    state: WatchState
    """``starting`` until no change can be missed, then ``active``; ``failing`` while there is a problem."""
    mailbox: str
    """Whose calendar is watched."""
    backend: str
    """The name of the backend that serves it."""
    callback_url: str
    """Where changes are reported."""
    properties: list[str]
    """The properties whose changes are reported."""
    created_at: str
    """When it was asked for: RFC 3339 in UTC."""
    last_told_at: str | None
    """When Graph last told us of a change in the mailbox: RFC 3339 in UTC; null if it never did, or if we have to ask
    for changes."""
    problem: str | None
    """Why it does not work just now, in one line; null if it works."""


class ShownSubscriptions(Shown):
    items: list[ShownSubscription]
    """The subscriptions of this page, newest first."""
    next_cursor: str | None
    """The ``cursor`` of the next page; null on the last one."""


class ChangedEvent(Shown):
    mailbox: str
    """Whose calendar it is in."""
    event: str
    """The event's id; on Graph its immutable id."""
    backend: str
    """The name of the backend that serves it."""


class ShownMirror(Shown):
    """An event that is kept equal to another, and whether we hear of the changes. Callbacks and dead letters tell how
    its updates end."""

    id: str
    """The mirror's id, as its updates' ``metadata`` names it."""
    state: WatchState | Literal["sourceDeleted"]
    """``starting`` until no change can be missed, then ``active``; ``failing`` while there is a problem;
    ``sourceDeleted`` when the event ``from`` is gone."""
    from_: dict[str, Any] = Field(alias="from")
    """The event whose changes are followed."""
    to: dict[str, Any]
    """The event that is kept equal."""
    properties: list[str]
    """The properties that are kept equal."""
    callback_url: str | None
    """Where to report how the updates end; null if it is not reported."""
    created_at: str
    """When it was asked for: RFC 3339 in UTC."""
    problem: str | None
    """Why we do not hear of changes just now, in one line; null if we do."""


class ShownMirrors(Shown):
    items: list[ShownMirror]
    """The mirrors of this page, newest first."""
    next_cursor: str | None
    """The ``cursor`` of the next page; null on the last one."""


class ShownChange(Shown):
    """An event changed."""

    id: str
    """The change's own id: ``chg_`` and a ULID."""
    subscription: str = Field(default="")
    """The id of the subscription to which the change is reported; left out for a mirror."""
    mirror: str = Field(default="")
    """The id of the mirror whose source was deleted; left out for a subscription."""
    target: ChangedEvent
    """The event that changed."""
    change: Literal["created", "updated", "deleted"]
    """What happened to the event."""
    origin: Literal["rendezvous", "exchange"]
    """``rendezvous`` if the ``updates`` wrote all of the change, otherwise ``exchange``."""
    updates: list[str]
    """The ids of the updates that wrote part of it, newest first; none if it was ``created``: updates create none."""
    version: str | None
    """The event's ETag (Graph) or ChangeKey (EWS) as it was read; null if the event is gone."""
    changed: dict[str, dict[str, Any]]
    """Each changed property, of those asked for, with its value ``before`` and ``after``."""


class ChangeBody(Shown):
    """What is posted to a subscription's ``callbackUrl``, and to a mirror's when its source was deleted, signed as
    Standard Webhooks."""

    type: Literal["calendar.event.changed"]
    """Says that this is a change of an event."""
    timestamp: str
    """When the change was found: RFC 3339 in UTC."""
    data: ShownChange
    """What changed, and who did it."""
