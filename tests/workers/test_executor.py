"""A job from claim to settle, with a real store and an Exchange in memory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from redis import Redis
from structlog.testing import capture_logs

from tests.workers.events import an_event
from tests.workers.fake_exchange import FakeExchange, Fault
from tests.workers.given import NOW, Bells, accepted, an_attempt, an_update, claimed
from tests.workers.receiver import OK, answering, receiving
from workers.callbacks.callback import Deliverer
from workers.celery.bell import Bell
from workers.exchange import MARKER_LENGTH, ExchangeError, Unavailable
from workers.executor import INTERNAL_ATTEMPTS, POISONED, Executor
from workers.job import Kind, State, UpdateJob
from workers.leases import Leases
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.settings import Settings
from workers.store import Grant, Ring, Store, StoreUnavailable
from workers.tls import trust
from workers.update import ConflictResolution, Intent, Target, Update

LONG = timedelta(seconds=30)
OVERLOADED = Unavailable("HTTP 503", "overloaded", request_id="r-503")


@dataclass
class Bench:
    """An executor and everything around it. The clock stands still, the dice fall on 0: a retry is due at once."""

    executor: Executor
    store: Store
    exchange: FakeExchange
    bells: Bells

    def take_in(self, **changes: Any) -> Update:
        update = an_update(**changes)
        accepted(self.store, update)
        return update

    def job(self, update: Update) -> UpdateJob:
        job = self.store.update(update.id)
        assert job is not None
        return job

    def run(self, update: Update) -> Outcome | None:
        return self.executor.run(update.id)


@pytest.fixture
def bench(settings: Settings, redis: Redis) -> Bench:
    store = Store(redis, lease=LONG, grace=LONG)
    exchange, bells = FakeExchange(an_event()), Bells()
    executor = Executor(
        settings=settings,
        store=store,
        bell=cast(Bell, bells),
        leases=Leases(store, LONG),
        exchanges={"cloud": exchange},
        deliverer=Deliverer(settings.clients, trust(), trust()),
        clock=lambda: NOW,
        dice=lambda: 0.0,
        sleep=lambda seconds: None,
    )
    return Bench(executor, store, exchange, bells)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with capture_logs():
        yield


def test_an_update_is_claimed_applied_and_settled(bench: Bench) -> None:
    update = bench.take_in()
    assert isinstance(bench.run(update), Succeeded)
    job = bench.job(update)
    assert job.state is State.SUCCEEDED
    assert job.result["changed"] == {"subject": {"before": "Team building", "after": "Moved"}}
    assert [(entry.number, entry.outcome, entry.requestId) for entry in job.attempts] == [(1, "succeeded", "r-200")]
    assert bench.exchange.mails == 2


def test_a_server_that_ignores_versions_is_quiet_some_timeouts_after_it_was_asked(bench: Bench, redis: Redis) -> None:
    known = bench.executor.settings
    lax = tuple(one.model_copy(update={"enforces_version": False, "timeout": 10}) for one in known.backend)
    settings = known.model_copy(update={"backend": lax})
    settings.__dict__.pop("backends", None)
    bench.executor = replace(bench.executor, settings=settings)
    bench.exchange.write_faults.append(Fault.LOST_AFTER)
    update = bench.take_in()
    bench.run(update)
    redis.hset(f"rdv:job:{update.id}", "not_before", 0)
    waits = bench.run(update)
    assert isinstance(waits, Retry)
    assert timedelta(seconds=39) < waits.after <= timedelta(seconds=40)
    asked = int(redis.hget(f"rdv:job:{update.id}", "intended") or 0)
    redis.hset(f"rdv:job:{update.id}", mapping={"intended": asked - 40_000, "not_before": 0})
    assert isinstance(bench.run(update), Succeeded)


def test_a_bell_that_rings_twice_finds_nothing_to_do(bench: Bench) -> None:
    update = bench.take_in()
    bench.run(update)
    assert bench.run(update) is None
    assert len(bench.exchange.writes) == 1


def test_a_bell_for_nothing_finds_nothing_to_do(bench: Bench) -> None:
    assert bench.executor.run("upd_never") is None


def test_who_is_being_stopped_claims_nothing(bench: Bench) -> None:
    update = bench.take_in()
    bench.executor.leases.close()
    assert bench.run(update) is None
    assert bench.job(update).state is State.QUEUED


def test_the_lease_is_held_while_the_job_runs_and_not_longer(bench: Bench) -> None:
    update = bench.take_in()
    held: list[str] = []
    bench.exchange.between.append(lambda: held.extend(grant.id for grant in bench.executor.leases.held()))
    bench.run(update)
    assert (held, bench.executor.leases.held()) == ([update.id], ())


def test_the_next_of_the_line_is_rung(bench: Bench) -> None:
    first, second = bench.take_in(), bench.take_in()
    assert bench.run(second) is None
    bench.run(first)
    assert [ring.id for ring in bench.bells.rung] == [second.id]


def test_nothing_to_change_is_told_as_a_noop(bench: Bench) -> None:
    update = bench.take_in(intent=Intent(set={"subject": "Team building"}))
    bench.run(update)
    job = bench.job(update)
    assert (job.state, job.result["noop"], job.attempts[0].outcome) == (State.SUCCEEDED, True, "noop")
    assert job.attempts[0].detail is None


def test_a_lost_answer_is_retried_and_found_out(bench: Bench) -> None:
    bench.exchange.write_faults.append(Fault.LOST_AFTER)
    update = bench.take_in(intent=Intent(append={"subject": "!"}))
    assert isinstance(bench.run(update), Retry)
    waiting = bench.job(update)
    assert (waiting.state, waiting.attempts[0].outcome) == (State.RETRYING, "unknownOutcome")
    assert waiting.attempts[0].retryAt is not None
    assert isinstance(run_when_due(bench, update), Succeeded)
    assert bench.exchange.properties["subject"] == "Team building!"


def run_when_due(bench: Bench, update: Update) -> Outcome:
    for _ in range(500):
        if (outcome := bench.run(update)) is not None:
            return outcome
        time.sleep(0.01)
    raise AssertionError("it never became due")


def test_a_refusal_is_a_dead_letter_with_its_reason(bench: Bench) -> None:
    bench.exchange.write_faults.append(Fault.REFUSED)
    update = bench.take_in()
    bench.run(update)
    job = bench.job(update)
    assert job.state is State.DEAD
    assert (job.error["class"], job.error["code"]) == ("refused", "ErrorOccurrenceCrossingBoundary")


@pytest.mark.parametrize(
    ("answers", "code", "said", "request_id"),
    [
        ([OVERLOADED], "HTTP 503", "The deadline passed. The last answer was HTTP 503: overloaded.", "r-503"),
        ([], "DeadlinePassed", "The deadline passed.", None),
    ],
)
def test_who_comes_after_the_deadline_ends_with_exchanges_last_answer(
    bench: Bench, redis: Redis, answers: list[ExchangeError], code: str, said: str, request_id: str | None
) -> None:
    bench.exchange.read_faults.extend(answers)
    update = bench.take_in()
    for _ in answers:
        assert isinstance(bench.run(update), Retry)
        redis.hset(f"rdv:job:{update.id}", "not_before", 0)
    outcome = replace(bench.executor, clock=lambda: update.deadline + LONG).run(update.id)
    assert isinstance(outcome, Dead)
    failure = outcome.failure
    assert (failure.error_class, failure.code, failure.detail) == ("expired", code, said)
    assert outcome.request_id == request_id


def test_a_backend_that_is_gone_is_a_refusal(bench: Bench) -> None:
    update = bench.take_in(target=Target("old", "E", mailbox="a@contoso.com"))
    outcome = bench.run(update)
    assert isinstance(outcome, Dead)
    assert (outcome.failure.error_class, outcome.failure.code) == ("refused", "BackendGone")


def test_a_backend_that_is_gone_leaves_a_doubt_open_and_a_replay_clears_it_up(bench: Bench) -> None:
    bench.exchange.write_faults.append(Fault.LOST_AFTER)
    update = bench.take_in(intent=Intent(append={"subject": "!"}))
    assert isinstance(bench.run(update), Retry)
    without = bench.executor.settings.model_copy(update={"backend": ()})
    without.__dict__.pop("backends", None)  # a copy takes along what was computed
    outcome = run_when_due(replace(bench, executor=replace(bench.executor, settings=without, exchanges={})), update)
    assert isinstance(outcome, Dead)
    assert (outcome.failure.error_class, outcome.failure.code) == ("unknownOutcome", "BackendGone")
    bench.store.replay(update.id)
    assert isinstance(bench.run(update), Succeeded)
    assert bench.job(update).result["changed"].keys() == {"subject"}
    assert len(bench.exchange.writes) == 1


@pytest.mark.parametrize("mode", ["autoResolve", "neverOverwrite"])
def test_what_somebody_changed_since_our_first_read_stays_also_after_a_replay(
    bench: Bench, mode: ConflictResolution
) -> None:
    bench.exchange.between.append(lambda: bench.exchange.human(subject="Theirs"))
    update = bench.take_in(conflict_resolution=mode)
    for _ in range(2):
        outcome = bench.run(update)
        assert isinstance(outcome, Dead) and outcome.failure.error_class == "conflict"
        bench.store.replay(update.id)
    assert bench.exchange.properties["subject"] == "Theirs"


@pytest.mark.parametrize("mode", ["autoResolve", "neverOverwrite"])
def test_what_somebody_changed_since_our_first_read_stays_if_the_mailbox_was_paused_before_the_write(
    bench: Bench, redis: Redis, mode: ConflictResolution
) -> None:
    busy = bench.take_in(target=Target("cloud", "B", mailbox="a@b"))
    update = bench.take_in(target=Target("cloud", "E", mailbox="a@b"), conflict_resolution=mode)
    grant = claimed(bench.store, busy.id)

    def throttled(_: float) -> None:
        """While we read, another update of the mailbox is sent away; it is settled once."""
        pause = Retry("throttled", "429", LONG, pause=LONG)
        bench.store.settle(grant, an_attempt(outcome="throttled"), pause)

    bench.exchange.spend = throttled
    assert isinstance(bench.run(update), Retry) and bench.exchange.writes == []
    bench.exchange.human(subject="Theirs")
    redis.delete(f"rdv:paused:{update.target.lane}")
    redis.hset(f"rdv:job:{update.id}", "not_before", 0)
    outcome = bench.run(update)
    assert isinstance(outcome, Dead) and outcome.failure.error_class == "conflict"
    assert bench.exchange.properties["subject"] == "Theirs"


@pytest.mark.parametrize(("later", "code"), [(0, "NotApplied"), (MARKER_LENGTH, "MarkerForgotten")])
def test_a_replay_of_what_exchange_applied_in_part_never_writes_again(bench: Bench, later: int, code: str) -> None:
    bench.exchange.ignores = lambda sent: ["importance"] if "importance" in sent.changes else []
    update = bench.take_in(intent=Intent(append={"subject": "!"}, set={"importance": "high"}))
    assert isinstance(bench.run(update), Dead)
    for number in range(later):
        bench.run(bench.take_in(intent=Intent(set={"showAs": ("free", "oof")[number % 2]})))
    bench.store.replay(update.id)
    outcome = bench.run(update)
    assert isinstance(outcome, Dead)
    assert (outcome.failure.error_class, outcome.failure.code) == ("unknownOutcome", code)
    assert (len(bench.exchange.by(update.id)), bench.exchange.properties["subject"]) == (1, "Team building!")


@pytest.mark.parametrize("theirs", ["low", "high"])
def test_a_replay_of_what_exchange_ignored_ends_the_same_whatever_somebody_else_has_set_since(
    bench: Bench, theirs: str
) -> None:
    bench.exchange.ignores = lambda sent: ["importance"] if sent.changes.get("importance") == "high" else []
    update = bench.take_in(intent=Intent(append={"subject": "!"}, set={"importance": "high"}))
    first = bench.run(update)
    for _ in range(2):
        bench.exchange.human(importance=theirs)
        bench.store.replay(update.id)
        outcome = bench.run(update)
        assert isinstance(first, Dead) and isinstance(outcome, Dead)
        assert (outcome.failure.error_class, outcome.failure.code) == ("unknownOutcome", "NotApplied")
        assert outcome.failure.conflicts == (replace(first.failure.conflicts[0], theirs=theirs),)
    assert len(bench.exchange.by(update.id)) == 1


def test_who_loses_the_lease_before_the_write_sends_and_settles_nothing(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = bench.take_in()
    read = bench.exchange.read

    def read_and_lose(*asked: Any) -> Any:
        redis.hset(f"rdv:job:{update.id}", "fence", 999)
        return read(*asked)

    monkeypatch.setattr(bench.exchange, "read", read_and_lose)
    assert bench.run(update) is None
    assert (bench.exchange.writes, bench.job(update).attempts) == ([], ())


def test_who_loses_the_lease_after_the_write_settles_nothing(bench: Bench, redis: Redis) -> None:
    update = bench.take_in(callback_url="https://hooks.example.com/")
    bench.exchange.between.append(lambda: cast(None, redis.hset(f"rdv:job:{update.id}", "fence", 999)))
    assert bench.run(update) is None
    job = bench.job(update)
    assert (job.state, job.attempts, job.callback, bench.bells.rung) == (State.RUNNING, (), None, [])


def test_a_fault_of_ours_is_tried_again_and_then_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.exchange, "read", lambda *_: 1 / 0)
    monkeypatch.setattr("workers.executor.timedelta", lambda **_: timedelta())
    update = bench.take_in()
    outcomes = [bench.run(update) for _ in range(INTERNAL_ATTEMPTS)]
    assert [type(outcome) for outcome in outcomes] == [Retry, Retry, Dead]
    error = bench.job(update).error
    assert (error["class"], error["code"]) == ("internal", "ZeroDivisionError")


def test_a_fault_of_ours_is_given_up_as_soon_though_workers_were_stopped_in_between(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.exchange, "read", lambda *_: 1 / 0)
    monkeypatch.setattr("workers.executor.timedelta", lambda **_: timedelta())
    update = bench.take_in()
    outcomes = []
    for _ in range(INTERNAL_ATTEMPTS):
        outcomes.append(bench.run(update))
        if (grant := bench.store.claim(update.id)) is not None:
            bench.store.hand_back([grant])
    assert [type(outcome) for outcome in outcomes] == [Retry, Retry, Dead]


def test_a_fault_of_ours_after_the_write_never_denies_the_write(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.executor.INTERNAL_ATTEMPTS", 1)
    bench.exchange.write_faults.append(Fault.BROKEN)
    update = bench.take_in()
    bench.run(update)
    assert bench.exchange.properties["subject"] == "Moved"
    assert bench.job(update).error["class"] == "unknownOutcome"


def test_a_fault_of_ours_after_the_write_is_found_out_at_the_next_attempt(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.executor.timedelta", lambda **_: timedelta())
    bench.exchange.write_faults.append(Fault.BROKEN)
    update = bench.take_in(intent=Intent(append={"subject": "!"}))
    assert isinstance(bench.run(update), Retry)
    assert isinstance(bench.run(update), Succeeded)
    assert len(bench.exchange.by(update.id)) == 1


def test_a_store_that_blinks_before_the_write_kills_no_update(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: Any) -> bool:
        raise StoreUnavailable("it blinked")

    monkeypatch.setattr(Store, "intend", unavailable)
    update = bench.take_in()
    with pytest.raises(StoreUnavailable):
        bench.run(update)
    assert (bench.exchange.writes, bench.job(update).state) == ([], State.RUNNING)


def test_a_store_that_is_away_after_the_write_has_it_found_out_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: Any) -> tuple[bool, tuple[Ring, ...]]:
        raise StoreUnavailable("it is away")

    abandoned: list[Grant] = []
    monkeypatch.setattr(bench.executor.leases, "abandon", abandoned.append)
    update = bench.take_in(intent=Intent(append={"subject": "!"}))
    with monkeypatch.context() as away:
        away.setattr(Store, "settle", unavailable)
        with pytest.raises(StoreUnavailable):
            bench.run(update)
    bench.store.hand_back(abandoned)
    assert isinstance(bench.run(update), Succeeded)
    assert len(bench.exchange.by(update.id)) == 1


@pytest.mark.parametrize(("intended", "error_class"), [(False, "internal"), (True, "unknownOutcome")])
def test_a_job_that_killed_three_workers_is_a_dead_letter(
    bench: Bench, redis: Redis, intended: bool, error_class: str
) -> None:
    update = bench.take_in()
    short = Store(redis, lease=timedelta(milliseconds=20), grace=timedelta(milliseconds=20))
    for _ in range(POISONED):
        grant = short.claim(update.id)
        assert grant is not None
        if intended:
            assert not short.intend(grant, '{"base": {}, "before": {}, "after": {}, "invitations": "sendToNone"}')
        swept_back(short, update, redis)
    outcome = bench.run(update)
    assert isinstance(outcome, Dead)
    assert (outcome.failure.error_class, outcome.failure.code) == (error_class, "Poisoned")
    job = bench.job(update)
    assert [entry.outcome for entry in job.attempts] == ["lost"] * POISONED + [error_class]
    assert bench.exchange.reads == 0


def test_a_store_that_was_away_has_killed_no_worker(bench: Bench, redis: Redis) -> None:
    update = bench.take_in()
    lost_while_nobody_swept(redis, update, POISONED + 1)
    assert isinstance(bench.run(update), Succeeded)


def test_a_job_that_takes_the_whole_machine_down_does_not_do_so_for_ever(bench: Bench, redis: Redis) -> None:
    update = bench.take_in()
    lost_while_nobody_swept(redis, update, 10 + POISONED)
    assert isinstance(bench.run(update), Dead)


def lost_while_nobody_swept(redis: Redis, update: Update, times: int) -> None:
    short = Store(redis, lease=timedelta(milliseconds=20), grace=timedelta(milliseconds=20))
    for _ in range(times):
        list(short.sweep())
        assert short.claim(update.id) is not None
        time.sleep(0.03)  # nobody sweeps and nobody renews meanwhile
        list(short.sweep())


@pytest.mark.parametrize("kind", ["notification", "watch"])
def test_a_fault_of_ours_in_a_job_of_our_own_is_tried_again_ever_more_seldom(bench: Bench, kind: Kind) -> None:
    def breaks(_: Grant) -> Outcome:
        raise ZeroDivisionError

    executor = replace(bench.executor, others={kind: breaks})
    waits = []
    for tries in (0, 5, 30):
        grant = Grant("ntf_1", 1, kind, "{}", 1, tries, tries, None, False)
        outcome = executor._attempt(grant)
        assert isinstance(outcome, Retry)
        waits.append(outcome.after.total_seconds())
    engine = bench.executor.settings.engine
    assert waits == [engine.retry_base, engine.retry_cap, engine.retry_cap]


def swept_back(store: Store, update: Update, redis: Redis) -> None:
    """Taken back by a beat that sweeps all the time."""
    for _ in range(500):
        redis.set("rdv:swept", (redis.time()[0] + 60) * 1000)  # never long ago, however busy this machine is
        list(store.sweep())
        job = store.update(update.id)
        if job is not None and job.state is State.RETRYING:
            return
        time.sleep(0.01)
    raise AssertionError("the job was never taken back")


@pytest.mark.parametrize(("fault", "state"), [(Fault.NONE, "succeeded"), (Fault.REFUSED, "dead")])
def test_a_callback_is_made_when_the_update_is_settled_and_tells_what_the_api_tells(
    bench: Bench, redis: Redis, fault: Fault, state: str
) -> None:
    bench.exchange.write_faults.append(fault)
    with receiving(answering(OK)) as receiver:
        update = bench.take_in(callback_url=receiver.url, metadata={"ticket": 7})
        bench.run(update)
        (ring,) = bench.bells.rung
        assert ring.kind == "callback"
        assert isinstance(bench.executor.run(ring.id), Succeeded)
    told = json.loads(receiver.bodies[0])
    job = bench.job(update)
    assert told["type"] == f"calendar.update.{state}"
    assert told["timestamp"] == job.finished_at
    data = told["data"]
    assert (data["id"], data["state"], data["metadata"]) == (update.id, state, {"ticket": 7})
    assert (data["result"], data["error"]) == (job.result, job.error)
    assert [entry["number"] for entry in data["attempts"]] == [1]
    assert job.callback is not None
    assert (job.callback.state, job.callback.attempts) == ("delivered", 1)


def test_the_log_of_a_delivery_names_the_update_that_it_tells_of(bench: Bench) -> None:
    with receiving(answering(OK)) as receiver:
        update = bench.take_in(callback_url=receiver.url)
        with capture_logs() as lines:
            bench.run(update)
            (ring,) = bench.bells.rung
            bench.executor.run(ring.id)
    attempts = [(line["job"], line.get("update")) for line in lines if line["event"] == "attempt"]
    assert attempts == [(update.id, None), (ring.id, update.id)]


def test_an_update_that_is_tried_again_calls_nobody(bench: Bench) -> None:
    bench.exchange.write_faults.append(Fault.UNAVAILABLE)
    update = bench.take_in(callback_url="https://hooks.example.com/")
    assert isinstance(bench.run(update), Retry)
    assert (bench.bells.rung, bench.job(update).callback) == ([], None)


def test_history_tells_when_each_attempt_was(bench: Bench) -> None:
    moments = iter(NOW + timedelta(seconds=seconds) for seconds in range(100))
    executor = bench.executor
    clock: Any = lambda: next(moments)  # noqa: E731 - a clock that goes on by a second each time it is asked
    ticking = Executor(executor.settings, executor.store, executor.bell, executor.leases, executor.exchanges,
                       executor.deliverer, clock, executor.dice, executor.sleep)  # fmt: skip
    update = bench.take_in()
    ticking.run(update.id)
    entry = bench.job(update).attempts[0]
    assert datetime.fromisoformat(entry.startedAt) == NOW
    assert datetime.fromisoformat(entry.endedAt) > NOW


def test_a_stored_update_that_cannot_be_read_ends_and_lets_the_next_go(bench: Bench, redis: Redis) -> None:
    spoilt, behind = bench.take_in(), bench.take_in()
    redis.hset(f"rdv:job:{spoilt.id}", "body", '{"id": "not an update"}')
    for _ in range(3):
        outcome = bench.executor.run(spoilt.id)
        redis.hset(f"rdv:job:{spoilt.id}", "not_before", 0)
    assert isinstance(outcome, Dead)
    assert (outcome.failure.error_class, redis.hget(f"rdv:job:{spoilt.id}", "state")) == ("internal", "dead")
    assert isinstance(bench.run(behind), Succeeded)


def test_busy_answers_do_not_count_as_faults_of_ours(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.exchange.write_faults.extend([Fault.THROTTLED, Fault.THROTTLED])
    update = bench.take_in()
    for _ in range(2):
        assert isinstance(bench.run(update), Retry)
        redis.delete(f"rdv:paused:{update.target.lane}")
        redis.hset(f"rdv:job:{update.id}", "not_before", 0)
    with monkeypatch.context() as broken:
        broken.setattr(FakeExchange, "read", lambda *_: 1 / 0)
        assert isinstance(bench.run(update), Retry)
