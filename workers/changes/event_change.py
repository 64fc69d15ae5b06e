"""What of a change is worth telling: an event as it was last told, and as it stands → what differs, and who did it.

Pure. Exchange moves versions by itself, sends the same notification three times and tells us of our own writes; none
of that is a change. Not here: reading events, composing callbacks (telling).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Self

from workers.event.agreement import agrees, normal_form
from workers.event.properties import WATCHED, group_of, members
from workers.exchange import Event
from workers.update import Json, compact, known_fields, without_defaults

Kind = Literal["created", "updated", "deleted"]
Origin = Literal["rendezvous", "exchange"]

TOLD_BY_DEFAULT = WATCHED - {"body"}
"""The properties whose changes a subscription tells if it names none."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An event as it was last told, at the moment ``at`` (RFC 3339).

    ``marker``: None where it was not read with the event. ``gone``: it was told that the event was deleted. ``told``:
    False while no subscription has been told of the event, because it was met, or found missing, only when a mirror of
    it began. ``sent``: a mirror's id → property → the id of the mirror's last update of it.
    """

    version: str
    properties: Mapping[str, Json]
    marker: tuple[str, ...] | None
    at: str
    gone: bool = False
    told: bool = True
    sent: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_json(self) -> str:
        return compact({"properties": self.properties} | without_defaults(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        data = known_fields(cls, json.loads(text))
        marker = data.pop("marker")
        return cls(**data, marker=None if marker is None else tuple(marker))


@dataclass(frozen=True, slots=True)
class Ours:
    """An update of ours whose id is in the event's marker: what it wrote, when it was finished (RFC 3339; None: it
    still runs) and, if a mirror asked for it, through which events each value came."""

    update: str
    after: Mapping[str, Json]
    finished: str | None
    through: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """``changed``: property → before and after. ``ours``: property → what we last wrote to it since the event was last
    told. ``by``: our updates that had a part in the change, newest first."""

    kind: Kind
    changed: Mapping[str, Mapping[str, Json]]
    ours: Mapping[str, Json]
    by: tuple[Ours, ...] = ()

    @property
    def updates(self) -> tuple[str, ...]:
        """The ids of our updates that had a part in it, newest first. None of one that was created: we create no
        events, and a new one that bears some of ours may be a copy."""
        return () if self.kind == "created" else tuple(one.update for one in self.by)

    def origin(self, names: Collection[str]) -> Origin:
        """Who made these changes: Rendezvous, if all of them are ours."""
        return "rendezvous" if self.updates and names and all(self.is_ours(name) for name in names) else "exchange"

    def is_ours(self, name: str) -> bool:
        """Whether the property stands as we wrote it, or moved along with one that we wrote."""
        if name in self.ours:
            return agrees(name, self.changed[name]["after"], self.ours[name])
        return bool(group_of(name) & self.ours.keys())


def compare(before: Snapshot | None, now: Event, ours: Sequence[Ours]) -> Change:
    """What differs from what was last told. ``ours``: the updates in the event's marker that we know, newest first.

    Without a snapshot everything that is set is new. A property that is missing in the snapshot has not changed:
    somebody has only begun to ask for it.
    """
    mine = tuple(_since(before, ours))
    if before is None or before.gone:
        changed = {name: _pair(None, value) for name, value in now.properties.items() if value not in (None, [], "")}
        return Change("created", changed, _written(mine), mine)
    changed = {
        name: _pair(before.properties[name], value)
        for name, value in now.properties.items()
        if name in before.properties and differs(name, before.properties[name], value)
    }
    return Change("updated", changed, _written(mine), mine)


def differs(name: str, before: Json, now: Json) -> bool:
    """Whether people would call it a change. An attendee's answer is one; what Exchange adds of its own is none."""
    if not agrees(name, now, before):
        return True
    if name in ("location", "locations"):  # ``agrees`` takes a detail that was added for Exchange's
        return bool(normal_form(name, before) != normal_form(name, now))
    return name == "attendees" and _answers(before) != _answers(now)


def snapshot(event: Event, at: str) -> Snapshot:
    """The event as it is told now. Properties that were not read this time are forgotten: whoever asks for them later
    would otherwise be told of a change from before they asked."""
    return Snapshot(event.version, event.properties, event.marker, at)


def gone(at: str, version: str = "", *, told: bool = True) -> Snapshot:
    """Stands for an event whose deletion was told, so that it is not told twice. ``version``: the event's in Deleted
    Items; if it has another one later, it has come back."""
    return Snapshot(version, {}, None, at, gone=True, told=told)


def is_over(known: Snapshot, moment: datetime) -> bool:
    """Whether the event is gone, or had ended by then. A series may go on for ever."""
    if known.gone:
        return True
    end = known.properties.get("end")
    if known.properties.get("recurrence") or not isinstance(end, Mapping):
        return False
    return str(end.get("dateTime")) < moment.strftime("%Y-%m-%d")


def _since(before: Snapshot | None, ours: Iterable[Ours]) -> Iterable[Ours]:
    """Those of our updates that came after the snapshot."""
    for update in ours:
        if before is None or before.marker is None:
            if before is None or update.finished is None or update.finished >= before.at:
                yield update
        elif update.update not in before.marker:
            yield update


def _written(mine: Sequence[Ours]) -> dict[str, Json]:
    return {name: value for update in reversed(mine) for name, value in update.after.items()}


def _pair(before: Json, after: Json) -> dict[str, Json]:
    return {"before": before, "after": after}


def _answers(attendees: Json) -> dict[str, str]:
    return {
        address: str((attendee.get("status") or {}).get("response") or "none").lower()
        for address, attendee in members("attendees", attendees).items()
    }
