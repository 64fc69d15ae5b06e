"""What is news in a round through a calendar: the events that it met, beside what we know of them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

from workers.changes.event_change import Snapshot
from workers.changes.feed import Item
from workers.changes.notification import FOUND, Notification
from workers.changes.watch import Watch


def news(
    watch: Watch, items: Iterable[Item], known: Mapping[str, Snapshot], since: str | datetime | None
) -> list[Notification]:
    """A notification of each event that is not known as it was met. ``since``: where the round began, which is the same
    when the round has to be repeated."""
    return [
        Notification(watch.id, item.event, _change(item, known.get(item.event)), _mark(item, since))
        for item in items
        if _is_new(item, known.get(item.event))
    ]


def is_whole(item: Item, watch: Watch) -> bool:
    """Whether everything that has to be known of the event came with it, so that it need not be read."""
    return bool(item.version and item.properties) and {*(item.properties or {})} >= {*watch.learnt}


def sight(item: Item, at: str) -> Snapshot:
    """The event as it was met. ``at``: RFC 3339."""
    return Snapshot(item.version or "", item.properties or {}, None, at)


def _is_new(item: Item, known: Snapshot | None) -> bool:
    if item.deleted:
        return known is not None and not known.gone
    return known is None or known.gone or not known.told or item.version is None or item.version != known.version


def _change(item: Item, known: Snapshot | None) -> str:
    return "deleted" if item.deleted else "updated" if known is not None and known.told else "created"


def _mark(item: Item, since: str | datetime | None) -> str:
    """Stands in for the version that Exchange would tell. An event that is found again before its notification was
    handled gets the same mark; one that comes without a version, only if the same round is repeated."""
    return f"{FOUND}{item.version or hashlib.sha256(str(since).encode()).hexdigest()}"
