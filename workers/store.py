"""The one place that knows Redis: every key, and the atomic steps by which a job moves.

The store knows, Celery rings (ops/decisions/0001). Each step is one Lua script in workers/lua/ and gives the same
result when it is sent twice, because the client re-sends after a lost reply. Moments that decide anything are the
store's own (``TIME``); moments shown to people come from the caller.

    key                      type    what                                                           life
    rdv:job:{id}             hash    kind state body client owner line lane room label accepted     unsettled: for ever;
                                     due bells not_before token fence started claims settled        settled: RETENTION
                                     intent doubt result error finished callback
    rdv:attempts:{id}        list    the attempts, oldest first, as JSON                            as the job
    rdv:line:{line}          list    ids of the unsettled jobs of one event, oldest first           until empty
    rdv:running:{lane}       set     ids of the jobs that run in one mailbox                        until empty
    rdv:waiting:{lane}       zset    heads of lines that found the lane full or paused, by time     until empty
    rdv:paused:{lane}        string  until when the lane is paused, ms                              its own pause
    rdv:due                  zset    ids (and lane/{lane} while paused) by when sweep looks, ms     until empty
    rdv:dead                 zset    ids of dead letters by when they died, ms                      with the job
    rdv:key:{client/sha256}  hash    idempotency key: id, fingerprint of the body                   KEY_LIFE
    rdv:updates:{client}     zset    ids of a client's updates by acceptance, ms                    RETENTION
    rdv:fence                string  counter; each claim gets the next                              for ever
    rdv:swept                string  when sweep last ran, ms                                        for ever

A head of a line is in exactly one of rdv:due and rdv:waiting; the jobs behind it are in neither.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.resources import files
from typing import Any, cast
from uuid import uuid4

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.commands.core import Script
from redis.exceptions import RedisError
from redis.retry import Retry as Resend

from workers.job import Attempt, CallbackState, Kind, State, UpdateJob
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.settings import Settings
from workers.update import Update, rfc3339

RETENTION = timedelta(days=30)
KEY_LIFE = timedelta(hours=72)
_ALLOWED_WHEN_FULL = ("claim", "renew", "intend", "settle", "hand_back", "sweep", "cancel")
"""What only finishes work must go on when Redis is full, so that it can drain; taking work in must not."""
_SCAN = 200
_CHECK_EVERY = 5.0
"""Seconds after which intake asks again whether the store would keep what it is given."""


CALLBACK_STATES = {"succeeded": "delivered", "dead": "dead"}


class StoreUnavailable(Exception):
    """The store cannot be reached, is full, or would not keep what it is given."""


class BadCursor(ValueError):
    """The cursor was not made by this list."""


@dataclass(frozen=True, slots=True)
class Ring:
    """A bell that should ring: which job, of what kind, and how people are to see it."""

    id: str
    kind: Kind
    label: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """``created`` is False where the client used the key before: ``id`` is the earlier update then."""

    id: str
    created: bool
    same_body: bool
    rings: tuple[Ring, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to run a job until its lease ends. ``claims`` counts the claims since the last outcome, this one
    included; ``attempts`` the attempts before this one; ``in_doubt``: an earlier write may have been applied."""

    id: str
    fence: int
    kind: Kind
    body: str
    claims: int
    attempts: int
    intent: str | None
    in_doubt: bool


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback job to be made in the same step in which its update is settled."""

    id: str
    body: str
    client: str
    owner: str
    line: str
    lane: str
    room: int
    label: str


@dataclass(frozen=True, slots=True)
class Page:
    jobs: tuple[UpdateJob, ...]
    next_cursor: str | None


class Cancelled(StrEnum):
    """What came of a wish to cancel."""

    CANCELLED = "cancelled"
    RUNNING = "running"
    ENDED = "ended"
    UNKNOWN = "unknown"


class Store:
    """The jobs. Thread-safe. Every method raises StoreUnavailable where Redis does not answer."""

    def __init__(self, redis: Redis, *, lease: timedelta, grace: timedelta) -> None:
        self._redis = redis
        self._lease = lease
        self._grace = grace
        shared = files("workers").joinpath("lua/shared.lua").read_text()
        self._checked = -_CHECK_EVERY
        self._scripts: dict[str, Script] = {}
        for name in ("accept", *_ALLOWED_WHEN_FULL):
            head = "#!lua flags=allow-oom\n" if name in _ALLOWED_WHEN_FULL else "#!lua\n"
            body = files("workers").joinpath(f"lua/{name}.lua").read_text()
            self._scripts[name] = redis.register_script(head + shared + body)

    @classmethod
    def connect(cls, settings: Settings) -> Store:
        redis = Redis.from_url(
            settings.store_url,
            decode_responses=True,
            socket_timeout=5,
            socket_connect_timeout=2,
            health_check_interval=30,
            retry=Resend(ExponentialBackoff(cap=0.5, base=0.05), 3),
        )
        engine = settings.engine
        return cls(redis, lease=timedelta(seconds=engine.lease), grace=timedelta(seconds=engine.grace))

    # The life of a job, in the order in which it is lived.

    def accept(self, update: Update, *, key: str, fingerprint: str, room: int) -> Accepted:
        """Take an update in; it is durable when this returns. ``key``: the caller's idempotency key, already hashed;
        ``room``: how many jobs may run at once in the mailbox."""
        self._check_now_and_then()
        life = max(KEY_LIFE, update.deadline - update.created_at + timedelta(days=1))
        target = update.target
        kept_id, kept_fingerprint, rings = self._run(
            "accept", update.id, update.to_json(), update.client, target.owner, target.line, target.lane, room,
            update.label, f"{update.client}/{key}", fingerprint, _ms(life), _ms(self._grace),
        )  # fmt: skip
        return Accepted(kept_id, kept_id == update.id, kept_fingerprint == fingerprint, _rings(rings))

    def claim(self, job_id: str) -> Grant | None:
        """The right to run the job, or None where there is nothing to do: it runs, ended, is not at the head of its
        line, not yet due, or its lane has no room (then it is rung when there is)."""
        answer = self._run("claim", job_id, uuid4().hex, _ms(self._lease), rfc3339(_now()))
        if answer[0] != "granted":
            return None
        _, fence, claims, attempts, kind, body, intent, doubt = answer
        return Grant(job_id, fence, kind, body, claims, attempts, intent or None, doubt == "1")

    def renew(self, grants: Iterable[Grant]) -> set[str]:
        """Extend the leases; the ids of those that are lost."""
        held = [part for grant in grants for part in (grant.id, grant.fence)]
        return set(self._run("renew", _ms(self._lease), *held)) if held else set()

    def intend(self, grant: Grant, intent: str) -> bool:
        """Record durably what is about to be written. False: the right to run is lost and nothing may be sent."""
        return bool(self._run("intend", grant.id, grant.fence, intent))

    def settle(
        self, grant: Grant, attempt: Attempt, outcome: Outcome, callback: Callback | None = None
    ) -> tuple[bool, tuple[Ring, ...]]:
        """End the attempt. False where the right to run was lost meanwhile: then nothing has changed."""
        verb, result, failure, delay, pause, doubt = "succeed", "", "", timedelta(), timedelta(), ""
        match outcome:
            case Succeeded(result=value):
                result = json.dumps(value.to_json()) if value else ""
            case Dead(failure=why):
                verb, failure = "die", json.dumps(why.to_json())
            case Retry():
                verb, delay, pause = "retry", outcome.after, outcome.pause or timedelta()
                doubt = "1" if outcome.in_doubt else ""
        done, rings = self._run(
            "settle", grant.id, grant.fence, verb, json.dumps(asdict(attempt)), result, failure,
            "" if verb == "retry" else attempt.endedAt, _ms(delay), _ms(pause), doubt, _ms(RETENTION),
            _ms(self._grace), *_callback_arguments(callback),
        )  # fmt: skip
        return bool(done), _rings(rings)

    def hand_back(self, grants: Iterable[Grant]) -> tuple[Ring, ...]:
        """Give up the right to run these jobs, because this process is being stopped."""
        held = [part for grant in grants for part in (grant.id, grant.fence)]
        return _rings(self._run("hand_back", _ms(self._grace), rfc3339(_now()), *held)) if held else ()

    def cancel(self, job_id: str, callback: Callback | None = None) -> tuple[Cancelled, tuple[Ring, ...]]:
        """Take a waiting update back."""
        said, rings = self._run(
            "cancel", job_id, rfc3339(_now()), _ms(RETENTION), _ms(self._grace), *_callback_arguments(callback)
        )
        return Cancelled(said), _rings(rings)

    def sweep(self, limit: int = 100) -> Iterator[tuple[Ring, ...]]:
        """Look at whatever is past due, in steps of ``limit``; the bells to ring."""
        while True:
            looked_at, rings = self._run("sweep", limit, _ms(self._grace), rfc3339(_now()))
            yield _rings(rings)
            if looked_at < limit:
                return

    # Reading.

    def earlier(self, client: str, key: str) -> str | None:
        """The id of the update that an idempotency key stands for."""
        return cast("str | None", self._call("hget", f"rdv:key:{client}/{key}", "id"))

    def update(self, job_id: str) -> UpdateJob | None:
        """The update and its life so far, or None where there is no such update (any more)."""
        found = self._read([job_id])
        return found[0] if found else None

    def updates(self, client: str, *, state: State | None, mailbox: str | None, limit: int, cursor: str | None) -> Page:
        """A client's updates, newest first. ``cursor``: the ``next_cursor`` of the page before."""
        key, position = f"rdv:updates:{client}", self._position(client, cursor)
        chosen: list[UpdateJob] = []
        while True:
            ids = cast("list[str]", self._call("zrevrange", key, position, position + _SCAN - 1))
            wanted = self._wanted(ids, state, mailbox)
            for job_id in ids:
                if job_id in wanted:
                    if len(chosen) == limit:
                        return Page(tuple(chosen), chosen[-1].update.id)
                    chosen += self._read([job_id])
            if len(ids) < _SCAN:
                return Page(tuple(chosen), None)
            position += _SCAN

    def unanswered(self, kinds: Collection[Kind], bells: int) -> list[str]:
        """Jobs of these kinds, among the first in the due set, whose bell has been rung so often and never answered."""
        ids = [member for member in self._call("zrange", "rdv:due", 0, _SCAN) if not member.startswith("lane/")]
        pipe = self._redis.pipeline(transaction=False)
        for job_id in ids:
            pipe.hmget(f"rdv:job:{job_id}", "kind", "bells", "state")
        return [
            job_id
            for job_id, (kind, rung, state) in zip(ids, self._executed(pipe), strict=True)
            if kind in kinds and int(rung or 0) >= bells and state != State.RUNNING
        ]

    def check(self) -> None:
        """Raise StoreUnavailable unless the store answers and would keep what it is given: it never evicts, and it
        writes an append-only file."""
        memory = cast("dict[str, Any]", self._call("info", "memory"))
        if memory.get("maxmemory", 0) and memory.get("maxmemory_policy") != "noeviction":
            raise StoreUnavailable(
                f"the store evicts keys (maxmemory-policy {memory.get('maxmemory_policy')}); set it to noeviction"
            )
        persistence = cast("dict[str, Any]", self._call("info", "persistence"))
        if not persistence.get("aof_enabled"):
            raise StoreUnavailable("the store does not persist: set appendonly yes and appendfsync always")
        if persistence.get("aof_last_write_status") != "ok":
            raise StoreUnavailable("the store cannot write its append-only file: its disk is full or failing")

    def close(self) -> None:
        self._redis.close()

    def _check_now_and_then(self) -> None:
        if time.monotonic() - self._checked > _CHECK_EVERY:
            self.check()
            self._checked = time.monotonic()

    def _position(self, client: str, cursor: str | None) -> int:
        """A cursor is the last id of the page before, so that updates that came since shift nothing."""
        if cursor is None:
            return 0
        rank = self._call("zrevrank", f"rdv:updates:{client}", cursor)
        if rank is None:
            raise BadCursor("the cursor is not one that this list gave out, or its page is past retention")
        return int(rank) + 1

    def _wanted(self, ids: list[str], state: State | None, mailbox: str | None) -> set[str]:
        if state is None and mailbox is None:
            return set(ids)
        pipe = self._redis.pipeline(transaction=False)
        for job_id in ids:
            pipe.hmget(f"rdv:job:{job_id}", "state", "owner")
        rows = self._executed(pipe)
        return {
            job_id
            for job_id, (is_state, owner) in zip(ids, rows, strict=True)
            if (state is None or is_state == state) and (mailbox is None or owner == mailbox.lower())
        }

    def _read(self, ids: list[str]) -> list[UpdateJob]:
        pipe = self._redis.pipeline(transaction=False)
        for job_id in ids:
            pipe.hgetall(f"rdv:job:{job_id}")
            pipe.lrange(f"rdv:attempts:{job_id}", 0, -1)
        rows = self._executed(pipe)
        found = [
            (job, attempts) for job, attempts in zip(rows[::2], rows[1::2], strict=True) if job.get("kind") == "update"
        ]
        return [_update_job(job, attempts, self._callback_state(job)) for job, attempts in found]

    def _callback_state(self, job: dict[str, str]) -> CallbackState | None:
        url = Update.from_json(job["body"]).callback_url
        if url is None or not (callback := job.get("callback")):
            return None
        state = self._call("hget", f"rdv:job:{callback}", "state")
        attempts = self._call("llen", f"rdv:attempts:{callback}")
        return CallbackState(url, CALLBACK_STATES.get(state, "waiting"), attempts)

    def _run(self, script: str, *args: str | int) -> Any:
        try:
            return self._scripts[script](args=args)
        except RedisError as error:
            raise StoreUnavailable(f"the store did not {script}: {error}") from error

    def _call(self, command: str, *args: str | int) -> Any:
        try:
            return getattr(self._redis, command)(*args)
        except RedisError as error:
            raise StoreUnavailable(f"the store did not answer: {error}") from error

    def _executed(self, pipe: Any) -> list[Any]:
        try:
            return cast("list[Any]", pipe.execute())
        except RedisError as error:
            raise StoreUnavailable(f"the store did not answer: {error}") from error


def _update_job(job: dict[str, str], attempts: list[str], callback: CallbackState | None) -> UpdateJob:
    due = job.get("not_before") or None
    return UpdateJob(
        update=Update.from_json(job["body"]),
        state=State(job["state"]),
        attempts=tuple(Attempt(**json.loads(attempt)) for attempt in attempts),
        result=json.loads(job["result"]) if job.get("result") else None,
        error=json.loads(job["error"]) if job.get("error") else None,
        due_at=rfc3339(datetime.fromtimestamp(int(due) / 1000, UTC)) if due and due != "0" else None,
        finished_at=job.get("finished"),
        callback=callback,
    )


def _callback_arguments(callback: Callback | None) -> tuple[str | int, ...]:
    if callback is None:
        return ("",) * 8
    return (callback.id, callback.body, callback.client, callback.owner, callback.line, callback.lane, callback.room,
            callback.label)  # fmt: skip


def _rings(raw: list[list[str]]) -> tuple[Ring, ...]:
    return tuple(Ring(job_id, cast("Kind", kind), label) for job_id, kind, label in raw)


def _ms(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)


def _now() -> datetime:
    return datetime.now(UTC)
