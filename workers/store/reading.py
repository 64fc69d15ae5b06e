"""What can be asked of the store without changing it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any, TypeVar, cast

import structlog

from workers.job import Attempt, Kind, State, UpdateJob
from workers.store.connection import Connection
from workers.store.records import DeadLetter, Page, callback_state, dead_letter, history, update_job
from workers.update import Update
from workers.versions import Wrote

_SCAN = 200
T = TypeVar("T")

_log = structlog.get_logger(__name__)


class BadCursor(ValueError):
    """The cursor was not made by this list."""


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Which dead letters: those of a client for which all that is not None holds. ``error_class`` is the contract's
    ``class``; ``since``: died at or after, aware."""

    client: str
    kind: Kind | None = None
    error_class: str | None = None
    mailbox: str | None = None
    since: datetime | None = None

    def includes(self, letter: DeadLetter) -> bool:
        return (
            self.kind in (None, letter.kind)
            and self.error_class in (None, letter.error["class"])
            and (self.mailbox is None or letter.owner == self.mailbox.lower())
            and (self.since is None or datetime.fromisoformat(letter.died_at) >= self.since)
        )


class Reading:
    """Every method raises StoreUnavailable where Redis does not answer."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def earlier(self, client: str, key: str) -> str | None:
        """The id of the update that an idempotency key stands for."""
        kept = cast("str | None", self._redis.call("get", f"rdv:key:{client}/{key}"))
        return kept.split(" ")[0] if kept else None

    def update(self, job_id: str) -> UpdateJob | None:
        """The update and its life so far, or None where there is no such update (any more), or none that can be read:
        then its dead letter tells what is known."""
        job = self._job(job_id)
        if job.get("kind") != "update":
            return None
        try:
            return self._update(job)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _log.error("a stored update cannot be read", job=job_id, error=type(error).__name__)
            return None

    def _update(self, job: Mapping[str, str]) -> UpdateJob:
        update, callback = Update.from_json(job["body"]), job.get("callback")
        if update.callback_url is None or callback is None:
            return update_job(update, job, None)
        state, attempts = self._redis.call("hmget", f"rdv:job:{callback}", "state", "attempts")
        return update_job(update, job, callback_state(update.callback_url, state, attempts))

    def history(self, job_id: str) -> tuple[Attempt, ...]:
        """The attempts of a job, oldest first."""
        return history(self._redis.call("hget", f"rdv:job:{job_id}", "attempts"))

    def updates(self, client: str, *, state: State | None, mailbox: str | None, limit: int, cursor: str | None) -> Page:
        """A client's updates, newest first. ``cursor``: the ``next_cursor`` of the page before."""

        def wanted(ids: list[str]) -> list[str]:
            if state is None and mailbox is None:
                return ids
            rows = self._redis.call_all(("hmget", f"rdv:job:{job_id}", "state", "owner") for job_id in ids)
            return [
                job_id
                for job_id, (is_state, owner) in zip(ids, rows, strict=True)
                if (state is None or is_state == state) and (mailbox is None or owner == mailbox.lower())
            ]

        jobs, more = self._page(f"rdv:updates:{client}", cursor, limit, wanted, self.update)
        return Page(jobs, jobs[-1].update.id if more else None)

    def dead_letters(
        self, which: DeadLetters, limit: int, cursor: str | None = None
    ) -> tuple[tuple[DeadLetter, ...], str | None]:
        """The dead letters, last died first, and the cursor of the next page."""

        def chosen(job_id: str) -> DeadLetter | None:
            letter = self.dead_letter(job_id)
            return letter if letter is not None and which.includes(letter) else None

        letters, more = self._page(f"rdv:dead:{which.client}", cursor, limit, list, chosen)
        return letters, letters[-1].id if more else None

    def dead_from_the_oldest(self, which: DeadLetters) -> Iterator[DeadLetter]:
        """Those that are dead now, first died first: replaying or discarding some of them meanwhile shifts nothing."""
        for job_id in self._redis.call("zrange", f"rdv:dead:{which.client}", 0, -1):
            if (letter := self.dead_letter(job_id)) is not None and which.includes(letter):
                yield letter

    def dead_letter(self, job_id: str) -> DeadLetter | None:
        """One dead letter, or None where it is none."""
        job = self._job(job_id)
        if job.get("state") != State.DEAD or self._redis.call("zscore", f"rdv:dead:{job['client']}", job_id) is None:
            return None
        return dead_letter(job_id, job)

    def wrote(self, line: str) -> list[Wrote]:
        """Our last writes of an event, newest first."""
        key = f"rdv:wrote:{sha1(line.encode(), usedforsecurity=False).hexdigest()}"
        return [Wrote.from_line(one) for one in self._redis.call("lrange", key, 0, -1)]

    def unanswered(self, kinds: Collection[Kind], bells: int) -> list[str]:
        """Jobs of these kinds, among the first in the due set, whose bell has been rung so often and never answered."""
        ids = [member for member in self._redis.call("zrange", "rdv:due", 0, _SCAN) if not member.startswith("lane/")]
        rows = self._redis.call_all(("hmget", f"rdv:job:{job_id}", "kind", "bells", "state") for job_id in ids)
        return [
            job_id
            for job_id, (kind, rung, state) in zip(ids, rows, strict=True)
            if kind in kinds and int(rung or 0) >= bells and state != State.RUNNING
        ]

    def swept_at(self) -> datetime | None:
        """When sweep last ran, by the store's clock."""
        moment = self._redis.call("get", "rdv:swept")
        return None if moment is None else datetime.fromtimestamp(int(moment) / 1000, UTC)

    def time(self) -> datetime:
        """The store's clock."""
        seconds, micros = self._redis.call("time")
        return datetime.fromtimestamp(seconds + micros / 1e6, UTC)

    def _job(self, job_id: str) -> Mapping[str, str]:
        return cast("Mapping[str, str]", self._redis.call("hgetall", f"rdv:job:{job_id}"))

    def _page(
        self,
        key: str,
        cursor: str | None,
        limit: int,
        wanted: Callable[[list[str]], list[str]],
        read: Callable[[str], T | None],
    ) -> tuple[tuple[T, ...], bool]:
        """The next ``limit`` of a list, newest first, and whether there are more."""
        position, found = self._position(key, cursor), cast("list[T]", [])
        while True:
            ids: list[str] = self._redis.call("zrevrange", key, position, position + _SCAN - 1)
            for job_id in wanted(ids):
                if (one := read(job_id)) is None:
                    continue
                if len(found) == limit:
                    return tuple(found), True
                found.append(one)
            if len(ids) < _SCAN:
                return tuple(found), False
            position += _SCAN

    def _position(self, key: str, cursor: str | None) -> int:
        """A cursor is the last id of the page before, so that what came since shifts nothing."""
        if cursor is None:
            return 0
        rank: Any = self._redis.call("zrevrank", key, cursor)
        if rank is None:
            raise BadCursor("the cursor is not one that this list gave out, or its page is past retention")
        return int(rank) + 1
