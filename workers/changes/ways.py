"""Where mirrors lead: from one event to others, in any mailbox. Events are named by their ids as notifications spell
them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from workers.changes.feed import Feed
from workers.changes.subscription import Mirror
from workers.changes.watch import watch_id
from workers.exchange import Away, ExchangeError
from workers.store import Store
from workers.update import Target


class Ways:
    """Made for one look at a watch: asks about each mailbox and each event only once."""

    def __init__(self, store: Store, feeds: Mapping[str, Feed]) -> None:
        self._store = store
        self._feeds = feeds
        self._spelled: dict[Target, Target] = {}
        self._mailboxes: dict[str, Mapping[str, list[tuple[Mirror, str | None]]]] = {}
        self._away: dict[str, ExchangeError] = {}
        """What went wrong, by the mailbox for which Exchange said so, or by the backend if nobody answered at all."""

    def away(self, place: Target) -> ExchangeError | None:
        """Why the mailbox is not asked again; None if it may be asked."""
        return self._away.get(place.lane) or self._away.get(place.backend)

    def spelled(self, event: Target) -> Target:
        """The event with its id as notifications spell it; a group's as it is, for groups are not watched. Raises an
        ExchangeError if its backend does not answer now."""
        if event not in self._spelled:
            self._spelled[event] = replace(event, event=self._ask(event))
        return self._spelled[event]

    def onward(self, at: Target) -> Iterator[tuple[Mirror, Target]]:
        """The mirrors that lead on from an event, and where to; not those of which it cannot be known today."""
        mailbox = watch_id(at.backend, at.mailbox or "")
        if mailbox not in self._mailboxes:
            self._mailboxes[mailbox] = self._from(mailbox)
        for one, leads in self._mailboxes[mailbox].get(at.line, ()):
            with suppress(ExchangeError):
                yield one, replace(one.to, event=leads) if leads else self.spelled(one.to)

    def _from(self, mailbox: str) -> Mapping[str, list[tuple[Mirror, str | None]]]:
        """The mirrors of one mailbox, by the line of their source event, each with where it leads if that is noted."""
        known = self._store.watch(mailbox)
        ways = defaultdict[str, list[tuple[Mirror, str | None]]](list)
        if known is None:
            return ways
        for one in self._store.watchers(mailbox):
            if isinstance(one, Mirror):
                event = known.spelled.get(one.id)
                with suppress(ExchangeError):
                    source = replace(one.source, event=event) if event else self.spelled(one.source)
                    ways[source.line].append((one, known.leads.get(one.id)))
        return ways

    def _ask(self, event: Target) -> str:
        feed = self._feeds.get(event.backend)
        if event.group is not None or feed is None:
            return event.event
        if (away := self.away(event)) is not None:
            raise away
        try:
            return feed.spelled(event)
        except ExchangeError as error:
            self._away[event.backend if isinstance(error, Away) else event.lane] = error
            raise
