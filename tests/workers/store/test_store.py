"""The life of jobs in a real store: every step, and every step sent twice."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry as Resending

from tests.configured import configured
from tests.workers.given import NOW, accepted, an_attempt, an_update, claimed
from tests.workers.store.passing import later
from workers.callbacks.callback import Delivery, composed
from workers.event.versions import Wrote
from workers.job import Result, State, failure
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.settings import Settings
from workers.store import (
    BacklogFull,
    Callback,
    Cancelled,
    Grant,
    Limits,
    Search,
    Store,
    StoreUnavailable,
    steps,
)
from workers.store.connection import ServerState, unfit
from workers.store.steps import DEAD_LIFE, SETTLED_LIFE
from workers.update import Intent, Update

DONE = Succeeded(Result("v2", noop=False))
GONE = Dead(failure("notFound", "ErrorItemNotFound", "It is not there."))
LATER = Retry("unavailable", "503", timedelta(seconds=15))
LEASE, GRACE = timedelta(seconds=30), timedelta(seconds=10)


@pytest.fixture
def store(redis: Redis) -> Store:
    """A store in which nothing is over before a test says so (``later``)."""
    return Store(redis, lease=LEASE, grace=GRACE)


def test_an_accepted_update_is_queued_rung_and_readable(store: Store) -> None:
    update = an_update()
    taken = accepted(store, update)
    assert taken.created
    assert [ring.id for ring in taken.rings] == [update.id]
    job = store.update(update.id)
    assert job is not None
    assert (job.update, job.state) == (update, State.QUEUED)


def test_the_same_key_gives_the_same_update(store: Store) -> None:
    first, second = an_update(), an_update()
    accepted(store, first, key="k")
    again = store.accept(second, key="k", fingerprint="f", room=4)
    assert (again.id, again.created, again.same_body) == (first.id, False, True)
    other = store.accept(second, key="k", fingerprint="g", room=4)
    assert (other.id, other.created, other.same_body) == (first.id, False, False)
    assert store.update(second.id) is None


@pytest.mark.parametrize(("may_take", "days"), [(timedelta(hours=1), 3), (timedelta(days=7), 8)])
def test_a_key_is_remembered_for_three_days_or_a_day_longer_than_its_update_may_take(
    store: Store, redis: Redis, may_take: timedelta, days: int
) -> None:
    update = an_update(deadline=NOW + may_take)
    accepted(store, update)
    store.settle(claimed(store, update.id), an_attempt(), DONE)
    (key,) = redis.keys("rdv:key:*")
    assert timedelta(days=days) - timedelta(minutes=1) < timedelta(milliseconds=redis.pttl(key)) <= timedelta(days=days)


def test_twenty_acceptances_at_once_with_one_key_make_one_update(store: Store) -> None:
    ids: set[str] = set()

    def accept() -> None:
        ids.add(accepted(store, an_update(), key="k").id)

    threads = [threading.Thread(target=accept) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 1
    assert len(store.search_updates(("hr",), Search(), 100).ids) == 1


def test_accept_sent_twice_accepts_once(store: Store, redis: Redis) -> None:
    update = an_update()
    assert accepted(store, update).created
    assert accepted(store, update).created
    assert redis.llen(f"rdv:line:{update.target.line}") == 1


def test_only_the_head_of_a_line_can_be_claimed(store: Store) -> None:
    first, second = an_update(), an_update()
    accepted(store, first)
    assert accepted(store, second).rings == ()
    assert store.claim(second.id) is None
    grant = claimed(store, first.id)
    assert store.claim(first.id) is None
    _, rings = store.settle(grant, an_attempt(), DONE)
    assert [ring.id for ring in rings] == [second.id]
    assert store.claim(second.id) is not None


def test_a_dead_head_lets_the_next_go_on(store: Store) -> None:
    first, second = an_update(), an_update()
    accepted(store, first)
    accepted(store, second)
    store.settle(claimed(store, first.id), an_attempt(), GONE)
    job = store.update(first.id)
    assert job is not None
    assert (job.state, job.error["class"], job.error["code"]) == (State.DEAD, "notFound", "ErrorItemNotFound")
    assert store.claim(second.id) is not None


def test_a_retrying_head_keeps_its_place_and_its_time(store: Store, redis: Redis) -> None:
    first, second = an_update(), an_update()
    accepted(store, first)
    accepted(store, second)
    store.settle(claimed(store, first.id), an_attempt(outcome="unavailable"), LATER)
    job = store.update(first.id)
    assert job is not None
    assert job.state == State.RETRYING
    assert job.due_at is not None
    assert store.claim(first.id) is None, "not before it is due"
    assert store.claim(second.id) is None, "not before the head"
    later(redis, LATER.after)
    assert store.claim(first.id) is not None


def test_a_settle_sent_twice_settles_once(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    grant = claimed(store, update.id)
    assert store.settle(grant, an_attempt(), DONE)[0]
    assert store.settle(grant, an_attempt(), DONE)[0]
    job = store.update(update.id)
    assert job is not None
    assert len(job.attempts) == 1


@pytest.mark.parametrize(("end", "life"), [(DONE, SETTLED_LIFE), (GONE, DEAD_LIFE)])
def test_an_update_that_has_ended_can_be_asked_for_as_long_as_is_said(
    store: Store, redis: Redis, end: Outcome, life: timedelta
) -> None:
    update = an_update()
    accepted(store, update)
    store.settle(claimed(store, update.id), an_attempt(), end)
    assert timedelta() <= life - timedelta(seconds=redis.ttl(f"rdv:job:{update.id}")) < timedelta(minutes=1)


def test_a_late_settle_of_a_lost_lease_changes_nothing(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    late = claimed(store, update.id)
    later(redis, LEASE)
    _swept(store)
    held = claimed(store, update.id)
    assert held.fence > late.fence
    assert store.settle(late, an_attempt(), GONE) == (False, ())
    assert store.intend(late, "{}") is None
    job = store.update(update.id)
    assert job is not None
    assert job.state == State.RUNNING


def test_a_dead_workers_job_is_taken_back_after_its_lease(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    grant = claimed(store, update.id)
    assert store.intend(grant, '{"sent": 1}') == timedelta()
    assert update.id not in _swept(store)
    later(redis, LEASE)
    redis.set("rdv:swept", redis.time()[0] * 1000 + 999)  # beat swept all the time
    assert update.id in _swept(store)
    again = claimed(store, update.id)
    assert (again.claims, again.attempts, again.in_doubt, again.intent) == (2, 1, True, '{"sent": 1}')
    job = store.update(update.id)
    assert job is not None
    assert job.attempts[0].outcome == "lost"


def test_a_lease_whose_job_was_settled_meanwhile_is_not_lost(store: Store, redis: Redis) -> None:
    """The thread that renews asks for what it saw running a moment ago."""
    update = an_update()
    accepted(store, update)
    first = claimed(store, update.id)
    store.settle(first, an_attempt(outcome="unavailable"), LATER)
    assert store.renew([first]) == set()
    later(redis, LATER.after)
    second = claimed(store, update.id)
    store.settle(second, an_attempt(2), DONE)
    assert store.renew([second]) == set()
    assert store.renew([first]) == {update.id}


def test_a_renewed_lease_is_not_taken_back(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    grant = claimed(store, update.id)
    for _ in range(4):
        later(redis, LEASE / 3)
        assert store.renew([grant]) == set()
    assert update.id not in _swept(store)
    store.settle(grant, an_attempt(), DONE)


def test_a_job_handed_back_can_run_at_once_and_counts_as_no_crash(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    for _ in range(5):
        grant = claimed(store, update.id)
        assert grant.claims == 1
        assert [ring.id for ring in store.hand_back([grant])] == [update.id]
        assert store.hand_back([grant]) == ()


def test_who_was_handed_back_has_used_up_none_of_its_tries(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    store.settle(claimed(store, update.id), an_attempt(outcome="throttled"), Retry("throttled", "busy", timedelta()))
    for lost in range(3):
        grant = claimed(store, update.id)
        assert (grant.attempts, grant.tries) == (1 + lost, 1)
        store.hand_back([grant])
    last = claimed(store, update.id)
    assert (last.tries, last.lost) == (1, 3)
    store.settle(last, an_attempt(5, "notFound"), GONE)
    store.replay(update.id)
    again = claimed(store, update.id)
    assert (again.attempts, again.tries, again.lost) == (5, 0, 0)


def test_a_bell_that_nobody_answers_is_rung_again_and_ever_more_rarely(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    assert _swept(store) == []
    later(redis, GRACE)
    assert _swept(store) == [update.id]
    assert _swept(store) == []
    assert int(redis.hget(f"rdv:job:{update.id}", "bells") or 0) == 2


def test_no_more_jobs_run_in_a_lane_than_it_has_room_for(store: Store) -> None:
    updates = [an_update(event=f"event-{number}") for number in range(6)]
    for update in updates:
        accepted(store, update, room=2)
    grants = [grant for grant in (store.claim(update.id) for update in updates) if grant]
    assert len(grants) == 2
    order = [grant.id for grant in grants]
    while grants:
        _, rings = store.settle(grants.pop(0), an_attempt(), DONE)
        for ring in rings:
            grants.append(claimed(store, ring.id))
            order.append(ring.id)
    assert order == [update.id for update in updates]


def test_a_job_that_has_to_wait_lets_the_next_of_its_lane_in_meanwhile(store: Store) -> None:
    first, next_one = an_update(event="a"), an_update(event="b")
    for update in (first, next_one):
        accepted(store, update, room=1)
    grant = claimed(store, first.id)
    assert store.claim(next_one.id) is None
    _, rings = store.settle(grant, an_attempt(outcome="unavailable"), Retry("unavailable", "503", timedelta(hours=1)))
    assert [ring.id for ring in rings] == [next_one.id]


def test_only_claims_that_came_to_no_outcome_count_as_such(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    for number in range(1, 4):
        grant = claimed(store, update.id)
        assert grant.claims == 1
        store.settle(grant, an_attempt(number, "unavailable"), Retry("unavailable", "503", timedelta()))


def test_each_job_that_ends_lets_one_in_also_while_bells_are_not_answered_yet(store: Store) -> None:
    updates = [an_update(event=f"event-{number}") for number in range(6)]
    for update in updates:
        accepted(store, update, room=2)
    running = [claimed(store, update.id) for update in updates[:2]]
    assert [store.claim(update.id) for update in updates[2:]] == [None] * 4
    let_in = [[ring.id for ring in store.settle(grant, an_attempt(), DONE)[1]] for grant in running]
    assert let_in == [[updates[2].id], [updates[3].id]]


def test_nobody_waits_in_a_lane_for_ever_if_who_should_let_it_in_does_not(store: Store, redis: Redis) -> None:
    running, waiting = an_update(event="a"), an_update(event="b")
    for update in (running, waiting):
        accepted(store, update, room=1)
    grant, lane = claimed(store, running.id), f"lane/{running.target.lane}"
    assert store.claim(waiting.id) is None
    assert _looked_at_soon(redis, lane)
    assert waiting.id not in _swept(store), "there is no room"
    assert _looked_at_soon(redis, lane), "and again"
    redis.srem(f"rdv:running:{running.target.lane}", running.id)  # as if it had left without a word
    assert waiting.id in _swept(store)
    assert redis.zscore("rdv:due", lane) is None
    store.settle(grant, an_attempt(), DONE)


def test_who_is_taken_back_while_it_waits_in_its_lane_takes_nobodys_place(store: Store, redis: Redis) -> None:
    running, unwanted, last = (an_update(event=f"event-{number}") for number in range(3))
    for update in (running, unwanted, last):
        accepted(store, update, room=1)
    grant = claimed(store, running.id)
    assert (store.claim(unwanted.id), store.claim(last.id)) == (None, None)
    store.cancel(unwanted.id, "2026-11-21T09:00:00.000Z")
    assert redis.zrange(f"rdv:waiting:{last.target.lane}", 0, -1) == [last.id]
    assert [ring.id for ring in store.settle(grant, an_attempt(), DONE)[1]] == [last.id]


def test_sweep_looks_at_a_lane_as_long_as_somebody_waits_in_it(store: Store, redis: Redis) -> None:
    updates = [an_update(event=f"event-{number}") for number in range(3)]
    for update in updates:
        accepted(store, update, room=1)
    lane, grant = f"lane/{updates[0].target.lane}", claimed(store, updates[0].id)
    assert [store.claim(update.id) for update in updates[1:]] == [None, None]
    for update in updates[1:]:
        wait = (redis.zscore("rdv:due", lane) or 0) / 1000 - store.time().timestamp()
        assert 50 < wait <= 60
        store.settle(grant, an_attempt(), DONE)
        grant = claimed(store, update.id)
    assert redis.zscore("rdv:due", lane) is None


def _looked_at_soon(redis: Redis, lane: str) -> bool:
    """Whether sweep will look at the lane by itself; then it has to now."""
    soon = (redis.zscore("rdv:due", lane) or 0) > 1
    redis.zadd("rdv:due", {lane: 1})
    return soon


def test_whoever_stands_behind_waits_with_the_others_of_the_lane(store: Store) -> None:
    first, behind, other = an_update(event="a"), an_update(event="a"), an_update(event="b")
    for update in (first, other, behind):
        accepted(store, update, room=1)
    grant = claimed(store, first.id)
    assert store.claim(other.id) is None
    assert [ring.id for ring in store.settle(grant, an_attempt(), DONE)[1]] == [other.id]
    assert [ring.id for ring in store.settle(claimed(store, other.id), an_attempt(), DONE)[1]] == [behind.id]


def test_who_comes_while_others_wait_in_its_lane_is_not_rung_and_has_its_turn_behind_them(store: Store) -> None:
    running, waiting, late = (an_update(event=f"event-{number}") for number in range(3))
    for update in (running, waiting):
        accepted(store, update, room=1)
    grant = claimed(store, running.id)
    assert store.claim(waiting.id) is None
    assert accepted(store, late, room=1).rings == ()
    assert [ring.id for ring in store.settle(grant, an_attempt(), DONE)[1]] == [waiting.id]
    assert [ring.id for ring in store.settle(claimed(store, waiting.id), an_attempt(), DONE)[1]] == [late.id]


def test_sweep_looks_once_at_a_lane_where_nobody_waits_and_at_what_there_is_nothing_to_do_for(
    store: Store, redis: Redis
) -> None:
    update = an_update()
    accepted(store, update)
    away = Retry("throttled", "429", timedelta(), pause=timedelta(milliseconds=1))
    store.settle(claimed(store, update.id), an_attempt(outcome="throttled"), away)
    later(redis, timedelta(milliseconds=1))
    _swept(store)
    store.settle(claimed(store, update.id), an_attempt(2), DONE)
    redis.zadd("rdv:due", {update.id: 1, "upd_none": 1})
    assert _swept(store) == []
    assert redis.zrange("rdv:due", 0, -1) == []


def test_a_job_that_waits_in_its_lane_is_not_rung_for_nothing(store: Store, redis: Redis) -> None:
    running, waiting = an_update(event="a"), an_update(event="b")
    accepted(store, running, room=1)
    accepted(store, waiting, room=1)
    grant = claimed(store, running.id)
    assert store.claim(waiting.id) is None
    later(redis, GRACE)
    assert waiting.id not in _swept(store)
    assert [ring.id for ring in store.settle(grant, an_attempt(), DONE)[1]] == [waiting.id]


def test_a_paused_lane_opens_for_nobody_until_its_moment(store: Store, redis: Redis) -> None:
    throttled, other = an_update(event="a"), an_update(event="b")
    elsewhere = an_update(mailbox="ben@contoso.com")
    for update in (throttled, other, elsewhere):
        accepted(store, update)
    pause = Retry("throttled", "429", timedelta(minutes=1), pause=timedelta(minutes=1))
    store.settle(claimed(store, throttled.id), an_attempt(outcome="throttled"), pause)
    assert store.claim(other.id) is None
    assert store.claim(elsewhere.id) is not None, "another mailbox is not concerned"
    assert other.id not in _swept(store)
    later(redis, pause.after)
    assert other.id in _swept(store)
    assert store.claim(other.id) is not None


def test_who_finds_its_lane_paused_waits_in_it_and_sweep_looks_at_the_lane_alone(store: Store, redis: Redis) -> None:
    throttled, other = an_update(event="a"), an_update(event="b")
    for update in (throttled, other):
        accepted(store, update)
    pause = Retry("throttled", "429", timedelta(hours=1), pause=timedelta(hours=1))
    store.settle(claimed(store, throttled.id), an_attempt(outcome="throttled"), pause)
    assert store.claim(other.id) is None
    lane = other.target.lane
    assert redis.zscore("rdv:due", other.id) is None
    assert redis.zrange(f"rdv:waiting:{lane}", 0, -1) == [other.id]
    assert redis.zscore("rdv:due", f"lane/{lane}") == float(redis.get(f"rdv:paused:{lane}") or 0)


def test_what_runs_is_not_shown_as_due_and_its_bells_are_counted_anew(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    redis.hset(f"rdv:job:{update.id}", "bells", 7)
    store.settle(claimed(store, update.id), an_attempt(outcome="unavailable"), LATER)
    later(redis, LATER.after)
    assert store.unanswered(["update"], 1) == []
    claimed(store, update.id)
    job = store.update(update.id)
    assert job is not None and job.due_at is None


def test_a_grant_tells_how_long_ago_the_write_was_intended(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    grant = claimed(store, update.id)
    store.intend(grant, "{}")
    store.settle(grant, an_attempt(), Retry("unknownOutcome", "timeout", timedelta(), in_doubt=True))
    redis.hincrby(f"rdv:job:{update.id}", "intended", -60_000)
    assert timedelta(seconds=60) <= claimed(store, update.id).intended_ago < timedelta(seconds=70)


def test_a_waiting_update_can_be_cancelled_and_lets_the_next_go(store: Store, redis: Redis) -> None:
    first, second = an_update(), an_update()
    accepted(store, first)
    accepted(store, second)
    said, rings = store.cancel(first.id, "2026-11-21T09:00:00.000Z")
    assert said == Cancelled.CANCELLED
    assert [ring.id for ring in rings] == [first.id, second.id], "its own, so that Flower is told"
    assert 0 < redis.pttl(f"rdv:job:{first.id}") <= SETTLED_LIFE / timedelta(milliseconds=1)
    assert store.cancel(first.id, "2026-11-21T09:00:00.000Z") == (Cancelled.ENDED, ()), "one of several is the one"
    assert store.claim(first.id) is None
    assert store.claim(second.id) is not None


def test_an_update_behind_the_head_can_be_cancelled_without_disturbing_the_head(store: Store) -> None:
    first, second, third = an_update(), an_update(), an_update()
    for update in (first, second, third):
        accepted(store, update)
    said, rings = store.cancel(second.id, "2026-11-21T09:00:00.000Z")
    assert (said, [ring.id for ring in rings]) == (Cancelled.CANCELLED, [second.id])
    assert store.settle(claimed(store, first.id), an_attempt(), DONE)[1][0].id == third.id


def test_what_runs_is_in_doubt_or_has_ended_cannot_be_cancelled(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    grant = claimed(store, update.id)
    assert store.cancel(update.id, "2026-11-21T09:00:00.000Z")[0] == Cancelled.RUNNING
    in_doubt = Retry("unknownOutcome", "timeout", timedelta(), in_doubt=True)
    store.settle(grant, an_attempt(), in_doubt)
    assert store.cancel(update.id, "2026-11-21T09:00:00.000Z")[0] == Cancelled.RUNNING
    store.settle(claimed(store, update.id), an_attempt(2), DONE)
    assert store.cancel(update.id, "2026-11-21T09:00:00.000Z")[0] == Cancelled.ENDED
    assert store.cancel("upd_none", "2026-11-21T09:00:00.000Z")[0] == Cancelled.UNKNOWN


def test_a_replayed_update_whose_write_is_in_doubt_cannot_be_cancelled(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    grant = claimed(store, update.id)
    store.intend(grant, "{}")
    store.settle(grant, an_attempt(), Dead(failure("unknownOutcome", "X", "Nobody knows.")))
    assert store.replay(update.id)[0]
    assert store.cancel(update.id, "2026-11-21T09:00:00.000Z")[0] == Cancelled.RUNNING


def test_settling_makes_the_callback_in_the_same_step(store: Store, redis: Redis) -> None:
    update = an_update(callback_url="https://hooks.example.com/x")
    accepted(store, update)
    callback = Callback("msg_1", "{}", "hr", "anna@contoso.com", "line", "callback/host", 10, "host")
    _, rings = store.settle(claimed(store, update.id), an_attempt(), DONE, callback)
    assert [(ring.id, ring.kind) for ring in rings] == [("msg_1", "callback")]
    job = store.update(update.id)
    assert job is not None and job.callback is not None
    assert (job.callback.url, job.callback.state, job.callback.attempts) == (
        "https://hooks.example.com/x",
        "waiting",
        0,
    )
    store.settle(claimed(store, "msg_1"), an_attempt(), Succeeded(None))
    job = store.update(update.id)
    assert job is not None and job.callback is not None
    assert (job.callback.state, job.callback.attempts) == ("delivered", 1)
    assert redis.hget("rdv:job:msg_1", "body") is None, "what was told is kept by the update alone"


@pytest.mark.parametrize("end", [DONE, GONE])
def test_how_a_callback_went_can_be_asked_for_as_long_as_its_update(store: Store, redis: Redis, end: Outcome) -> None:
    update = an_update(callback_url="https://hooks.example.com/x")
    accepted(store, update)
    callback = Callback("msg_1", "{}", "hr", "anna@contoso.com", "line", "callback/host", 10, "host")
    store.settle(claimed(store, update.id), an_attempt(), GONE, callback)
    store.settle(claimed(store, "msg_1"), an_attempt(), end)
    store.discard("msg_1")
    lives = [redis.expiretime(f"rdv:job:{one}") for one in ("msg_1", update.id)]
    assert lives[0] >= lives[1] - 1 > redis.time()[0] + SETTLED_LIFE.total_seconds()


def test_scripts_survive_a_flushed_script_cache(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    redis.script_flush()
    assert isinstance(store.claim(update.id), Grant)


def test_a_full_store_refuses_intake_and_still_finishes_what_runs(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    grant = claimed(store, update.id)
    with configured(redis, maxmemory=1):
        with pytest.raises(StoreUnavailable):
            accepted(store, an_update())
        assert store.settle(grant, an_attempt(), DONE)[0]


def test_a_store_that_evicts_or_does_not_persist_is_refused(store: Store, redis: Redis) -> None:
    store.check()
    with configured(redis, maxmemory_policy="allkeys-lru"), pytest.raises(StoreUnavailable, match="evicts"):
        store.check()
    with configured(redis, appendonly="no"), pytest.raises(StoreUnavailable, match="persist"):
        store.check()


def test_a_store_whose_disk_is_full_is_refused() -> None:
    well = ServerState(memory=1, memory_limit=0, eviction="noeviction", appends=True, written=True, fsync="always")
    assert unfit(well) is None
    assert "disk is full or failing" in (unfit(replace(well, written=False)) or "")


def test_a_store_that_hangs_is_waited_for_once(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(0)
        url = f"redis://127.0.0.1:{mute.getsockname()[1]}/0?socket_timeout=0.1"
        with pytest.raises(StoreUnavailable):
            Store.connect(settings.model_copy(update={"store_url": url})).swept_at()
        mute.accept()[0].close()
        with pytest.raises(BlockingIOError):
            mute.accept()


def test_a_store_that_does_not_let_us_in_says_what_is_missing(settings: Settings) -> None:
    stranger = settings.store_url.replace("redis://", "redis://nobody:wrong@")
    with pytest.raises(StoreUnavailable, match="put its user name and password into its URL"):
        Store.connect(settings.model_copy(update={"store_url": stranger})).check()


def test_a_store_that_is_gone_is_one_sentence() -> None:
    gone = Store(Redis(port=1, retry=Resending(NoBackoff(), 0)), lease=timedelta(seconds=1), grace=timedelta(seconds=1))
    with pytest.raises(StoreUnavailable, match="store did not"):
        gone.claim("upd_1")


def _swept(store: Store) -> list[str]:
    return [ring.id for rings in store.sweep() for ring in rings]


def test_a_dead_letter_can_be_replayed_and_comes_back_with_its_history(store: Store) -> None:
    update, behind = an_update(), an_update()
    accepted(store, update)
    accepted(store, behind)
    store.settle(claimed(store, update.id), an_attempt(outcome="notFound"), GONE)
    assert store.replay(update.id) == (True, ())
    grant = claimed(store, behind.id)
    assert store.claim(update.id) is None, "it stands at the end of its line"
    assert [ring.id for ring in store.settle(grant, an_attempt(), DONE)[1]] == [update.id]
    again = claimed(store, update.id)
    assert (again.attempts, again.tries) == (1, 0)
    store.settle(again, an_attempt(2), DONE)
    job = store.update(update.id)
    assert job is not None
    assert (job.state, job.error, len(job.attempts)) == (State.SUCCEEDED, None, 2)
    assert store.replay(update.id) == (False, ())


def test_a_replayed_update_has_waited_since_its_replay(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    store.settle(claimed(store, update.id), an_attempt(), GONE)
    redis.hset(f"rdv:job:{update.id}", "since", 1)
    store.replay(update.id)
    assert store.waits()["update"] < timedelta(minutes=1)


def test_a_replayed_update_is_kept_until_it_ends_and_shows_nothing_of_its_death(store: Store, redis: Redis) -> None:
    update = an_update(callback_url="https://hooks.example.com/x")
    accepted(store, update)
    told = Callback("msg_1", "{}", "hr", "anna@contoso.com", "line", "callback/host", 10, "host")
    store.settle(claimed(store, update.id), an_attempt(outcome="notFound"), GONE, told)
    assert redis.ttl(f"rdv:job:{update.id}") > 0
    store.replay(update.id)
    assert redis.ttl(f"rdv:job:{update.id}") == -1
    job = store.update(update.id)
    assert job is not None
    assert (job.state, job.error, job.finished_at, job.result, job.callback) == (State.QUEUED, None, None, None, None)


def test_a_replayed_update_waits_in_its_lane_before_those_that_were_accepted_after_it(store: Store) -> None:
    dead, running, meanwhile = (an_update(event=f"event-{number}") for number in range(3))
    accepted(store, dead, room=1)
    store.settle(claimed(store, dead.id), an_attempt(), GONE)
    for update in (running, meanwhile):
        accepted(store, update, room=1)
    grant = claimed(store, running.id)
    store.replay(dead.id)
    assert (store.claim(meanwhile.id), store.claim(dead.id)) == (None, None)
    assert [ring.id for ring in store.settle(grant, an_attempt(), DONE)[1]] == [dead.id]


def test_an_update_that_is_replayed_while_others_wait_is_not_rung_and_keeps_its_turn(store: Store) -> None:
    dead, running, waiting = (an_update(event=f"event-{number}") for number in range(3))
    accepted(store, dead, room=1)
    store.settle(claimed(store, dead.id), an_attempt(), GONE)
    for update in (running, waiting):
        accepted(store, update, room=1)
    grant = claimed(store, running.id)
    assert store.claim(waiting.id) is None
    assert store.replay(dead.id) == (True, ())
    assert [ring.id for ring in store.settle(grant, an_attempt(), DONE)[1]] == [dead.id]


def test_a_replayed_update_has_died_of_nothing_yet(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    claimed(store, update.id)
    redis.set("rdv:swept", redis.time()[0] * 1000 + 999)
    redis.zadd("rdv:due", {update.id: 1})
    _swept(store)
    store.expire(update.id, update.deadline, failure("expired", "DeadlinePassed", "It is too late."))
    assert store.replay(update.id)[0]
    assert claimed(store, update.id).claims == 1


def test_what_was_intended_is_kept_over_death_and_the_doubt_with_it(store: Store) -> None:
    doubtful, plain = an_update(event="a"), an_update(event="b")
    lost = Dead(failure("unknownOutcome", "ReadTimeout", "Nobody knows."))
    for update, end in ((doubtful, lost), (plain, GONE)):
        accepted(store, update)
        grant = claimed(store, update.id)
        store.intend(grant, '{"sent": 1}')
        store.settle(grant, an_attempt(), end)
        store.replay(update.id)
    again = claimed(store, doubtful.id)
    assert (again.intent, again.in_doubt) == ('{"sent": 1}', True)
    again = claimed(store, plain.id)
    assert (again.intent, again.in_doubt) == ('{"sent": 1}', False)


def test_what_was_read_and_not_written_is_recorded_without_a_doubt_and_kept_over_expiry(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    end = Retry("throttled", "429", timedelta(), intent='{"base": 1}')
    store.settle(claimed(store, update.id), an_attempt(outcome="throttled"), end)
    again = claimed(store, update.id)
    assert (again.intent, again.in_doubt) == ('{"base": 1}', False)
    store.settle(again, an_attempt(outcome="throttled"), Retry("throttled", "429", timedelta(hours=1)))
    store.expire(update.id, update.deadline, failure("expired", "DeadlinePassed", "It is too late."))
    assert store.replay(update.id)[0]
    assert claimed(store, update.id).intent == '{"base": 1}'


def test_a_discarded_dead_letter_is_off_the_list_and_readable_for_as_long_as_it_would_have_been(
    store: Store, redis: Redis
) -> None:
    update = an_update()
    accepted(store, update)
    grant = claimed(store, update.id)
    store.intend(grant, "{}")
    store.settle(grant, an_attempt(), Dead(failure("unknownOutcome", "ReadTimeout", "Nobody knows.")))
    assert store.discard(update.id)
    assert not store.discard(update.id)
    assert store.dead_letter(update.id) is None
    assert store.replay(update.id) == (False, ())
    job = store.update(update.id)
    assert job is not None and job.state == State.DEAD
    assert SETTLED_LIFE < timedelta(milliseconds=redis.pttl(f"rdv:job:{update.id}")) <= DEAD_LIFE
    assert redis.hget(f"rdv:job:{update.id}", "intent") is None


def test_after_a_pause_a_lane_lets_one_job_through_until_it_is_well(store: Store, redis: Redis) -> None:
    updates = [an_update(event=f"event-{number}") for number in range(4)]
    for update in updates:
        accepted(store, update)
    away = Retry("throttled", "429", timedelta(minutes=1), pause=timedelta(minutes=1))
    store.settle(claimed(store, updates[0].id), an_attempt(outcome="throttled"), away)
    for update in updates[1:]:
        assert store.claim(update.id) is None
    later(redis, away.after)
    _swept(store)
    claims = [grant for grant in (store.claim(update.id) for update in updates) if grant]
    assert len(claims) == 1
    _, rings = store.settle(claims[0], an_attempt(), DONE)
    assert len(rings) == 3, "the lane is well again"


def test_a_shorter_pause_of_another_update_leaves_the_lane_opening_for_one(store: Store, redis: Redis) -> None:
    updates = [an_update(event=f"event-{number}") for number in range(2)]
    for update in updates:
        accepted(store, update)
    grants = [claimed(store, update.id) for update in updates]
    for grant, wait in zip(grants, (timedelta(hours=1), timedelta(seconds=5)), strict=True):
        store.settle(grant, an_attempt(outcome="throttled"), Retry("throttled", "429", wait, pause=wait))
    lane = updates[0].target.lane
    assert redis.pttl(f"rdv:probe:{lane}") > redis.pttl(f"rdv:paused:{lane}") > 3_000_000
    assert redis.pttl(f"rdv:probe:{lane}") <= 3_600_000 + 600_000


def test_a_backlog_has_its_bounds_by_client_and_by_mailbox(store: Store, redis: Redis) -> None:
    limits = Limits(client=3, mailbox=2)

    def ask(mailbox: str, key: str) -> str:
        update = an_update(mailbox=mailbox)
        return store.accept(update, key=key, fingerprint="f", room=4, limits=limits).id

    first = ask("a@contoso.com", "1")
    ask("a@contoso.com", "2")
    with pytest.raises(BacklogFull, match="mailbox"):
        ask("a@contoso.com", "3")
    assert ask("a@contoso.com", "1") == first, "a replay is answered all the same"
    ask("b@contoso.com", "4")
    with pytest.raises(BacklogFull, match="client"):
        ask("c@contoso.com", "5")
    store.settle(claimed(store, first), an_attempt(), DONE)
    assert ask("c@contoso.com", "5")
    assert redis.hgetall("rdv:backlog") == {
        "client/hr": "3", "lane/cloud/a@contoso.com": "1", "lane/cloud/b@contoso.com": "1",
        "lane/cloud/c@contoso.com": "1",
    }  # fmt: skip


def test_a_signed_message_is_bound_to_its_first_key(store: Store) -> None:
    assert store.first_key("hr", "m1", "k1") == "k1"
    assert store.first_key("hr", "m1", "k2") == "k1"
    assert store.first_key("rooms", "m1", "k2") == "k2"


def test_our_writes_of_an_event_are_remembered_newest_first_and_for_a_while(store: Store, redis: Redis) -> None:
    for before, after in (("v1", "v2"), ("v2", "v3")):
        update = an_update()
        accepted(store, update)
        store.settle(claimed(store, update.id), an_attempt(), Succeeded(None, wrote=Wrote(before, after, "c")))
    assert store.wrote(update.target.line) == [Wrote("v2", "v3", "c"), Wrote("v1", "v2", "c")]
    [kept] = redis.keys("rdv:wrote:*")
    assert 0 < redis.pttl(kept) <= SETTLED_LIFE / timedelta(milliseconds=1)


def oldest_first(store: Store, redis: Redis, count: int) -> list[Update]:
    """So many updates, in a client's list in this order."""
    updates = [an_update(event=f"event-{number}") for number in range(count)]
    for age, update in enumerate(updates):
        accepted(store, update)
        redis.zadd("rdv:updates:hr", {update.id: age})
    return updates


def test_lists_forget_what_is_past_its_life_also_behind_what_lives_on(
    store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    updates = oldest_first(store, redis, 8)
    living, over = updates[:5], updates[5:]
    redis.delete(*(f"rdv:job:{update.id}" for update in over))
    monkeypatch.setattr(steps, "_PIECE", 2)
    assert [store.trim("hr", at_most=4) for _ in range(3)] == [0, 3, 0]
    assert redis.zrange("rdv:updates:hr", 0, -1) == [update.id for update in living]


def test_the_next_round_of_trimming_begins_at_the_oldest_again(
    store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    updates = oldest_first(store, redis, 3)
    monkeypatch.setattr(steps, "_PIECE", 1)
    assert store.trim("hr", at_most=2) == 0
    redis.delete(f"rdv:job:{updates[0].id}")
    assert [store.trim("hr", at_most=2), store.trim("hr", at_most=2)] == [0, 1]


def test_of_an_update_that_is_tried_for_a_week_the_last_hundred_attempts_are_kept(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    for number in range(1, 103):
        store.settle(claimed(store, update.id), an_attempt(number), Retry("unavailable", "Busy.", timedelta()))
    assert [attempt.number for attempt in store.history(update.id)] == list(range(3, 103))
    assert claimed(store, update.id).attempts == 102


def a_callback(store: Store, number: int) -> str:
    """The id of a callback to one host, of an update that has ended."""
    update = an_update(event=f"event-{number}", callback_url="https://dead.example/x")
    accepted(store, update)
    made = Callback(f"msg_{number}", "{}", "hr", "a", f"line-{number}", "callback/dead.example", 10, "dead")
    store.settle(claimed(store, update.id), an_attempt(), DONE, made)
    return made.id


def test_callbacks_that_were_under_way_together_open_the_breaker_once(store: Store, redis: Redis) -> None:
    grants = [claimed(store, a_callback(store, number)) for number in range(10)]
    for grant in grants:
        store.settle(grant, an_attempt(), Retry("unavailable", "HTTP 500", timedelta(minutes=5)))
    assert 0 < redis.pttl("rdv:paused:callback/dead.example") <= 5000


def test_a_callback_host_that_fails_again_and_again_is_left_alone_for_a_while(store: Store, redis: Redis) -> None:
    failing = Retry("unavailable", "HTTP 500", timedelta(minutes=5))
    for number in range(5):
        store.settle(claimed(store, a_callback(store, number)), an_attempt(), failing)
    assert store.claim(a_callback(store, 5)) is None, "the breaker is open"
    other = Callback("msg_other", "{}", "hr", "a", "line-other", "callback/fine.example", 10, "fine")
    update = an_update(event="other", callback_url="https://fine.example/x")
    accepted(store, update)
    store.settle(claimed(store, update.id), an_attempt(), DONE, other)
    assert store.claim("msg_other") is not None, "another host is not concerned"
    redis.delete("rdv:paused:callback/dead.example")
    store.settle(claimed(store, "msg_5"), an_attempt(), Succeeded(None))
    assert redis.get("rdv:failures:callback/dead.example") is None
    assert claimed(store, a_callback(store, 6)), "one success closes the breaker"


def test_a_few_failures_of_a_callback_host_leave_its_lane_open_and_are_forgotten_after_an_hour(
    store: Store, redis: Redis
) -> None:
    for number in range(4):
        failing = Retry("unavailable", "HTTP 500", timedelta(minutes=5))
        store.settle(claimed(store, a_callback(store, number)), an_attempt(), failing)
    assert redis.exists("rdv:paused:callback/dead.example", "rdv:probe:callback/dead.example") == 0
    assert 3590 < redis.ttl("rdv:failures:callback/dead.example") <= 3600


def test_callbacks_of_one_client_that_fail_hold_up_no_other_clients_at_the_same_host(store: Store) -> None:
    def called(client: str, number: int) -> str:
        delivery = Delivery(client, f"https://hooks.example.com/{client}", '{"type": "x"}')
        made = composed(delivery, "anna@contoso.com", f"line-{client}-{number}", "x")
        update = replace(an_update(event=f"{client}-{number}"), client=client)
        accepted(store, update)
        store.settle(claimed(store, update.id), an_attempt(), DONE, made)
        return made.id

    for number in range(5):
        failing = Retry("unavailable", "HTTP 404", timedelta(minutes=5))
        store.settle(claimed(store, called("hr", number)), an_attempt(), failing)
    assert store.claim(called("hr", 5)) is None
    assert store.claim(called("rooms", 0)) is not None


def test_an_update_that_ends_because_exchange_is_busy_still_pauses_its_mailbox(store: Store) -> None:
    expired, next_one = an_update(event="a"), an_update(event="b")
    accepted(store, expired)
    accepted(store, next_one)
    end = Dead(failure("expired", "ApplicationThrottled", "x"), pause=timedelta(seconds=30))
    store.settle(claimed(store, expired.id), an_attempt(), end)
    assert store.claim(next_one.id) is None


def test_a_mailbox_that_was_paused_meanwhile_is_not_written_to(store: Store, redis: Redis) -> None:
    throttled, reading = an_update(event="a"), an_update(event="b")
    accepted(store, throttled)
    accepted(store, reading)
    grant, busy = claimed(store, reading.id), claimed(store, throttled.id)
    pause = Retry("throttled", "429", timedelta(seconds=30), pause=timedelta(seconds=30))
    store.settle(busy, an_attempt(outcome="throttled"), pause)
    wait = store.intend(grant, "{}")
    assert wait is not None and timedelta(seconds=25) < wait <= timedelta(seconds=30)
    assert redis.hget(f"rdv:job:{reading.id}", "intent") is None
    store.settle(grant, an_attempt(outcome="throttled"), Retry("throttled", "paused", wait))
    assert redis.exists(f"rdv:probe:{reading.target.lane}"), "it still opens for one at a time"


@pytest.mark.parametrize("policy", ["everysec", "no"])
def test_a_store_that_does_not_write_to_its_disk_at_once_is_refused(store: Store, redis: Redis, policy: str) -> None:
    with configured(redis, appendfsync=policy), pytest.raises(StoreUnavailable, match="appendfsync always"):
        accepted(store, an_update())


def test_a_store_that_does_not_tell_how_it_writes_is_waited_for(redis: Redis, store_url: str) -> None:
    redis.acl_setuser("managed", enabled=True, nopass=True, categories=["+@all"], commands=["-config"], keys=["*"])
    url = store_url.replace("redis://", "redis://managed:any@")
    managed = Store(Redis.from_url(url, decode_responses=True), lease=timedelta(seconds=2), grace=timedelta(seconds=1))
    try:
        with (
            configured(redis, appendfsync="no"),
            pytest.raises(StoreUnavailable, match="in time: set appendfsync always"),
        ):
            accepted(managed, an_update())
        assert accepted(managed, an_update()).created
    finally:
        managed.close()
        redis.acl_deluser("managed")


def test_whatever_line_ends_exchange_uses_in_what_it_says_the_attempts_stay_apart(store: Store, redis: Redis) -> None:
    update, detail = an_update(), "one\ntwo\r\nthree\u2028four\x85five\x1csix"
    accepted(store, update)
    store.settle(claimed(store, update.id), replace(an_attempt(outcome="unavailable"), detail=detail), LATER)
    later(redis, LATER.after)
    store.settle(claimed(store, update.id), an_attempt(2), DONE)
    assert [attempt.detail for attempt in store.history(update.id)] == [detail, None]


def test_what_has_ended_keeps_only_what_somebody_may_ask_for(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    store.settle(claimed(store, update.id), an_attempt(), DONE)
    assert set(redis.hkeys(f"rdv:job:{update.id}")) == {
        "kind", "state", "client", "owner", "body", "result", "attempts", "finished", "settled",
    }  # fmt: skip
    brought_back = an_update(event="b")
    accepted(store, brought_back)
    store.hand_back([claimed(store, brought_back.id)])
    grant = claimed(store, brought_back.id)
    store.intend(grant, "{}")
    told = Callback("msg_1", "{}", "hr", "anna@contoso.com", "line", "callback/host", 10, "host")
    store.settle(grant, an_attempt(2), Dead(failure("unknownOutcome", "X", "Nobody knows.")), told)
    store.replay(brought_back.id)
    store.settle(claimed(store, brought_back.id), an_attempt(3), DONE)
    assert set(redis.hkeys(f"rdv:job:{brought_back.id}")) == {
        "kind", "state", "client", "owner", "body", "result", "attempts", "finished", "settled", "replay",
    }  # fmt: skip
    store.settle(claimed(store, told.id), an_attempt(), Succeeded(None))
    assert set(redis.hkeys("rdv:job:msg_1")) == {
        "kind", "state", "client", "owner", "attempts", "finished", "settled",
    }  # fmt: skip
    taken_back = an_update()
    accepted(store, taken_back)
    store.cancel(taken_back.id, "2026-11-21T09:00:00.000Z")
    assert set(redis.hkeys(f"rdv:job:{taken_back.id}")) == {
        "kind", "state", "client", "owner", "body", "finished", "cancel",
    }  # fmt: skip


def test_a_finished_update_takes_at_most_a_kilobyte_and_a_half_of_the_store(store: Store, redis: Redis) -> None:
    def finished(number: int) -> None:
        subject = {"before": "Team building exercise", "after": "Team building exercise has moved!"}
        event, room = f"{number:0>152}", f"room {number}".rjust(number % 32)
        update = an_update(event=event, intent=Intent(set={"subject": subject["after"]}), metadata={"room": room})
        accepted(store, update, key=f"{number:032x}")
        grant = claimed(store, update.id)
        result = Result("D" * 40, noop=False, changed={"subject": subject}, invitations="sendToAllAndSaveCopy",
                        verified=True, mails=4)  # fmt: skip
        attempt = replace(an_attempt(), requestId=str(UUID(int=number)))
        store.settle(grant, attempt, Succeeded(result, wrote=Wrote("C" * 40, "D" * 40, "e" * 32)))

    finished(0)
    before = redis.info("memory")["used_memory_dataset"]
    for number in range(1, 257):
        finished(number)
    assert (redis.info("memory")["used_memory_dataset"] - before) / 256 <= 1536
