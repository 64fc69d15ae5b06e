"""Whatever is done to the store, in whatever order, each step sent once or twice: its invariants hold.

Hypothesis looks for an order of steps after which one does not, against a real server and beside a model of a few
dictionaries. Time is not waited for: what has to be over is moved into the past.

The long run: pytest tests/workers/store/test_store_machine.py --hypothesis-profile=long
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from tests.workers.given import NOW, accepted, an_attempt, an_update
from workers.identifiers import new_id
from workers.job import TRANSITIONS, failure
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.store import Callback, Cancelled, Grant, Store
from workers.store.connection import Connection

LATER = timedelta(hours=1)
DAYS = timedelta(days=2)
ROOM = {"anna@contoso.com": 1, "otto@contoso.com": 2}
EVENTS = (("anna@contoso.com", "A"), ("anna@contoso.com", "B"), ("anna@contoso.com", "C"),
          ("otto@contoso.com", "D"), ("otto@contoso.com", "E"), ("otto@contoso.com", "F"))  # fmt: skip
HOST = "callback/hr.example"
MOVES = {(before, after) for (before, _), after in TRANSITIONS.items()}
TALLIED = ("accepted", "succeeded", "dead", "cancelled")


class Twice(Connection):
    """Sends a step again if it is told to, as the client does after a lost answer: it answers the same."""

    twice = False

    def run(self, script: str, *args: str | int) -> Any:
        answer = super().run(script, *args)
        if self.twice:
            again = super().run(script, *args)
            if script in ("settle", "cancel", "replay", "claim"):
                assert again[0] == answer[0]
            elif script in ("discard", "intend", "renew"):
                assert again == answer
        return answer


@dataclass
class Job:
    """What a job has to be by now."""

    kind: str
    line: str
    lane: str
    state: str = "queued"
    delayed: bool = False
    doubt: bool = False
    grant: Grant | None = None
    """Of the run that is under way."""
    settled_by: int | None = None
    """The fence of the run that settled it last."""
    lease_over: bool = False
    discarded: bool = False

    @property
    def settled(self) -> bool:
        return self.state in ("succeeded", "dead", "cancelled")


@dataclass
class Model:
    """What the store has to hold."""

    jobs: dict[str, Job] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    room: dict[str, int] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    probing: set[str] = field(default_factory=set)
    opening: set[str] = field(default_factory=set)
    """Lanes whose pause is over, and which sweep has not looked at since."""
    happened: Counter[str] = field(default_factory=Counter)

    def put(self, job_id: str, job: Job) -> None:
        self.jobs[job_id] = job
        self.lines.setdefault(job.line, []).append(job_id)
        self.happened["accepted"] += 1

    def heads(self) -> set[str]:
        return {line[0] for line in self.lines.values() if line}

    def running(self, lane: str) -> set[str]:
        return {name for name, job in self.jobs.items() if job.state == "running" and job.lane == lane}

    def may_run(self, job_id: str) -> bool:
        job = self.jobs[job_id]
        waits = job.state in ("queued", "retrying") and not job.delayed and job_id in self.heads()
        return waits and job.lane not in self.paused and len(self.running(job.lane)) < self.open(job.lane)

    def open(self, lane: str) -> int:
        """How many may run in it at once."""
        return 1 if lane in self.probing else self.room[lane]

    def end(self, job_id: str, state: str) -> None:
        job = self.jobs[job_id]
        job.state, job.grant = state, None
        self.lines[job.line].remove(job_id)
        self.happened[state] += 1

    def take_back(self, job_id: str) -> None:
        job = self.jobs[job_id]
        job.state, job.grant, job.lease_over, job.delayed = "retrying", None, False, False


@dataclass(frozen=True)
class Found:
    """What the store holds."""

    states: dict[str, str]
    lines: dict[str, list[str]]
    running: dict[str, set[str]]
    waiting: dict[str, set[str]]
    due: set[str]
    deadlines: set[str]
    counted: dict[str, int]
    backlog: dict[str, int]
    happened: Counter[str]

    @classmethod
    def read(cls, redis: Redis, model: Model) -> Found:
        """In one round trip."""
        pipe: Any = redis.pipeline(transaction=False)
        for name in model.jobs:
            pipe.hget(f"rdv:job:{name}", "state")
        for line in model.lines:
            pipe.lrange(f"rdv:line:{line}", 0, -1)
        for lane in model.room:
            pipe.smembers(f"rdv:running:{lane}")
        for lane in model.room:
            pipe.zrange(f"rdv:waiting:{lane}", 0, -1)
        pipe.zrange("rdv:due", 0, -1)
        pipe.zrange("rdv:deadlines", 0, -1)
        for key in ("rdv:states", "rdv:backlog", "rdv:total"):
            pipe.hgetall(key)
        answers = iter(pipe.execute())
        happened = Counter[str]()
        found = cls(
            states={name: next(answers) for name in model.jobs},
            lines={line: next(answers) for line in model.lines},
            running={lane: set(next(answers)) for lane in model.room},
            waiting={lane: set(next(answers)) for lane in model.room},
            due=set(next(answers)),
            deadlines=set(next(answers)),
            counted={name: int(count) for name, count in next(answers).items()},
            backlog={name: int(count) for name, count in next(answers).items()},
            happened=happened,
        )
        for name, count in next(answers).items():
            happened[name.split("/")[0]] += int(count)
        return found


NUMBER = st.integers(0, 20)


class StoreMachine(RuleBasedStateMachine):
    """Jobs of four events in two mailboxes, and their callbacks."""

    redis: Redis
    """The server that the test gives."""

    @initialize()
    def begin(self) -> None:
        self.redis.flushall()
        self.store = Store(self.redis, lease=LATER, grace=LATER)
        self.sent = Twice(self.redis)
        self.store._redis = self.sent  # of all the store's parts
        self.model = Model(room={HOST: 1})
        self.grants: list[Grant] = []
        self.states: dict[str, str] = {}
        for where in EVENTS:
            self.accept(where, twice=False)

    # Few rules, each for several steps: Hypothesis leaves some rules out of each run, and of many too many.

    @rule(what=st.sampled_from(("claim",) * 6 + ("renew", "intend", "succeed", "die", "retry", "hand_back")),
          which=NUMBER, seldom=NUMBER, twice=st.booleans(), flags=st.tuples(*[st.booleans()] * 3))  # fmt: skip
    def workers(self, what: str, which: int, seldom: int, twice: bool, flags: tuple[bool, bool, bool]) -> None:
        self.sent.twice = twice
        if what == "claim":
            self.claim(which, of_all=seldom > 12)
        elif self.grants:
            getattr(self, what)(self._grant(which, stale=seldom > 15), *flags)

    @rule(what=st.sampled_from(("accept", "accept", "cancel", "expire", "replay", "discard")),
          which=NUMBER, twice=st.booleans())  # fmt: skip
    def people(self, what: str, which: int, twice: bool) -> None:
        self.sent.twice = twice
        if what == "accept":
            self.accept(EVENTS[which % len(EVENTS)], twice)
        else:
            getattr(self, what)(self._job(which, "retrying" if what in ("cancel", "expire") else "dead"))

    @rule(
        what=st.sampled_from(("sweep", "a_lease_ends", "delays_end", "pauses_end")), which=NUMBER, twice=st.booleans()
    )
    def time(self, what: str, which: int, twice: bool) -> None:
        self.sent.twice = twice
        getattr(self, what)(which)

    def accept(self, where: tuple[str, str], twice: bool) -> None:
        mailbox, event = where
        update = an_update(event, mailbox)
        self.model.room[update.target.lane] = ROOM[mailbox]
        for _ in range(1 + twice):
            assert accepted(self.store, update, room=ROOM[mailbox]).id == update.id
        self.model.put(update.id, Job("update", update.target.line, update.target.lane))

    def claim(self, which: int, of_all: bool) -> None:
        heads = sorted(filter(self.model.may_run, self.model.heads()))
        names = list(self.model.jobs) if of_all or not heads else heads
        job = names[which % len(names)]
        may = self.model.may_run(job)
        grant = self.store.claim(job)
        assert (grant is not None) == may
        if grant is not None:
            held = self.model.jobs[job]
            assert grant.in_doubt == held.doubt
            held.state, held.grant, held.lease_over = "running", grant, False
            self.grants.append(grant)

    def renew(self, grant: Grant, *_: bool) -> None:
        lost = self.store.renew([grant])
        holds = self._holds(grant)
        assert lost == (set() if holds or self.model.jobs[grant.id].settled_by == grant.fence else {grant.id})
        if holds:
            self.model.jobs[grant.id].lease_over = False

    def intend(self, grant: Grant, *_: bool) -> None:
        job = self.model.jobs[grant.id]
        self.sent.twice &= job.lane not in self.model.paused
        wait = self.store.intend(grant, "{}")
        assert (wait is None) == (not self._holds(grant))
        if wait is not None:
            assert bool(wait) == (job.lane in self.model.paused)
            job.doubt |= not wait

    def succeed(self, grant: Grant, calls_back: bool, *_: bool) -> None:
        self._settle(grant, Succeeded(None), "succeeded", calls_back)

    def die(self, grant: Grant, calls_back: bool, unknown: bool, _: bool) -> None:
        outcome = Dead(failure("unknownOutcome" if unknown else "refused", "X", "no"))
        self._settle(grant, outcome, "dead", calls_back)

    def retry(self, grant: Grant, delay: bool, pause: bool, doubt: bool) -> None:
        wait = LATER if delay else timedelta()
        busy = pause and grant.kind == "update"  # a callback host is paused by its breaker alone
        outcome = Retry("throttled", "busy", wait, LATER if busy else None, in_doubt=doubt)
        if not self._settle(grant, outcome, "retrying", calls_back=False):
            return
        job = self.model.jobs[grant.id]
        job.delayed, job.doubt = delay, doubt
        if busy:
            self.model.paused.add(job.lane)
            self.model.probing.add(job.lane)
        elif grant.kind == "callback":
            self.redis.delete(f"rdv:failures:{job.lane}")

    def hand_back(self, grant: Grant, *_: bool) -> None:
        self.store.hand_back([grant])
        if self._holds(grant):
            self.model.take_back(grant.id)

    def cancel(self, job: str) -> None:
        was = self.model.jobs[job]
        said, _ = self.store.cancel(job, "2026-11-21T09:00:00.000Z")
        if was.state in ("queued", "retrying") and not was.doubt:
            assert said is Cancelled.CANCELLED
            self.model.end(job, "cancelled")
        elif was.settled:
            assert said is Cancelled.ENDED
        else:
            assert said is Cancelled.RUNNING

    def expire(self, job: str) -> None:
        was, overdue = self.model.jobs[job], job in self.store.overdue(NOW + DAYS, 1000)
        self.store.expire(job, NOW + DAYS, failure("expired", "X", "too late"))
        if was.state in ("queued", "retrying") and not was.doubt and overdue:
            self.model.end(job, "dead")

    def replay(self, job: str) -> None:
        was = self.model.jobs[job]
        done, _ = self.store.replay(job)
        assert done == (was.state == "dead" and not was.discarded)
        if done:
            was.state, was.delayed = "queued", False
            self.model.lines[was.line].append(job)

    def discard(self, job: str) -> None:
        was = self.model.jobs[job]
        assert self.store.discard(job) == (was.state == "dead" and not was.discarded)
        was.discarded |= was.state == "dead"

    def sweep(self, _: int) -> None:
        for _rings in self.store.sweep():
            pass
        self.model.opening.clear()
        for name, job in self.model.jobs.items():
            if job.state == "running" and job.lease_over:
                self.model.take_back(name)

    def a_lease_ends(self, which: int) -> None:
        if self.grants and self._holds(grant := self._grant(which, stale=False)):
            self.redis.zadd("rdv:due", {grant.id: 1})
            self.model.jobs[grant.id].lease_over = True

    def delays_end(self, _: int) -> None:
        for name, job in self.model.jobs.items():
            if job.delayed and job.state == "retrying":
                self.redis.hset(f"rdv:job:{name}", "not_before", 1)
                self.redis.zadd("rdv:due", {name: 1}, xx=True)
                job.delayed = False

    def pauses_end(self, _: int) -> None:
        self.model.opening |= self.model.paused
        for lane in self.model.paused:
            self.redis.delete(f"rdv:paused:{lane}")
            self.redis.zadd("rdv:due", {f"lane/{lane}": 1})
        self.model.paused.clear()

    def _job(self, which: int, state: str = "") -> str:
        names = [name for name, job in self.model.jobs.items() if job.state == state] or list(self.model.jobs)
        return names[which % len(names)]

    def _grant(self, which: int, stale: bool) -> Grant:
        """One that is held, if possible; ``stale``: one whose job somebody else runs by now."""
        running = [grant for grant in self.grants if self.model.jobs[grant.id].state == "running"]
        grants = [grant for grant in running if stale != self._holds(grant)] or self.grants
        return grants[which % len(grants)]

    def _holds(self, grant: Grant) -> bool:
        return self.model.jobs[grant.id].grant == grant

    def _settle(self, grant: Grant, outcome: Outcome, state: str, calls_back: bool) -> bool:
        """Whether the right to run was held; then the model has changed with the store."""
        callback = self._callback(grant) if calls_back and grant.kind == "update" else None
        held = self._holds(grant)
        done, _ = self.store.settle(grant, an_attempt(outcome=state), outcome, callback)
        assert done or not held
        if not held:
            return False
        job = self.model.jobs[grant.id]
        job.settled_by = grant.fence
        job.doubt = isinstance(outcome, Dead) and outcome.failure.error_class == "unknownOutcome"
        if job.lane not in self.model.paused:
            self.model.probing.discard(job.lane)
        if state == "retrying":
            job.state, job.grant = state, None
        else:
            self.model.end(grant.id, state)
        if callback is not None:
            self.model.put(callback.id, Job("callback", callback.line, callback.lane))
        return True

    def _callback(self, grant: Grant) -> Callback:
        line = f"{HOST}/{self.model.jobs[grant.id].line}"
        return Callback(new_id("msg"), "{}", "hr", "anna@contoso.com", line, HOST, 1, "told")

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        found = Found.read(self.redis, self.model)
        assert found.states == {name: job.state for name, job in self.model.jobs.items()}
        self._each_move_is_in_the_table(found)
        assert found.lines == self.model.lines, "in order of acceptance"
        assert found.running == {lane: self.model.running(lane) for lane in self.model.room}
        self._only_heads_run_and_only_where_there_is_room()
        self._each_head_is_looked_at_again(found)
        assert not any(self.model.jobs[name].settled for name in found.deadlines)
        self._counters_are_the_truth(found)

    def _each_move_is_in_the_table(self, found: Found) -> None:
        moves = {(self.states.get(name), state) for name, state in found.states.items()}
        assert all(before == after for before, after in moves - MOVES)
        self.states = found.states

    def _only_heads_run_and_only_where_there_is_room(self) -> None:
        for names in self.model.lines.values():
            assert all(self.model.jobs[name].state != "running" for name in names[1:])
        for lane, room in self.model.room.items():
            assert len(self.model.running(lane)) <= room

    def _each_head_is_looked_at_again(self, found: Found) -> None:
        """It is due at some time, or waits for its lane, which is due itself; and which is paused or opens now, or is
        full of what runs or may run now."""
        waiting = set().union(*found.waiting.values())
        lanes = {name.removeprefix("lane/") for name in found.due if name.startswith("lane/")}
        due = {name for name in found.due if not name.startswith("lane/")}
        assert not due & waiting and due | waiting == self.model.heads()
        ready = [self.model.jobs[name].lane for name in due if not self.model.jobs[name].delayed]
        for lane, names in found.waiting.items():
            assert not names or lane in lanes
            closed = lane in self.model.paused | self.model.opening
            assert not names or closed or ready.count(lane) >= self.model.open(lane)

    def _counters_are_the_truth(self, found: Found) -> None:
        states, backlog = Counter[str](), Counter[str]()
        for job in self.model.jobs.values():
            if not job.settled:
                states[f"{job.kind}/hr/{job.state}"] += 1
                backlog.update(["client/hr", f"lane/{job.lane}"] if job.kind == "update" else [])
        assert found.counted == states and found.backlog == backlog
        assert {what: found.happened[what] for what in TALLIED} == {what: self.model.happened[what] for what in TALLIED}


def test_the_store_keeps_its_invariants_whatever_is_done_to_it(redis: Redis) -> None:
    StoreMachine.redis = redis
    often = settings().max_examples
    run_state_machine_as_test(
        StoreMachine,
        settings=settings(max_examples=often, stateful_step_count=50, suppress_health_check=list(HealthCheck)),
    )
