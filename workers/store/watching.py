"""What the store keeps of watches: who wants to know, how each watch stands, what was told last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar, cast

from workers.changes.event_change import Ours, Snapshot
from workers.changes.subscription import Mirror, Subscription, Watcher
from workers.changes.watch import ROOM, Watch, new_secret
from workers.store.connection import Connection
from workers.store.milliseconds import ms
from workers.store.records import Callback, Grant, Ring, callback_arguments, rings
from workers.store.watch_fields import Known, fields_of, watch_from

HEARD_LIFE = timedelta(hours=24)
BACKSTOP = timedelta(minutes=1)
"""How long until a watch is looked at again if the look does not say when, because its worker died."""
_STEP = 100
_AT_ONCE = 200
How = Literal["told", "found", "late"]
"""How we heard of a change: Exchange told us; we found it, as nobody tells us; we found it, and had not been told."""
W = TypeVar("W", Subscription, Mirror)


@dataclass(frozen=True, slots=True)
class Heard:
    """A notification that is to become a job. ``known_by``: equal for two that tell the same."""

    id: str
    watch: Watch
    event: str
    body: str
    label: str
    known_by: str


class Watching:
    """Every method raises StoreUnavailable where Redis does not answer."""

    _redis: Connection
    _grace: int

    # Who wants to know

    def begin(self, watcher: Watcher, *, most: int = 0) -> str | None:
        """Keep it and have its mailbox watched. Returns its id, or that of an earlier one that does just the same; None
        if ``most`` watchers want to know of the mailbox already (0: no limit)."""
        self._redis.check_now_and_then()
        source = watcher.source
        kept = self._redis.run_durably(
            "watch", watcher.kind, watcher.id, watcher.to_json(), watcher.client, _hash(watcher.same()),
            watcher.watch, source.backend, source.mailbox or "", new_secret(watcher.watch), most,
        )  # fmt: skip
        return str(kept) or None

    def end(self, watcher: Watcher) -> None:
        """Keep it no longer. What is on its way may still come."""
        self._redis.run("unwatch", watcher.kind, watcher.id)

    def watcher(self, kind: type[W], watcher_id: str) -> W | None:
        return next(iter(self._watchers(kind, [watcher_id])), None)

    def watchers_of(self, client: str, kind: type[W]) -> tuple[W, ...]:
        """A client's, newest first."""
        ids = self._redis.call("zrange", f"rdv:{kind.kind}s:{client}", 0, -1)
        return self._watchers(kind, sorted(ids, reverse=True))

    def watchers(self, watch_id: str) -> tuple[Watcher, ...]:
        """Who wants to know of this mailbox."""
        members = [str(member).partition(":") for member in self._redis.call("smembers", f"rdv:watchers:{watch_id}")]
        ids = {kind: sorted(one for its, _, one in members if its == kind) for kind in ("subscription", "mirror")}
        return (*self._watchers(Subscription, ids["subscription"]), *self._watchers(Mirror, ids["mirror"]))

    # How a watch stands

    def watch(self, watch_id: str) -> Watch | None:
        return self.watches([watch_id]).get(watch_id)

    def watches(self, ids: Collection[str]) -> Mapping[str, Watch]:
        """Those of these ids that there are."""
        wanted = list(dict.fromkeys(ids))
        hashes = self._redis.call_all(("hgetall", f"rdv:watch:{one}") for one in wanted)
        return {one: watch_from(one, fields) for one, fields in zip(wanted, hashes, strict=True) if fields}

    def all_watches(self) -> tuple[Watch, ...]:
        """Every watch, for the metrics."""
        return tuple(self.watches(self._redis.call("zrange", "rdv:watches", 0, -1)).values())

    def keep(
        self,
        watch: Watch,
        known: Mapping[str, Known | Mapping[str, Known]],
        *,
        began: datetime,
        look: datetime | None = None,
    ) -> bool:
        """Note what is ``known`` now, by the names that ``Watch`` has for it; what is None is forgotten. ``look``: when
        to look again, but at once if somebody has wished for a look since this one ``began``. False if a later job has
        looked at it meanwhile (``watch.fence``)."""
        flat = [part for field in fields_of(known).items() for part in field]
        next_look = "" if look is None else ms(look)
        return bool(self._redis.run("keep", watch.id, watch.fence, ms(began), next_look, *flat))

    def forget(self, watch: Watch) -> bool:
        """Let go of a watch that nobody wants; False where somebody does again."""
        return bool(self._redis.run("forget", watch.id))

    def wake(self) -> Iterator[tuple[Ring, ...]]:
        """Make a job of each watch that is due, step by step; the bells to ring."""
        while True:
            looked_at, to_ring = self._redis.run("wake", _STEP, self._grace, ms(BACKSTOP), ROOM)
            yield rings(to_ring)
            if looked_at < _STEP:
                return

    def lifecycle(self, watch_id: str, event: str) -> bool:
        """Note durably what Graph says about the subscription itself. False if there is no such watch."""
        self._redis.check_now_and_then()
        return bool(self._redis.run_durably("lifecycle", watch_id, event))

    # What is heard and told

    def hear(self, heard: Sequence[Heard], *, how: How) -> tuple[int, tuple[Ring, ...]]:
        """Make jobs, durably, of the notifications that are new; how many, and the bells to ring."""
        self._redis.check_now_and_then()
        new, to_ring = 0, cast("tuple[Ring, ...]", ())
        for start in range(0, len(heard), _AT_ONCE):
            flat = [part for one in heard[start : start + _AT_ONCE] for part in _notification(one)]
            more, rung = self._redis.run_durably("notify", self._grace, ms(HEARD_LIFE), how, *flat)
            new, to_ring = new + int(more), (*to_ring, *rings(rung))
        return new, to_ring

    def doubt(self, watch: Watch, reason: str) -> None:
        """Count a notification that did not prove genuine."""
        self._redis.call("hincrby", "rdv:total", f"doubted/notification//{reason}/{watch.backend}", 1)

    def tell(
        self, grant: Grant, watch: Watch, event: str, snapshot: Snapshot, callbacks: Sequence[Callback]
    ) -> tuple[bool, tuple[Ring, ...]]:
        """Remember the event as it is told now, and make the callbacks. False if the right to run is lost."""
        flat = [part for callback in callbacks for part in callback_arguments(callback)]
        done, to_ring = self._redis.run(
            "tell", grant.id, grant.fence, watch.id, event, snapshot.to_json(), self._grace, *flat
        )
        return bool(done), rings(to_ring)

    def snapshot(self, watch: Watch, event: str) -> Snapshot | None:
        """The event as it was last told, or first seen."""
        text = self._redis.call("hget", f"rdv:snapshots:{watch.id}", event)
        return Snapshot.from_json(text) if text else None

    def snapshots(self, watch: Watch, events: Collection[str]) -> Mapping[str, Snapshot]:
        """Those of these events that were ever seen."""
        wanted = list(dict.fromkeys(events))
        if not wanted:
            return {}
        texts = self._redis.call("hmget", f"rdv:snapshots:{watch.id}", *wanted)
        return {one: Snapshot.from_json(text) for one, text in zip(wanted, texts, strict=True) if text}

    def seen_events(self, watch: Watch) -> frozenset[str]:
        """Every event that was ever seen."""
        return frozenset(self._redis.call("hkeys", f"rdv:snapshots:{watch.id}"))

    def awaited(self, watch: Watch, events: Collection[str]) -> frozenset[str]:
        """Those of these events for which a notification waits to be handled."""
        lengths = self._redis.call_all(("llen", f"rdv:line:{watch.line(event)}") for event in events)
        return frozenset(event for event, length in zip(events, lengths, strict=True) if length)

    def first_seen(self, watch: Watch, snapshots: Mapping[str, Snapshot]) -> None:
        """Remember events as they are met, except those that are known; nothing if nobody wants to know any more."""
        seen = list(snapshots.items())
        for start in range(0, len(seen), _AT_ONCE):
            flat = [part for event, one in seen[start : start + _AT_ONCE] for part in (event, one.to_json())]
            self._redis.run("see", watch.id, *flat)

    def unlearn(self, watch: Watch, events: Iterable[str]) -> None:
        """Forget events."""
        if gone := list(events):
            self._redis.call("hdel", f"rdv:snapshots:{watch.id}", *gone)

    def ours(self, updates: Collection[str]) -> tuple[Ours, ...]:
        """What each of these updates wrote, or is about to write, if we know it. Whoever wrote them into a marker may
        have written ids of other jobs."""
        wanted = list(updates)
        rows = self._redis.call_all(
            ("hmget", f"rdv:job:{one}", "kind", "body", "intent", "result", "finished") for one in wanted
        )
        return tuple(_ours(one, *row) for one, (kind, *row) in zip(wanted, rows, strict=True) if kind == "update")

    def _watchers(self, kind: type[W], ids: Iterable[str]) -> tuple[W, ...]:
        bodies = self._redis.call_all(("hget", f"rdv:{kind.kind}:{one}", "body") for one in ids)
        return tuple(kind.from_json(body) for body in bodies if body)


def _ours(update: str, body: str, intent: str | None, result: str | None, finished: str | None) -> Ours:
    if result:
        after = {name: change["after"] for name, change in json.loads(result)["changed"].items()}
    else:
        after = json.loads(intent)["after"] if intent else {}
    return Ours(update, after, finished, json.loads(body).get("through") or {})


def _notification(heard: Heard) -> tuple[str | int, ...]:
    watch = heard.watch
    return (heard.id, watch.id, watch.line(heard.event), watch.lane, ROOM, watch.place.owner, heard.body, heard.label,
            _hash(heard.known_by))  # fmt: skip


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
