"""Telling who wants to know: a notified event is read, compared with what was last told, and the difference becomes
callbacks and mirrors' updates.

Not here: what counts as a change (event_change), how mirrors follow it (mirroring).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from workers import retry
from workers.callbacks.callback import Delivery, composed
from workers.celery.bell import Bell
from workers.changes import event_change
from workers.changes.event_change import TOLD_BY_DEFAULT, Change, Ours, Snapshot
from workers.changes.look import Look
from workers.changes.mirroring import Mirroring
from workers.changes.notification import FIRST_SIGHT, Notification
from workers.changes.subscription import Subscription, Watcher, may_know
from workers.changes.watch import Watch
from workers.event.properties import TIMES, shown_change, writable_on
from workers.exchange import Event, Exchange, ExchangeError, MailboxNotFound, NotFound, Refused
from workers.graph.proof import Prover
from workers.graph.rich_notification import NotGenuine
from workers.identifiers import new_id
from workers.job import failure
from workers.outcome import Dead, Outcome, Succeeded
from workers.settings import Settings
from workers.store import Callback, Grant, Store
from workers.update import Json, compact, rfc3339

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Teller:
    """Handles notifications. Thread-safe."""

    settings: Settings
    store: Store
    bell: Bell
    exchanges: Mapping[str, Exchange]
    clock: Callable[[], datetime]
    dice: Callable[[], float]
    provers: Mapping[str, Prover] = field(default_factory=dict)
    """Backend → who judges its notifications, where they have to be proved."""

    def tell(self, grant: Grant) -> Outcome:
        """One attempt at a notification."""
        notification = Notification.from_json(grant.body)
        watch = self.store.watch(notification.watch)
        everybody = self.store.watchers(watch.id) if watch is not None else ()
        watchers = tuple(one for one in everybody if may_know(one, self.settings))
        if watch is None or not watchers:
            return Succeeded(None, "nobody wants to know any more")
        if watch.walked is None and notification.change != FIRST_SIGHT:
            return Succeeded(None, "whoever wanted to know of it has ended, and the watch begun anew")
        before = self.store.snapshot(watch, notification.event)
        look = Look(grant, watch, notification, watchers, before)
        if before is not None and not look.untold and notification.is_of(before.version):
            return Succeeded(None, "nothing new")
        try:
            self._prove(watch, notification)
            event = self._read(watch, notification.event, everybody)
        except NotGenuine as error:
            _log.warning("a notification was not believed", watch=watch.id, reason=error.reason, detail=str(error))
            self.store.doubt(watch, error.reason)
            return Succeeded(None, f"not believed: {error}")
        except Refused as error:
            return Dead(failure(error.outcome, error.code, error.detail), error.request_id)
        except ExchangeError as error:
            # Not given up as long as somebody wants to know: otherwise the change would be lost.
            return retry.again(error, grant.tries, self.settings.engine, self.dice())
        if event is None or notification.says_deleted:
            return self._gone(look, event.version if event else "")
        return self._there(look, event)

    def _prove(self, watch: Watch, notification: Notification) -> None:
        if notification.proof is not None and (prover := self.provers.get(watch.backend)) is not None:
            prover.check(notification.event, notification.proof)

    def _read(self, watch: Watch, event_id: str, watchers: Sequence[Watcher]) -> Event | None:
        """``watchers``: also those who may not know today: what is not read now cannot be compared once they may."""
        asked = TOLD_BY_DEFAULT.union(*(watcher.properties for watcher in watchers))
        asked |= set(TIMES) if asked & {*TIMES} else set()
        kind = self.settings.backends[watch.backend].kind
        try:
            return self.exchanges[watch.backend].read(
                watch.event(event_id), [name for name in sorted(asked) if writable_on(kind, name)]
            )
        except MailboxNotFound:
            raise
        except NotFound:
            return None

    def _there(self, look: Look, event: Event) -> Outcome:
        now, before = self.clock(), look.before
        if before is not None and before.gone and before.version == event.version and not look.untold:
            return Succeeded(None, "nothing new")
        after = event_change.snapshot(event, rfc3339(now))
        if look.notification.change == FIRST_SIGHT and before is None:
            self.store.first_seen(look.watch, {look.notification.event: after})
            return Succeeded(None, "seen for the first time")
        ours = self.store.ours(event.marker)
        change = _change(look, event, ours)
        mirroring = Mirroring(self.settings, self.store, self.bell)
        after = replace(after, told=not look.only_mirrored, sent=mirroring.follow(look, event, change, now))
        if look.untold:  # the mirrors know the event; to the subscriptions all of it is new
            change = event_change.compare(None, event, ours)
        callbacks = tuple(_callbacks(look, change, event.version, rfc3339(now)))
        if not callbacks and before is not None and before == replace(after, at=before.at):
            return Succeeded(None, "nothing changed")
        return self._tell(look, after, callbacks)

    def _gone(self, look: Look, version: str) -> Outcome:
        watchers = _unaware(look)
        if watchers is None:
            return Succeeded(None, "it is not there, and nobody was told that it was")
        look, now = replace(look, watchers=watchers), rfc3339(self.clock())
        after = event_change.gone(now, version, told=not look.only_mirrored)
        return self._tell(look, after, tuple(_callbacks(look, Change("deleted", {}, {}), None, now)))

    def _tell(self, look: Look, snapshot: Snapshot, callbacks: Sequence[Callback]) -> Outcome:
        _, rings = self.store.tell(look.grant, look.watch, look.notification.event, snapshot, callbacks)
        self.bell.ring(*rings)
        return Succeeded(None, f"told {len(callbacks)}" if callbacks else "no change that anybody asked for")


def _change(look: Look, event: Event, ours: Sequence[Ours]) -> Change:
    """What is to be told of an event that is there."""
    change = event_change.compare(look.before, event, ours)
    if look.before is not None or _is_new(look, event):
        return change
    # We meet an event that was there before. Why we look may be a change of it, but not where a mirror has only begun.
    return replace(change, kind="updated", changed={} if look.only_mirrored else change.changed)


def _is_new(look: Look, event: Event) -> bool:
    """Whether an event that we do not know came to be since we went through the calendar. That it was created may be
    told after that it was updated, or never."""
    created, walked = event.created, look.watch.walked
    later = created is not None and walked is not None and created > walked
    return look.notification.change == "created" or (later and not look.only_mirrored)


def _unaware(look: Look) -> Sequence[Watcher] | None:
    """Who is to hear that an event is gone. None if all know that already, or nobody knows that it was there."""
    before, deleted = None if look.untold else look.before, look.notification.change == "deleted"
    if look.only_mirrored:  # it was missing when its mirror began
        return look.mirrors
    if before is None:
        return look.watchers if deleted else None
    if not before.gone:
        return look.watchers
    if deleted and not before.told:  # its mirrors were told when they began
        return [one for one in look.watchers if one not in look.mirrors]
    return None


def _callbacks(look: Look, change: Change, version: str | None, now: str) -> Iterator[Callback]:
    """Subscriptions are told of the changes that they asked for, mirrors of the event only that it is gone."""
    deleted = change.kind == "deleted"
    mirrors = look.mirrors if deleted else ()
    for watcher in (watcher for watcher in look.watchers if watcher.callback_url is not None):
        changed = {name: pair for name, pair in change.changed.items() if name in watcher.properties}
        if watcher in mirrors or (isinstance(watcher, Subscription) and (changed or deleted)):
            yield _callback(look, watcher, replace(change, changed=changed), version, now)


def _callback(look: Look, watcher: Watcher, change: Change, version: str | None, now: str) -> Callback:
    """The ``calendar.event.changed`` that tells one watcher. ``version`` None: the event is gone. ``now``: RFC 3339."""
    watch, event = look.watch, look.notification.event
    data: dict[str, Json] = {
        "id": new_id("chg"),
        watcher.kind: watcher.id,
        "target": {"mailbox": watch.mailbox, "event": event, "backend": watch.backend},
        "change": change.kind,
        "origin": change.origin(change.changed.keys()),
        "updates": list(change.updates),
        "version": version,
        "changed": {name: shown_change(name, pair) for name, pair in change.changed.items()},
    }
    text = compact({"type": "calendar.event.changed", "timestamp": now, "data": data})
    delivery = Delivery(watcher.client, watcher.callback_url or "", text)
    return composed(delivery, watch.place.owner, watch.line(event), f"calendar.event.changed, {watch.mailbox}")
