"""Looking for updates over several clients at once, newest first, as the console's lists do."""

from __future__ import annotations

import heapq
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import cast

from workers.job import State
from workers.store.connection import Connection
from workers.store.reading import BadCursor

LOOKED_AT = 5_000
"""Entries that one question looks at; then the page ends, and its cursor goes on from there."""
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Search:
    """Those for which all that is not None holds. ``kind``: of job; ``error_class``: the contract's ``class``;
    ``since`` and ``until``: accepted at or after, before; aware."""

    state: State | None = None
    kind: str | None = None
    mailbox: str | None = None
    error_class: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Ids, newest first, and from where to go on; None: there is nothing more."""

    ids: tuple[str, ...]
    next_cursor: str | None


class Searching:
    """Every method raises StoreUnavailable where Redis does not answer."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def search_updates(self, clients: Collection[str], which: Search, limit: int, cursor: str | None = None) -> Found:
        """The updates of these clients that match. Raises BadCursor."""
        return self._search("rdv:updates", clients, which, limit, cursor)

    def search_dead(self, clients: Collection[str], which: Search, limit: int, cursor: str | None = None) -> Found:
        """Their dead letters, last died first; ``since`` and ``until`` mean when they died. Raises BadCursor."""
        return self._search("rdv:dead", clients, which, limit, cursor)

    def callback_of(self, update_id: str) -> str | None:
        """The id of the callback job that tells how the update ended."""
        return cast("str | None", self._redis.call("hget", f"rdv:job:{update_id}", "callback"))

    def _search(self, key: str, clients: Collection[str], which: Search, limit: int, cursor: str | None) -> Found:
        before = _position(cursor) if cursor else (self._redis.call("time")[0] * 1000 + 1000, "")
        lists = [self._entries(f"{key}:{client}", which, before) for client in clients]
        entries = islice(heapq.merge(*lists, reverse=True), LOOKED_AT)
        found: list[str] = []
        looked_at, last = 0, None
        while chunk := list(islice(entries, _CHUNK)):
            for entry, wanted in zip(chunk, self._judged([entry[1] for entry in chunk], which), strict=True):
                if wanted and len(found) == limit:
                    return Found(tuple(found), _cursor(last))
                last = entry
                looked_at += 1
                if wanted:
                    found.append(entry[1])
        return Found(tuple(found), _cursor(last) if looked_at == LOOKED_AT else None)

    def _entries(self, key: str, which: Search, before: tuple[int, str]) -> Iterator[tuple[int, str]]:
        """(ms, id) of one list, newest first, those before a position: what comes in meanwhile shifts nothing."""
        newest = str(min(before[0], _ms(which.until) - 1) if which.until else before[0])
        oldest, offset = str(_ms(which.since)) if which.since else "-inf", 0
        while True:
            rows = self._redis.call("zrevrangebyscore", key, newest, oldest, start=offset, num=_CHUNK, withscores=True)
            for member, score in rows:
                if (int(score), member) < before:
                    yield int(score), member
            if len(rows) < _CHUNK:
                return
            offset += _CHUNK

    def _judged(self, ids: list[str], which: Search) -> list[bool]:
        """For each id whether it is there and wanted."""
        rows = self._redis.call_all(("hmget", f"rdv:job:{job_id}", "state", "kind", "owner", "error") for job_id in ids)
        return [_matches(which, *cast("tuple[str | None, ...]", tuple(row))) for row in rows]


def _matches(which: Search, state: str | None, kind: str | None, owner: str | None, error: str | None) -> bool:
    return (
        state is not None
        and which.state in (None, state)
        and which.kind in (None, kind)
        and (which.mailbox is None or owner == which.mailbox.lower())
        and (which.error_class is None or (error is not None and json.loads(error)["class"] == which.error_class))
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _cursor(entry: tuple[int, str] | None) -> str | None:
    return f"{entry[0]}.{entry[1]}" if entry else None


def _position(cursor: str) -> tuple[int, str]:
    moment, _, member = cursor.partition(".")
    if not moment.isascii() or not moment.isdigit() or len(moment) > 15:
        raise BadCursor("the cursor is not one that this list gave out")
    return int(moment), member
