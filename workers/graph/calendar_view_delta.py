"""calendarView/delta: what changed in a calendar since last time.

https://learn.microsoft.com/graph/api/event-delta. Not here: sockets (connection), what comes of it
(workers/changes/tending).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

from workers.changes.event_change import TOLD_BY_DEFAULT
from workers.changes.feed import CursorLost, Item, Round
from workers.changes.watch import WINDOW, Watch
from workers.event.item_ids import is_ews_spelling
from workers.exchange import ExchangeError, NotFound, Refused, Throttled, Unavailable
from workers.graph import body, exchange_ids, resources
from workers.graph.connection import Answer, Connection, unreadable
from workers.graph.links import path_of
from workers.graph.paths import event_path, owner_path
from workers.update import Json, Target, rfc3339

PREFER = {"Prefer": 'IdType="ImmutableId", outlook.timezone="UTC", odata.maxpagesize=200'}
PAGES_AT_MOST = 2000
_OCCURRENCE = "occurrence"


class GraphFeed:
    """Feed of one Graph endpoint; see workers.changes.feed."""

    def __init__(self, connection: Connection, base_url: str):
        self._connection = connection
        self._base_url = base_url

    def changes(self, watch: Watch, cursor: str | None, now: datetime) -> Round:
        """One round, to its end. Only the newest cursor is good: a new round may make older ones worthless."""
        path, items, asked = cursor or start(watch, now), list[Item](), set[str]()
        while path not in asked and len(asked) < PAGES_AT_MOST:
            asked.add(path)
            page, answer = self._page(watch, path, cursor)
            items += read(page, answer, TOLD_BY_DEFAULT.union(watch.learnt))
            following = self._link(page, "@odata.nextLink", answer)
            if following is None:
                return Round(tuple(_each_once(items)), self._end(page, answer))
            path = following
        endless = f"the round goes round in a circle, or has more than {PAGES_AT_MOST} pages"
        raise CursorLost(endless) if cursor else _unreadable(answer, endless)

    def spelled(self, event: Target) -> str:
        """The id as it is, if Graph cannot translate it. Raises an ExchangeError if Graph may know it later, because
        the answer is kept."""
        if exchange_ids.is_immutable(event.event):
            return event.event
        in_mailbox = Target(backend=event.backend, event=event.event, mailbox=event.mailbox)
        for ask in (self._translated, self._shown):
            try:
                found = ask(in_mailbox)
            except (Throttled, Unavailable):
                raise
            except ExchangeError:
                continue
            if found is not None:
                return found
        return event.event

    def _translated(self, event: Target) -> str | None:
        """https://learn.microsoft.com/graph/api/user-translateexchangeids"""
        path, question = exchange_ids.path(event), exchange_ids.question(event.event, "restImmutableEntryId")
        return exchange_ids.answer(self._connection.call("read", event, "POST", path, content=question).body)

    def _shown(self, event: Target) -> str | None:
        """The id as a read shows it. Translating needs a permission to read users, which the application may not
        have."""
        as_graph = exchange_ids.respelled(event.event) if is_ews_spelling(event.event) else event.event
        path = f"{event_path(replace(event, event=as_graph))}?$select=id"
        return exchange_ids.shown(self._connection.call("read", event, "GET", path, PREFER).body)

    def _page(self, watch: Watch, path: str, cursor: str | None) -> tuple[dict[str, Json], Answer]:
        try:
            answer = self._connection.call("read", watch.place, "GET", path, PREFER)
        except (NotFound, Refused) as error:  # a lost state is any 40x; a walk is told what else is wrong
            if cursor is None:
                raise
            raise CursorLost(str(error)) from error
        try:
            page = json.loads(answer.body)
            if isinstance(page, dict) and isinstance(page.get("value"), list):
                return page, answer
            raise ValueError("it has no value")
        except (ValueError, RecursionError) as error:
            raise _unreadable(answer, error) from error

    def _end(self, page: dict[str, Json], answer: Answer) -> str:
        cursor = self._link(page, "@odata.deltaLink", answer)
        if cursor is None:
            raise _unreadable(answer, "it has neither nextLink nor deltaLink")
        return cursor

    def _link(self, page: dict[str, Json], name: str, answer: Answer) -> str | None:
        try:
            return path_of(page.get(name), self._base_url)
        except ValueError as error:
            raise _unreadable(answer, error) from error


def start(watch: Watch, now: datetime) -> str:
    """Where a first round begins: a path below the base URL."""
    first, last = (rfc3339(now + distance) for distance in WINDOW)
    window = urlencode({"startDateTime": first, "endDateTime": last})
    return f"{owner_path(watch.place)}/calendarView/delta?{window}"


def read(page: dict[str, Json], answer: Answer, properties: Collection[str]) -> list[Item]:
    """The events on a page. A meeting of a series stands for its series, which is what notifications name."""
    try:
        return [_item(one, properties) for one in page["value"]]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _unreadable(answer, error) from error


def _item(document: Json, properties: Collection[str]) -> Item:
    if "@removed" in document:
        return Item(str(document["id"]), deleted=True)
    if document.get("type") == _OCCURRENCE:
        return Item(str(document.get("seriesMasterId") or document["id"]))
    etag = document.get("@odata.etag") or (f'W/"{document["changeKey"]}"' if document.get("changeKey") else None)
    # A body stored as text comes as HTML here and as text from a read, as if somebody had changed it: so it is left to
    # a read.
    told = document.keys() - ({"body"} if body.stored_as_text(document.get("body")) else set())
    names = [name for name in properties if name in told]
    if etag is None or not names:
        return Item(str(document["id"]), etag)
    event = resources.read_event(json.dumps(document).encode(), names)
    return Item(event.id, event.version, event.properties)


def _each_once(items: list[Item]) -> list[Item]:
    """Each event once, with what was told last; for the meetings of a series the series itself, if it came too."""
    last: dict[str, Item] = {}
    for item in items:
        if item.version is not None or item.deleted or item.event not in last:
            last[item.event] = item
    return list(last.values())


def _unreadable(answer: Answer, why: object) -> ExchangeError:
    return unreadable("read", answer, f"this is no page of a delta: {why}")
