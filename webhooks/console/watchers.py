"""Subscriptions and mirrors: who hears of changes in mailboxes, whether that works now, when Graph's promise ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import render_template

from webhooks.console.gate import visitor
from webhooks.console.updates import without_query
from webhooks.console.visitor import Visitor
from webhooks.door import Door, door
from workers.changes.subscription import Mirror, Subscription, Watcher, state, watch_for
from workers.changes.watch import Watch


@dataclass(frozen=True, slots=True)
class Row:
    """``to``: the callback's address, or the mailbox to which an event is mirrored. ``expires``: when the Graph
    subscription ends unless we renew it; None if there is none. ``heard``: when Exchange last told us something."""

    id: str
    kind: str
    client: str
    mailbox: str
    backend: str
    to: str
    properties: tuple[str, ...]
    state: str
    expires: datetime | None
    heard: datetime | None
    problem: str | None


def listed() -> str:
    """Subscriptions and mirrors, each client's newest first."""
    return render_template("console/subscriptions.html", rows=_rows(door(), visitor()))


def _rows(at: Door, visitor: Visitor) -> list[Row]:
    watchers: list[Watcher] = []
    for client in visitor.clients:
        watchers += at.store.watchers_of(client, Subscription)
        watchers += at.store.watchers_of(client, Mirror)
    watches = at.store.watches([watcher.watch for watcher in watchers])
    return [_row(watcher, watch_for(watcher, watches.get(watcher.watch), at.settings)) for watcher in watchers]


def _row(watcher: Watcher, watch: Watch | None) -> Row:
    to = without_query(watcher.callback_url) if isinstance(watcher, Subscription) else watcher.to.owner
    return Row(
        id=watcher.id,
        kind=watcher.kind,
        client=watcher.client,
        mailbox=watcher.source.owner,
        backend=watcher.source.backend,
        to=to,
        properties=watcher.properties,
        state=state(watch),
        expires=watch.expires if watch else None,
        heard=watch.heard if watch else None,
        problem=watch.problem if watch else None,
    )
