"""Seeing to it that we hear of changes in one mailbox: what ``watch`` decides is done here, step by step.

Each step is noted as soon as it is done, so that the next look goes on from there even if this worker dies in between.
A look that fails is repeated for as long as somebody wants to know, so that even an outage of a week heals by itself.
Not here: beginning mirrors (beginning).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from workers import retry
from workers.celery.bell import Bell
from workers.changes.beginning import Beginning
from workers.changes.event_change import TOLD_BY_DEFAULT, Snapshot, is_over
from workers.changes.feed import CursorLost, Feed, Item, Push, Subscribed
from workers.changes.news import is_whole, news, sight
from workers.changes.notification import FIRST_SIGHT, Notification
from workers.changes.subscription import FORBIDDEN, Mirror, Subscription, may_know
from workers.changes.watch import OVER, Step, Watch, next_look, steps
from workers.exchange import ExchangeError, NotFound, Unknown
from workers.outcome import Outcome, Succeeded
from workers.settings import Settings
from workers.store import Grant, Store
from workers.store.watching import How
from workers.update import rfc3339

HEARING = (Step.CREATE, Step.RENEW)
"""The steps by which Exchange tells us of changes by itself."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tender:
    """Tends watches. Thread-safe. ``pushes``: only the backends that tell us of changes by themselves."""

    settings: Settings
    store: Store
    bell: Bell
    feeds: Mapping[str, Feed]
    pushes: Mapping[str, Push]
    dice: Callable[[], float]

    def tend(self, grant: Grant) -> Outcome:
        """One look at a watch."""
        began = self.store.time()  # before anything is read: whoever wishes for a look from here on gets another
        known = self.store.watch(grant.body)
        if known is None:
            return Succeeded(None, "nobody wants to know any more")
        watch = replace(known, fence=grant.fence)
        try:
            watchers = self.store.watchers(watch.id)
            if not watchers:
                return self._let_go(watch)
            if watch.backend not in self.feeds:
                return self._left(watch, "its backend is no longer configured")
            if not any(may_know(one, self.settings) for one in watchers):
                return self._left(watch, FORBIDDEN)
            return self._tended(watch, began)
        except ExchangeError as error:
            self.store.keep(watch, {"problem": str(error)[:500]}, began=self.store.time())
            return retry.again(error, grant.tries, self.settings.engine, self.dice())

    def _tended(self, watch: Watch, began: datetime) -> Outcome:
        engine, push = self.settings.engine, self.pushes.get(watch.backend)
        every = timedelta(seconds=engine.catch_up if push else engine.poll)
        watch = self._learn(watch, began)
        due = steps(watch, began, pushed=push is not None, every=every, terms=push.terms if push else None)
        watch, unheard = self._taken(due, watch, began)
        look = next_look(watch, began, pushed=push is not None, every=every)
        if not Beginning(self.store, self.bell, self.feeds).begin(watch, self._mirrors(watch), began):
            look = min(look, began + timedelta(seconds=engine.poll))
        if unheard is not None:
            raise unheard
        self.store.keep(watch, {"problem": None, "tended": began}, began=began, look=look)
        return Succeeded(None, ", ".join(due) or "nothing to do")

    def _taken(self, due: Iterable[Step], watch: Watch, now: datetime) -> tuple[Watch, ExchangeError | None]:
        """The watch when these steps are taken, and why Exchange will not tell us of changes, if it refuses that: then
        the other steps are taken all the same, because without being told we find what changed, only later."""
        unheard = None
        for step in due:
            try:
                watch = self._take(step, watch, now)
            except ExchangeError as error:
                if step not in HEARING:
                    raise
                unheard = error
        return watch, unheard

    def _take(self, step: Step, watch: Watch, now: datetime) -> Watch:
        match step:
            case Step.WALK:
                return self._walk(watch, now)
            case Step.CREATE:
                return self._create(watch, now)
            case Step.RENEW:
                return self._renew(watch, now)
            case Step.CATCH_UP:
                return self._catch_up(watch, now)
            case Step.MOVE_ON:
                return self._move_on(watch, now)

    def _learn(self, watch: Watch, now: datetime) -> Watch:
        """Have every event looked at for the unusual properties that subscriptions ask for: a change can only be told
        of a property that was known before it changed. The first walk reads them anyway. A property that nobody asks
        for any more is forgotten, because it is no longer read."""
        asked = {
            name for one in self.store.watchers(watch.id) if isinstance(one, Subscription) for name in one.properties
        }
        learnt = tuple(sorted(asked - TOLD_BY_DEFAULT))
        if learnt == watch.learnt:
            return watch
        if watch.walked is not None:
            known = self.store.snapshots(watch, self.store.seen_events(watch))
            lacking = [event for event, one in known.items() if not (one.gone or one.properties.keys() >= {*learnt})]
            mark = f"with {' '.join(learnt)} {rfc3339(now)}"
            self._enqueue(watch, [Notification(watch.id, event, FIRST_SIGHT, mark) for event in lacking])
        return self._noted(replace(watch, learnt=learnt), now, "learnt")

    def _walk(self, watch: Watch, now: datetime) -> Watch:
        """Go through the whole calendar: first to know how it stands, and again if the cursor was lost. Then it is the
        same window as before: an event that only comes into a later window has not changed."""
        began = watch.walked or now
        found = self.feeds[watch.backend].changes(watch, None, began)
        if watch.walked is None:
            self._first_sight(watch, found.items, now)
        else:
            there = {item.event for item in found.items}
            missing = tuple(Item(event, deleted=True) for event in self.store.seen_events(watch) - there)
            self._hear(watch, (*found.items, *missing), since=watch.cursor)
        walked = replace(watch, cursor=found.cursor, walked=began, caught_up=now)
        return self._noted(walked, now, "cursor", "walked", "caught_up")

    def _move_on(self, watch: Watch, now: datetime) -> Watch:
        """Go through the days that the window covers now, and forget what has left it."""
        found = self.feeds[watch.backend].changes(watch, None, now)
        known = self.store.snapshots(watch, self.store.seen_events(watch))
        changed = [item for item in found.items if item.event in known and item.version != known[item.event].version]
        missing = known.keys() - {item.event for item in found.items}
        if watch.backend not in self.pushes:  # its rounds cover every day: what is missing was deleted just now
            changed += [Item(event, deleted=True) for event in missing]
        self._hear(watch, tuple(changed), since=watch.walked)
        self._come_in(watch, [item for item in found.items if item.event not in known], now)
        self._forget_over(watch, {event: known[event] for event in missing}, now)
        return self._noted(replace(watch, cursor=found.cursor, walked=now), now, "cursor", "walked")

    def _come_in(self, watch: Watch, unknown: Sequence[Item], now: datetime) -> None:
        """Events that no notification waits for are not new ones: they have only come into the window."""
        awaited = self.store.awaited(watch, [item.event for item in unknown])
        self._first_sight(watch, [item for item in unknown if item.event not in awaited], now)

    def _forget_over(self, watch: Watch, missing: Mapping[str, Snapshot], now: datetime) -> None:
        """The sources of mirrors are kept however old they are: a mirror shows whether its source is gone."""
        kept = {event for one in self._mirrors(watch) for event in (one.source.event, watch.spelled.get(one.id))}
        over = [event for event, known in missing.items() if event not in kept and is_over(known, now - OVER)]
        self.store.unlearn(watch, over)

    def _create(self, watch: Watch, now: datetime) -> Watch:
        push = self.pushes[watch.backend]
        if watch.graph_id is not None and watch.terms != push.terms:
            with suppress(ExchangeError):  # if the old subscription is still in the way, creating will say so
                push.delete(watch)
        made = self._subscribed(push, watch, now)
        # Nobody told us anything until now: whatever becomes of this look, we have to catch up.
        created = replace(
            watch, graph_id=made.id, expires=made.expires, renewed=now, terms=push.terms, asked=None, caught_up=None
        )
        return self._noted(created, now, "graph_id", "expires", "renewed", "terms", "asked", "caught_up")

    def _subscribed(self, push: Push, watch: Watch, now: datetime) -> Subscribed:
        """That we ask is noted before: if the answer is lost, or this worker dies, there may be a subscription that we
        do not know of. Any other failure made none."""
        self._noted(replace(watch, asked=now), now, "asked")
        try:
            return push.create(watch, now)
        except Unknown:
            raise
        except ExchangeError:
            self._noted(watch, now, "asked")
            raise

    def _renew(self, watch: Watch, now: datetime) -> Watch:
        try:
            made = self.pushes[watch.backend].renew(watch, now)
        except NotFound:  # MailboxNotFound, too: Graph has one code for both
            return self._catch_up(self._create(watch, now), now)
        return self._noted(replace(watch, expires=made.expires, renewed=now), now, "expires", "renewed")

    def _catch_up(self, watch: Watch, now: datetime) -> Watch:
        try:
            found = self.feeds[watch.backend].changes(watch, watch.cursor, now)
        except CursorLost:
            return self._walk(watch, now)
        self._hear(watch, found.items, since=watch.cursor)
        caught_up = replace(watch, cursor=found.cursor, caught_up=now)
        return self._noted(caught_up, now, "cursor", "caught_up")

    def _first_sight(self, watch: Watch, items: Sequence[Item], now: datetime) -> None:
        whole = {item.event: item for item in items if is_whole(item, watch)}
        self.store.first_seen(watch, {event: sight(item, rfc3339(now)) for event, item in whole.items()})
        rest = [item for item in items if item.event not in whole and not item.deleted]
        self._enqueue(watch, [Notification(watch.id, item.event, FIRST_SIGHT, item.version or "") for item in rest])

    def _hear(self, watch: Watch, items: tuple[Item, ...], *, since: str | datetime | None) -> None:
        """Make notifications of what was found and is not known yet. It is late if Graph was subscribed to tell us and
        has not. ``since``: see ``news``."""
        known = self.store.snapshots(watch, [item.event for item in items])
        how: How = "late" if watch.graph_id is not None and watch.caught_up is not None else "found"
        new = self._enqueue(watch, news(watch, items, known, since), how)
        if new and how == "late":
            _log.warning("changes found that Graph had not told", watch=watch.id, count=new)

    def _enqueue(self, watch: Watch, notifications: list[Notification], how: How = "found") -> int:
        new, rings = self.store.hear([one.heard(watch) for one in notifications], how=how)
        self.bell.ring(*rings)
        return new

    def _left(self, watch: Watch, problem: str) -> Outcome:
        """Leave the watch as it is until the configuration changes; then we find what has changed meanwhile."""
        self.store.keep(watch, {"problem": problem}, began=self.store.time())
        return Succeeded(None, problem)

    def _let_go(self, watch: Watch) -> Outcome:
        """End the watch. Graph's subscription is deleted if we still can; otherwise it ends when it expires."""
        push = self.pushes.get(watch.backend)
        if push is not None and watch.expires is not None and watch.expires > self.store.time():
            push.delete(watch)
        return Succeeded(None, "let go" if self.store.forget(watch) else "wanted again")

    def _mirrors(self, watch: Watch) -> list[Mirror]:
        return [one for one in self.store.watchers(watch.id) if isinstance(one, Mirror)]

    def _noted(self, watch: Watch, now: datetime, *fields: str) -> Watch:
        self.store.keep(watch, {name: getattr(watch, name) for name in fields}, began=now)
        return watch
