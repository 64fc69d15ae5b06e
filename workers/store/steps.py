"""The life of a job, in order: nearly every method is one script of workers/store/lua."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from workers.clock import now
from workers.job import Attempt, Failure
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.store.connection import Connection, StoreUnavailable
from workers.store.milliseconds import ms
from workers.store.records import Accepted, Callback, Cancelled, Grant, Ring, callback_arguments, rings
from workers.update import Update, compact, rfc3339, without_defaults

KEY_LIFE = timedelta(hours=72)
SEEN_LIFE = timedelta(minutes=15)
"""More than twice the tolerance of a signature's timestamp."""
SETTLED_LIFE = timedelta(days=10)
DEAD_LIFE = timedelta(days=30)
BRIEF_LIFE = timedelta(hours=1)
"""For jobs that nobody asks about by their ids: there is one for each change in a watched mailbox."""
_STEP = 100
_PIECE = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """How many unsettled updates a client and a mailbox may have."""

    client: int
    mailbox: int


class BacklogFull(Exception):
    """As many updates as may wait are waiting already, for ``which``: the ``client`` or the ``mailbox``. Nothing was
    stored."""

    def __init__(self, which: str) -> None:
        super().__init__(f"too many updates of this {which} wait already")
        self.which = which


class Steps:
    """Every method raises StoreUnavailable where Redis does not answer."""

    def __init__(self, connection: Connection, *, lease: timedelta, grace: timedelta) -> None:
        self._redis = connection
        self._lease = ms(lease)
        self._grace = ms(grace)
        self._stepped_over: dict[str, int] = {}
        """List → how many of its oldest entries the last ``trim`` found to be alive and stepped over."""
        self._unanswered: set[tuple[str, str]] = set()
        """Claims, by job and token, that the store may have granted although its answer did not reach us."""

    def accept(
        self, update: Update, *, key: str, fingerprint: str, room: int, limits: Limits | None = None
    ) -> Accepted:
        """Take an update in; it is durable when this returns. ``key``: the caller's idempotency key, already hashed;
        ``room``: how many jobs may run at once in the mailbox. Raises BacklogFull."""
        self._redis.check_now_and_then()
        life = max(KEY_LIFE, update.life + timedelta(days=1))
        target = update.target
        most = (limits.client, limits.mailbox) if limits else (0, 0)
        kept_id, kept_fingerprint, to_ring = self._redis.run_durably(
            "accept", update.id, update.to_json(), update.client, target.owner, target.line, target.lane, room,
            update.label, f"{update.client}/{key}", fingerprint, ms(life), self._grace, *most,
            ms(update.deadline),
        )  # fmt: skip
        if kept_id == "":
            raise BacklogFull(kept_fingerprint)
        return Accepted(kept_id, kept_id == update.id, kept_fingerprint == fingerprint, rings(to_ring))

    def first_key(self, client: str, message: str, key: str) -> str:
        """The idempotency key with which a signed message came first, which is ``key`` itself the first time. Both
        hashed.

        The message's id is signed, but an Idempotency-Key is not: so nobody who captured a signed request can have it
        done again under another key.
        """
        place = f"rdv:seen:{client}/{message}"
        earlier = self._redis.call("set", place, key, nx=True, get=True, px=ms(SEEN_LIFE))
        return str(earlier or key)

    def claim(self, job_id: str) -> Grant | None:
        """The right to run the job. None if there is nothing to do: it runs or has ended, it is not at the head of its
        line or not yet due, or its lane has no room (then it is rung when there is)."""
        token = uuid4().hex
        try:
            answer = self._redis.run("claim", job_id, token, self._lease, rfc3339(now()))
        except StoreUnavailable:
            self._unanswered.add((job_id, token))
            raise
        if answer[0] != "granted":
            return None
        _, fence, claims, attempts, before_replay, lost, kind, body, intent, doubt, ago = answer
        tries = attempts - before_replay - lost
        intended_ago = timedelta(milliseconds=ago)
        return Grant(
            job_id, fence, kind, body, claims, attempts, tries, intent or None, doubt == "1", intended_ago, lost
        )

    def renew(self, grants: Iterable[Grant]) -> set[str]:
        """Extend the leases. Returns the ids of the jobs whose leases are lost."""
        held = [part for grant in grants for part in (grant.id, grant.fence)]
        return set(self._redis.run("renew", self._lease, *held)) if held else set()

    def intend(self, grant: Grant, intent: str) -> timedelta | None:
        """Record durably what is about to be written. Zero: go on. Longer: the lane has been paused meanwhile for so
        long. None: the right to run is lost. In these two cases nothing was recorded and nothing may be sent."""
        wait = self._redis.run("intend", grant.id, grant.fence, intent)
        return None if wait < 0 else timedelta(milliseconds=wait)

    def settle(
        self, grant: Grant, attempt: Attempt, outcome: Outcome, callback: Callback | None = None
    ) -> tuple[bool, tuple[Ring, ...]]:
        """End the attempt. False if the right to run has been lost meanwhile: then nothing has changed."""
        end = _ending(outcome, grant.kind)
        finished = "" if end.verb == "retry" else attempt.endedAt
        done, to_ring = self._redis.run(
            "settle", grant.id, grant.fence, end.verb, compact(without_defaults(attempt)), end.result, end.failure,
            finished, ms(end.delay), ms(end.pause or timedelta()), "1" if end.doubt else "", ms(end.life), self._grace,
            end.wrote, end.intent, *callback_arguments(callback),
        )  # fmt: skip
        return bool(done), rings(to_ring)

    def hand_back(self, grants: Iterable[Grant]) -> tuple[Ring, ...]:
        """Give up the right to run these jobs, and those whose claim may have been granted without our hearing of
        it."""
        unanswered = tuple(self._unanswered)
        held = [part for grant in grants for part in (grant.id, grant.fence)]
        held += [part for claim in unanswered for part in claim]
        to_ring = rings(self._redis.run("hand_back", self._grace, rfc3339(now()), *held)) if held else ()
        self._unanswered.difference_update(unanswered)
        return to_ring

    def cancel(
        self, job_id: str, finished_at: str, callback: Callback | None = None
    ) -> tuple[Cancelled, tuple[Ring, ...]]:
        """Take a waiting update back. ``finished_at``: RFC 3339."""
        said, to_ring = self._redis.run(
            "cancel", job_id, uuid4().hex, finished_at, ms(SETTLED_LIFE), self._grace, *callback_arguments(callback)
        )
        return Cancelled(said), rings(to_ring)

    def overdue(self, now: datetime, limit: int) -> list[str]:
        """Updates whose deadline has passed while they waited."""
        return list(self._redis.call("zrangebyscore", "rdv:deadlines", "-inf", ms(now), start=0, num=limit))

    def expire(
        self, job_id: str, now: datetime, failure: Failure, callback: Callback | None = None
    ) -> tuple[Ring, ...]:
        """Give up an update that is overdue and waits. One that runs or is in doubt is left to its next attempt, which
        judges the deadline."""
        to_ring = self._redis.run(
            "expire", job_id, ms(now), compact(failure.to_json()), rfc3339(now), ms(DEAD_LIFE), self._grace,
            *callback_arguments(callback),
        )  # fmt: skip
        return rings(to_ring)

    def replay(self, job_id: str, update: Update | None = None) -> tuple[bool, tuple[Ring, ...]]:
        """Bring a dead letter back to the end of its line, as ``update`` if that is given. False if it is none any
        more."""
        return self.replay_all([(job_id, update)])[0]

    def replay_all(self, jobs: Iterable[tuple[str, Update | None]]) -> list[tuple[bool, tuple[Ring, ...]]]:
        """The same of many, in this order and in one round trip."""
        many = [
            (job_id, uuid4().hex, *((update.to_json(), ms(update.deadline)) if update else ("", "")), self._grace)
            for job_id, update in jobs
        ]
        return [(bool(done), rings(to_ring)) for done, to_ring in self._redis.run_all("replay", many)]

    def discard(self, job_id: str) -> bool:
        """Take a dead letter off the list; the job can be read until its life is over. False if it is none any more."""
        return bool(self._redis.run("discard", job_id, uuid4().hex))

    def sweep(self) -> Iterator[tuple[Ring, ...]]:
        """Look at whatever is past due, step by step; the bells to ring."""
        while True:
            looked_at, to_ring = self._redis.run("sweep", _STEP, self._grace, rfc3339(now()), self._lease)
            yield rings(to_ring)
            if looked_at < _STEP:
                return

    def set_rooms(self, rooms: Mapping[str, int]) -> None:
        """Backend → how many jobs may run at once in one of its mailboxes, whatever ``room`` they were accepted
        with."""
        self._redis.run("rooms", *(part for room in rooms.items() for part in room))

    def trim(self, client: str, at_most: int = 10_000) -> int:
        """Remove jobs whose life is over from the client's lists; how many. Of each list at most so many are looked at,
        oldest first, and the next call goes on behind those that are still alive: a dead letter outlives jobs that
        succeeded later."""
        old = self._redis.now() - ms(SETTLED_LIFE)
        return sum(self._trim(f"{lists}:{client}", old, at_most) for lists in ("rdv:updates", "rdv:dead"))

    def _trim(self, key: str, old: int, at_most: int) -> int:
        gone, kept = 0, self._stepped_over.pop(key, 0)
        for _ in range(0, at_most, _PIECE):
            ids = self._redis.call("zrangebyscore", key, "-inf", old, start=kept, num=_PIECE)
            alive = self._redis.call_all(("exists", f"rdv:job:{job_id}") for job_id in ids)
            over = [job_id for job_id, there in zip(ids, alive, strict=True) if not there]
            gone += self._redis.call("zrem", key, *over) if over else 0
            kept += len(ids) - len(over)
            if len(ids) < _PIECE:
                return gone
        self._stepped_over[key] = kept
        return gone


@dataclass(frozen=True, slots=True)
class _Ending:
    """An outcome as lua/settle takes it."""

    verb: str
    life: timedelta
    result: str = ""
    failure: str = ""
    wrote: str = ""
    delay: timedelta = timedelta()
    pause: timedelta | None = None
    doubt: bool = False
    intent: str = ""


def _ending(outcome: Outcome, kind: str) -> _Ending:
    brief = kind in ("notification", "watch")  # nobody asks about these by their ids
    match outcome:
        case Succeeded(result=result, wrote=wrote):
            return _Ending(
                "succeed",
                BRIEF_LIFE if brief else SETTLED_LIFE,
                result=compact(result.to_json()) if result else "",
                wrote=wrote.to_line() if wrote else "",
            )
        case Dead(failure=failure, pause=pause, intent=intent):
            doubt, life = failure.error_class == "unknownOutcome", BRIEF_LIFE if brief else DEAD_LIFE
            failed = compact(failure.to_json())
            return _Ending("die", life, failure=failed, pause=pause, doubt=doubt, intent=intent)
        case Retry(after=delay, pause=pause, in_doubt=doubt, intent=intent):
            return _Ending("retry", SETTLED_LIFE, delay=delay, pause=pause, doubt=doubt, intent=intent)
