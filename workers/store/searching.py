"""The lists of updates and dead letters: over several clients at once, newest first, a bounded piece at a time.

A cursor is a moment and an id, so a page goes on from where the one before ended, whatever has come or gone since.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import cast

from workers.job import ErrorClass, Kind, State
from workers.store.connection import Connection
from workers.store.milliseconds import ms

LOOKED_AT = 5_000
"""How many entries one search looks at; then the page ends, and its cursor goes on from there."""
_CHUNK = 200
_NEWEST = (10**15, "")
"""Everything comes before this position."""


class BadCursor(ValueError):
    """The cursor was not made by a list."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for; None means any. ``kind``: of job. ``error_class``: the contract's ``class``. ``since`` and
    ``until`` (aware): accepted, or for dead letters died, at or after the one and before the other."""

    state: State | None = None
    kind: Kind | None = None
    mailbox: str | None = None
    error_class: ErrorClass | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Ids, newest first, and from where to go on; None: there is nothing more."""

    ids: tuple[str, ...]
    next_cursor: str | None


class Searching:
    """Every method raises StoreUnavailable where Redis does not answer."""

    _redis: Connection

    def search_updates(self, clients: Collection[str], which: Search, limit: int, cursor: str | None = None) -> Found:
        """The updates of these clients that match. Raises BadCursor."""
        return self._search("rdv:updates", clients, which, limit, cursor)

    def search_dead(self, clients: Collection[str], which: Search, limit: int, cursor: str | None = None) -> Found:
        """Their dead letters, last died first. Raises BadCursor."""
        return self._search("rdv:dead", clients, which, limit, cursor)

    def dead_from_the_oldest(self, client: str, which: Search) -> Iterator[list[str]]:
        """The ids of all that are dead now and match, first died first, in pieces. Replaying or discarding some of them
        meanwhile changes nothing about the rest."""
        newest = f"({ms(which.until)}" if which.until else "+inf"
        ids: list[str] = self._redis.call("zrangebyscore", f"rdv:dead:{client}", _oldest(which), newest)
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            yield [job_id for job_id, wanted in zip(chunk, self._judged(chunk, which), strict=True) if wanted]

    def _search(self, key: str, clients: Collection[str], which: Search, limit: int, cursor: str | None) -> Found:
        before = _position(cursor) if cursor else _NEWEST
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
        """(ms, id) of one list, newest first, from a position on. Each chunk begins at the last entry of the chunk
        before and not at a rank, so that entries that come in meanwhile shift nothing. ``offset`` serves the case that
        a whole chunk has the same millisecond."""
        at, offset = min(before, (ms(which.until), "")) if which.until else before, 0
        while True:
            rows = self._redis.call(
                "zrevrangebyscore", key, at[0], _oldest(which), start=offset, num=_CHUNK, withscores=True
            )
            further = [(int(score), member) for member, score in rows if (int(score), member) < at]
            yield from further
            if len(rows) < _CHUNK:
                return
            at, offset = (further[-1], 0) if further else (at, offset + _CHUNK)

    def _judged(self, ids: list[str], which: Search) -> list[bool]:
        """For each id whether its job is there and matches."""
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


def _oldest(which: Search) -> str:
    return str(ms(which.since)) if which.since else "-inf"


def _cursor(entry: tuple[int, str] | None) -> str | None:
    return f"{entry[0]}.{entry[1]}" if entry else None


def _position(cursor: str) -> tuple[int, str]:
    moment, _, member = cursor.partition(".")
    if not moment.isascii() or not moment.isdigit() or len(moment) > 15:
        raise BadCursor("the cursor is not one that this list gave out")
    return int(moment), member
