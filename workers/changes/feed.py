"""How we hear of changes in a mailbox: what any backend promises, and what only Graph can.

Every backend has a ``Feed``: what changed since a cursor. Graph can push besides. Both raise the errors drawn in
workers/exchange, and CursorLost. Not here: when they are asked (watch), what comes of it (tending).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from workers.changes.watch import Watch
from workers.update import Json, Target


class CursorLost(Exception):
    """Exchange no longer knows from where to go on: the whole calendar has to be gone through again."""


@dataclass(frozen=True, slots=True)
class Item:
    """An event that a round met. ``version``: None where Exchange does not tell it. ``properties``: those that came
    with the event, in the neutral form. ``deleted``: it is no longer there."""

    event: str
    version: str | None = None
    properties: Mapping[str, Json] | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """Everything since the cursor, and the cursor for the next round."""

    items: tuple[Item, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A Graph subscription: its id, and until when it lives."""

    id: str
    expires: datetime


class Feed(Protocol):
    """What changed in a mailbox. Thread-safe."""

    def changes(self, watch: Watch, cursor: str | None, now: datetime) -> Round:
        """What changed since the cursor. Without a cursor, every event that there is, with its properties where many
        events can be read at once: only of an event that was seen before can a change be told. Raises CursorLost."""

    def spelled(self, event: Target) -> str:
        """The event's id as the rounds and notifications of this feed spell it. Which calendar it is in plays no
        part."""


class Push(Protocol):
    """Exchange tells us of changes without being asked. Thread-safe."""

    @property
    def terms(self) -> str:
        """What a subscription is made with and a renewal does not change: with other terms it has to be made anew."""

    def create(self, watch: Watch, now: datetime) -> Subscribed:
        """Subscribe. What ``watch.asked`` says may be there already makes place for it."""

    def renew(self, watch: Watch, now: datetime) -> Subscribed:
        """Let it live longer. Raises NotFound where there is no such subscription any more."""

    def delete(self, watch: Watch) -> None:
        """End it. It is no error if it is not there."""
