"""What a caller asks for: an update, immutable from the moment it is accepted.

Data only. Where it comes from is webhooks/schema; what it does to an event is workers/event/patch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from workers.event.item_ids import AS_EWS

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Json: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list or dict of such."""

BackendKind = Literal["graph", "ews"]
ConflictResolution = Literal["neverOverwrite", "autoResolve", "alwaysOverwrite"]
SendInvitations = Literal[
    "auto", "sendToNone", "sendOnlyToAll", "sendOnlyToChanged", "sendToAllAndSaveCopy", "sendToChangedAndSaveCopy"
]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One meeting of a series: by its 1-based number, or by the moment at which it was to start."""

    index: int | None = None
    start: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Which event. Exactly one of ``mailbox`` (which may be ``me``) and ``group`` is set."""

    backend: str
    event: str
    mailbox: str | None = None
    group: str | None = None
    calendar: str | None = None
    calendar_group: str | None = None
    version: str | None = None
    occurrence: Occurrence | None = None

    @property
    def owner(self) -> str:
        """Whose calendar it is, as one word: an address, an object id, ``me`` or ``group:<id>``."""
        return f"group:{self.group}" if self.group is not None else (self.mailbox or "").lower()

    @property
    def lane(self) -> str:
        """The mailbox, whose jobs are limited in number and paused together."""
        return f"{self.backend}/{self.owner}"

    @property
    def line(self) -> str:
        """The event: one job at a time, in order. A series and its occurrences share one line, and so do the two
        spellings of one id (Graph has ``-`` and ``_`` where EWS has ``/`` and ``+``)."""
        return f"{self.lane}/{self.event.translate(AS_EWS)}"


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to change, in Graph's property names and JSON.

    ``set``: property → new value; None clears it (``clear`` is folded into ``set`` at the door). ``append`` and
    ``remove``: property → text to add (``subject``, ``body``) or members. ``shift``: ``start`` and/or ``end`` → the ISO
    8601 duration by which it moves. ``expect``: property → the value that it must have. ``only_where``: property → the
    value without which it is left as it is; ``or_where``: property → other values that will do as well. Only mirrors
    use these last two; callers cannot.
    """

    set: Mapping[str, Json] = field(default_factory=dict)
    append: Mapping[str, Json] = field(default_factory=dict)
    remove: Mapping[str, Json] = field(default_factory=dict)
    shift: Mapping[str, str] = field(default_factory=dict)
    expect: Mapping[str, Json] = field(default_factory=dict)
    only_where: Mapping[str, Json] = field(default_factory=dict)
    or_where: Mapping[str, Sequence[Json]] = field(default_factory=dict)

    @property
    def touched(self) -> tuple[str, ...]:
        """The properties that it may change, in a stable order."""
        return tuple(sorted({*self.set, *self.append, *self.remove, *self.shift}))


@dataclass(frozen=True, slots=True)
class Update:
    """One update, as accepted. ``id`` is ``upd_`` and a ULID. ``deadline``, ``created_at`` and ``renewed_at``, the
    moment of its last replay, are aware, in UTC."""

    id: str
    client: str
    target: Target
    intent: Intent
    created_at: datetime
    deadline: datetime
    conflict_resolution: ConflictResolution = "autoResolve"
    send_invitations: SendInvitations = "auto"
    max_recipients: int | None = None
    callback_url: str | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
    through: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Property → the events from and through which its value came. Only mirrors use this; callers cannot."""
    traceparent: str | None = None
    """The trace that it belongs to (workers/trace)."""
    renewed_at: datetime | None = None

    @property
    def life(self) -> timedelta:
        """How much time it has, from its acceptance or last replay."""
        return self.deadline - (self.renewed_at or self.created_at)

    @property
    def label(self) -> str:
        """How Flower shows it: whose calendar and which properties, nothing secret."""
        return f"{self.target.owner}, {'+'.join(self.intent.touched)}"

    def to_json(self) -> str:
        """One line of JSON, the stored form."""
        occurrence = {"occurrence": without_defaults(self.target.occurrence)} if self.target.occurrence else {}
        nested = {"target": without_defaults(self.target) | occurrence, "intent": without_defaults(self.intent)}
        moments = {name: rfc3339(value) for name in _MOMENTS if (value := getattr(self, name)) is not None}
        return compact(without_defaults(self) | nested | moments)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of ``to_json``."""
        data = known_fields(cls, json.loads(text))
        occurrence = data["target"].pop("occurrence", None)
        data["target"] = Target(
            **known_fields(Target, data["target"]),
            occurrence=Occurrence(**known_fields(Occurrence, occurrence)) if occurrence else None,
        )
        data["intent"] = Intent(**known_fields(Intent, data["intent"]))
        return cls(**data | {name: datetime.fromisoformat(data[name]) for name in _MOMENTS if name in data})


_MOMENTS = ("created_at", "deadline", "renewed_at")


def without_defaults(one: DataclassInstance) -> dict[str, Json]:
    """The fields of a dataclass that differ from their defaults: what has to be stored of it."""
    values = ((field.name, getattr(one, field.name), field.default) for field in fields(one))
    return {name: value for name, value, default in values if value != default and value != {}}


def compact(value: Json) -> str:
    """JSON as it is stored: one line, no spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def known_fields(cls: type, data: Mapping[str, Json]) -> dict[str, Json]:
    """What of ``data`` the dataclass has fields for: a newer release that runs beside us may store more."""
    names = {field.name for field in fields(cls)}
    return {name: value for name, value in data.items() if name in names}


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds and ``Z``: the one spelling of a moment in the API, the store and the callbacks."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
