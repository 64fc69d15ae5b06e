"""Who wants to know of changes: a subscription calls back, a mirror changes another event. Data, and whether the
configuration still lets their clients.

Both live until somebody deletes them; the ``watch`` of their mailbox lives as long as one of them does.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import ClassVar, Self, TypeAlias

from workers.changes.watch import Watch, watch_id
from workers.settings import Settings
from workers.update import Target, known_fields

FORBIDDEN = "the configuration no longer lets the client touch this mailbox"
MAY_NOT_WRITE = "the configuration no longer lets the client touch the other event's mailbox"


@dataclass(frozen=True, slots=True)
class Subscription:
    """``properties``: those whose changes are told. ``created_at``: RFC 3339."""

    kind: ClassVar = "subscription"

    id: str
    client: str
    backend: str
    mailbox: str
    callback_url: str
    properties: tuple[str, ...]
    created_at: str

    @property
    def watch(self) -> str:
        return watch_id(self.backend, self.mailbox)

    @property
    def source(self) -> Target:
        return Target(backend=self.backend, event="", mailbox=self.mailbox)

    def same(self) -> str:
        """Equal for two that would tell the same things to the same receiver."""
        return json.dumps([self.kind, self.client, self.watch, self.callback_url, sorted(self.properties)])

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        data = known_fields(cls, json.loads(text))
        return cls(**{**data, "properties": tuple(data["properties"])})


@dataclass(frozen=True, slots=True)
class Mirror:
    """Keeps ``properties`` of the event ``to`` as they are in ``source``. ``callback_url``: who is told how the
    updates end, and that the source was deleted; optional."""

    kind: ClassVar = "mirror"

    id: str
    client: str
    source: Target
    to: Target
    properties: tuple[str, ...]
    callback_url: str | None
    created_at: str

    @property
    def watch(self) -> str:
        return watch_id(self.source.backend, self.source.mailbox or "")

    def same(self) -> str:
        ends = [self.source.line, self.to.line, self.to.calendar, self.to.calendar_group]
        return json.dumps([self.kind, self.client, *ends, self.callback_url, sorted(self.properties)])

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        data = known_fields(cls, json.loads(text))
        ends = {name: Target(**known_fields(Target, data[name])) for name in ("source", "to")}
        return cls(**{**data, **ends, "properties": tuple(data["properties"])})


Watcher: TypeAlias = Subscription | Mirror


def may_know(watcher: Watcher, settings: Settings) -> bool:
    """Whether the configuration of today lets its client touch the mailbox that it wants to know of."""
    return _may_touch(watcher.client, watcher.source, settings)


def may_write(mirror: Mirror, settings: Settings) -> bool:
    """Whether the configuration of today lets its client touch the mailbox of the other event."""
    return _may_touch(mirror.client, mirror.to, settings)


def _may_touch(name: str, end: Target, settings: Settings) -> bool:
    backend, client = settings.backends.get(end.backend), settings.clients.get(name)
    return backend is not None and client is not None and client.may_touch(end.owner, backend)


def watch_for(watcher: Watcher, watch: Watch | None, settings: Settings) -> Watch | None:
    """The mailbox's watch as it is for this watcher: with its own problem, if it has lost the right to a mailbox or has
    to wait for another backend."""
    if watch is None or watch.problem is not None:
        return watch
    if not may_know(watcher, settings):
        return replace(watch, problem=FORBIDDEN)
    barred = isinstance(watcher, Mirror) and not may_write(watcher, settings)
    return replace(watch, problem=MAY_NOT_WRITE if barred else watch.waits.get(watcher.id))


def state(watch: Watch | None) -> str:
    """``starting`` until no change can be missed any more, then ``active``; ``failing`` while there is a problem."""
    if watch is not None and watch.problem is not None:
        return "failing"
    return "active" if watch is not None and watch.tended is not None else "starting"
