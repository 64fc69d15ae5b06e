"""Beginning mirrors: finding out where each leads, and having its source looked at.

Not here: where mirrors lead (ways), what a mirror makes of a change (mirror).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workers.celery.bell import Bell
from workers.changes import mirror
from workers.changes.feed import Feed
from workers.changes.notification import MIRRORED, Notification
from workers.changes.subscription import Mirror
from workers.changes.watch import Watch
from workers.changes.ways import Ways
from workers.exchange import ExchangeError
from workers.store import Store


@dataclass(frozen=True, slots=True)
class Beginning:
    """Begins the mirrors of a mailbox. Thread-safe."""

    store: Store
    bell: Bell
    feeds: Mapping[str, Feed]

    def begin(self, watch: Watch, mirrors: Sequence[Mirror], now: datetime) -> bool:
        """Begin those that have not begun yet, and forget what is known of others that have ended. False if one has to
        wait for another mailbox, which must hold up neither the other mirrors nor this mailbox."""
        self._forget_ended(watch, mirrors, now)
        ways, all_begun = Ways(self.store, self.feeds), True
        for one in mirrors:
            if one.id in watch.spelled and one.id in watch.leads:
                continue
            try:
                self._begin(watch, one, ways, now)
            except ExchangeError as error:
                if ways.away(watch.place) is not None:
                    raise
                self.store.keep(watch, {"waits": {one.id: str(error)[:500]}}, began=now)
                all_begun = False
        return all_begun

    def _forget_ended(self, watch: Watch, mirrors: Sequence[Mirror], now: datetime) -> None:
        if ended := {*watch.spelled, *watch.leads, *watch.circles, *watch.waits}.difference(one.id for one in mirrors):
            noted = ("spelled", "leads", "circles", "waits")
            self.store.keep(watch, dict.fromkeys(noted, dict.fromkeys(ended)), began=now)

    def _begin(self, watch: Watch, one: Mirror, ways: Ways, now: datetime) -> None:
        """Noted only afterwards: doing it twice does no harm."""
        source, to = ways.spelled(one.source), ways.spelled(one.to)
        elders = mirror.circle(one, source, to, ways.onward)
        # What leads straight back has to be known. Of a longer way round whose other mailboxes are away it is not: it
        # would wait for them, and no change goes round it for ever.
        if (away := ways.away(source) or ways.away(to)) is not None:
            raise away
        leads, circles = {one.id: to.event}, {one.id: elders}
        self.store.keep(watch, {"leads": leads, "circles": circles, "waits": {one.id: None}}, began=now)
        if one.id not in watch.spelled:
            look = Notification(watch.id, source.event, MIRRORED, one.id)
            _, rings = self.store.hear([look.heard(watch)], how="found")
            self.bell.ring(*rings)
            self.store.keep(watch, {"spelled": {one.id: source.event}}, began=now)
