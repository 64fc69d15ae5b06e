"""What the store counts: the same as what happened, whichever process did it and however often a step was sent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest
from redis import Redis

from tests.configured import configured
from tests.workers.given import accepted, an_attempt, an_update, claimed
from tests.workers.store.passing import later
from workers.callbacks.callback import for_update
from workers.job import Result, failure
from workers.outcome import Dead, Retry, Succeeded
from workers.store import Callback, Cancelled, Store
from workers.store.figures import BUCKETS, Tally

DONE = Succeeded(Result(None, noop=False))
DEAD = Dead(failure("refused", "ErrorX", "It is refused."))
LATER = Retry("throttled", "429", timedelta(), pause=timedelta(seconds=30))


def happened(store: Store) -> Counter[tuple[str, str, str, str]]:
    """(what, kind, ended, place) → how often, without the durations."""
    return Counter(
        {(one.what, one.kind, one.ended, one.place): one.count for one in store.totals() if one.what != "took"}
    )


def standing(store: Store) -> dict[str, int]:
    return {one.state: one.count for one in store.standings()}


def test_an_update_is_counted_once_at_each_step_of_its_life(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    assert standing(store) == {"queued": 1}
    grant = claimed(store, update.id)
    assert standing(store) == {"running": 1}
    store.settle(grant, an_attempt(), DONE)
    assert standing(store) == {}
    assert happened(store) == {
        ("accepted", "update", "", "cloud"): 1,
        ("succeeded", "update", "succeeded", "cloud"): 1,
    }


def test_a_step_that_is_sent_twice_is_counted_once(store: Store) -> None:
    update = an_update()
    for _ in range(2):
        accepted(store, update)
    grant = claimed(store, update.id)
    for _ in range(2):
        store.settle(grant, an_attempt(1, "refused"), DEAD)
    assert happened(store)[("accepted", "update", "", "cloud")] == 1
    assert happened(store)[("dead", "update", "refused", "cloud")] == 1


def test_a_retry_is_counted_by_how_it_ended_and_its_lane_is_paused(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    store.settle(claimed(store, update.id), an_attempt(1, "throttled"), LATER)
    assert standing(store) == {"retrying": 1}
    assert happened(store)[("retried", "update", "throttled", "cloud")] == 1
    [pause] = store.pauses()
    assert pause.lane == "cloud/anna@contoso.com"
    assert timedelta(seconds=25) < pause.until - store.time() <= timedelta(seconds=30)


def test_an_attempt_whose_worker_died_is_counted_as_lost(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    claimed(store, update.id)
    later(redis, timedelta(seconds=1))
    list(store.sweep())
    assert standing(store) == {"retrying": 1}
    assert happened(store)[("retried", "update", "lost", "cloud")] == 1


def test_a_cancelled_update_stands_nowhere(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    for said in (Cancelled.CANCELLED, Cancelled.ENDED):
        assert store.cancel(update.id, "2026-11-21T09:00:00.000Z")[0] is said
    assert standing(store) == {}
    assert happened(store)[("cancelled", "update", "", "cloud")] == 1


def test_a_replayed_dead_letter_stands_in_the_queue_again(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    store.settle(claimed(store, update.id), an_attempt(1, "refused"), DEAD)
    assert store.dead_count("hr") == 1
    store.replay(update.id)
    assert (standing(store), store.dead_count("hr")) == ({"queued": 1}, 0)


def test_callbacks_are_counted_by_host_in_the_minute_and_together_in_all(store: Store) -> None:
    update = an_update(callback_url="https://hooks.example.com:8443/x")
    accepted(store, update)
    job = store.update(update.id)
    assert job is not None
    store.settle(claimed(store, update.id), an_attempt(), DONE, for_update(job))
    assert ("accepted", "callback", "", "callback") in happened(store)
    places = {one.place for minute in store.minutes(2) for one in minute.tallies if one.kind == "callback"}
    assert places == {"callback/hr@hooks.example.com:8443"}


def test_the_time_to_done_falls_into_its_bucket(store: Store, redis: Redis) -> None:
    update = an_update()
    accepted(store, update)
    redis.hincrby(f"rdv:job:{update.id}", "since", -70_000)
    store.settle(claimed(store, update.id), an_attempt(), DONE)
    took = {one.ended: one.count for one in store.totals() if one.what == "took"}
    assert took["300000"] == 1
    assert 70_000 <= took["sum"] <= 300_000


def test_the_bounds_of_the_buckets_are_those_that_the_scripts_count_by() -> None:
    script = files("workers.store").joinpath("lua", "shared.lua").read_text(encoding="utf-8")
    (bounds,) = re.findall(r"local BUCKETS = {(.*)}", script)
    assert tuple(map(int, bounds.split(", "))) == BUCKETS


def test_what_ended_at_its_deadline_counts_in_the_time_to_done_and_what_was_cancelled_does_not(store: Store) -> None:
    late, unwanted = an_update("A"), an_update("B")
    for update in (late, unwanted):
        accepted(store, update)
    store.cancel(unwanted.id, "2026-11-21T09:00:00.000Z")
    store.expire(late.id, late.deadline, failure("expired", "DeadlinePassed", "It is too late."))
    assert [one.count for one in store.totals() if one.what == "took" and one.ended != "sum"] == [1]
    assert happened(store)[("dead", "update", "expired", "cloud")] == 1


def test_a_replay_says_nothing_about_the_time_to_done(store: Store) -> None:
    update = an_update()
    accepted(store, update)
    store.settle(claimed(store, update.id), an_attempt(1, "refused"), DEAD)
    store.replay(update.id)
    store.settle(claimed(store, update.id), an_attempt(2), DONE)
    assert sum(one.count for one in store.totals() if one.what == "took" and one.ended != "sum") == 1


def test_the_minutes_are_in_order_and_end_by_themselves(store: Store, redis: Redis) -> None:
    accepted(store, an_update())
    minutes = store.minutes(60)
    assert len(minutes) == 60
    assert {after.start - before.start for before, after in pairwise(minutes)} == {timedelta(minutes=1)}
    assert sum(one.count for minute in minutes for one in minute.tallies) == 1
    [key] = redis.keys("rdv:minute:*")
    assert 3600 < redis.ttl(key) <= 7500


def test_what_is_due_and_how_late_it_is(redis: Redis) -> None:
    store, update = Store(redis, lease=timedelta(hours=1), grace=timedelta(hours=1)), an_update()
    accepted(store, update)
    assert (store.dues().waiting, store.dues().overdue, store.dues().oldest) == (1, 0, timedelta())
    later(redis, timedelta(hours=2))
    dues = store.dues()
    assert (dues.waiting, dues.overdue) == (1, 1)
    assert timedelta(hours=1) <= dues.oldest < timedelta(hours=1, minutes=1)


def test_how_long_each_kind_has_waited_is_told_also_behind_hundreds_of_another_kind(redis: Redis) -> None:
    store = Store(redis, lease=timedelta(hours=1), grace=timedelta(hours=1))
    done = an_update(event="first")
    accepted(store, done)
    told = Callback("msg_1", "{}", "hr", "anna@contoso.com", "line", "callback/host", 10, "host")
    store.settle(claimed(store, done.id), an_attempt(), DONE, told)
    for number in range(300):
        accepted(store, an_update(event=f"event-{number}"))
    redis.zincrby("rdv:due", 3_600_000, "msg_1")
    redis.hset("rdv:job:msg_1", mapping={"since": 0, "ready": 0})
    assert store.waits()["callback"] >= timedelta(hours=1)
    assert store.waits()["update"] < timedelta(minutes=1)


def test_what_stood_behind_another_update_has_waited_only_since_it_was_its_turn(store: Store, redis: Redis) -> None:
    first, second = an_update(), an_update()
    for update in (first, second):
        accepted(store, update)
        redis.hincrby(f"rdv:job:{update.id}", "since", -3_600_000)
    store.settle(claimed(store, first.id), an_attempt(), DONE)
    assert store.waits()["update"] < timedelta(minutes=1)


def test_the_stores_health_is_told(store: Store, redis: Redis) -> None:
    assert store.health().problem is None
    assert store.health().memory > 0
    before = store.health().sequence
    accepted(store, an_update())
    assert store.health().sequence > before


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("appendonly", "no", "does not persist"),
        ("appendfsync", "everysec", "set appendfsync always"),
        ("maxmemory", "1mb", "the store is full"),
    ],
)
def test_why_a_store_would_not_keep_what_it_is_given_is_told(
    store: Store, redis: Redis, setting: str, value: str, said: str
) -> None:
    with configured(redis, **{setting: value}):
        assert said in (store.health().problem or "")


def test_a_full_store_still_tells_the_secret(store: Store, redis: Redis) -> None:
    first = store.console_secret()
    with configured(redis, maxmemory="1mb"):
        assert store.console_secret() == first


def test_every_web_process_gets_the_same_secret(store: Store) -> None:
    first = store.console_secret()
    assert len(first) >= 43
    assert store.console_secret() == first


@pytest.mark.parametrize("spoil", [lambda redis: redis.delete("rdv:states")])
def test_a_count_that_was_lost_never_goes_below_nothing(
    store: Store, redis: Redis, spoil: Callable[[Redis], Any]
) -> None:
    update = an_update()
    accepted(store, update)
    spoil(redis)
    store.settle(claimed(store, update.id), an_attempt(), DONE)
    assert store.standings() == ()


def test_a_tally_is_its_field(store: Store) -> None:
    accepted(store, an_update())
    assert store.totals() == (Tally("accepted", "update", "hr", "", "cloud", 1),)
