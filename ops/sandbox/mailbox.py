"""Mailboxes and their calendars, with ids that depend on the address alone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Literal

from ops.sandbox.event import item_id

_NAMESPACE = uuid.UUID("2c0f5d0e-6a4e-4d8e-9b57-6f2f1f0f7a11")


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar in a calendar group, both with Exchange-like ids."""

    id: str
    name: str
    group: str


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Somebody's calendars. The first one is the default, its group the default group."""

    address: str
    name: str
    object_id: str
    guid: uuid.UUID
    kind: Literal["cloud", "onPremises", "group"]
    calendars: tuple[Calendar, ...]

    @property
    def default(self) -> Calendar:
        """The default calendar."""
        return self.calendars[0]


def new_mailbox(
    address: str, kind: Literal["cloud", "onPremises", "group"], object_id: str | None = None, name: str | None = None
) -> Mailbox:
    """A mailbox with a default calendar and one more, in a group of its own; the ids depend on the address alone."""
    guid = uuid.uuid5(_NAMESPACE, address.lower())
    groups = {title: item_id(guid, f"group/{title}") for title in ("My Calendars", "Other Calendars")}
    calendars = (
        Calendar(item_id(guid, "calendar/Calendar"), "Calendar", groups["My Calendars"]),
        Calendar(item_id(guid, "calendar/Projects"), "Projects", groups["Other Calendars"]),
    )
    title = name or address.partition("@")[0].replace(".", " ").title()
    return Mailbox(address, title, object_id or str(uuid.uuid5(guid, "object")), guid, kind, calendars)
