"""Updates that are past their deadline before it is their turn, in a real store."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from tests.workers.given import NOW, accepted, an_attempt, an_update, claimed
from workers.callbacks.callback import Delivery
from workers.expiry import AT_ONCE, expire
from workers.job import State, UpdateJob
from workers.outcome import Retry, Succeeded
from workers.public import public
from workers.replay import bring_back
from workers.store import Cancelled, Ring, Store
from workers.store.steps import DEAD_LIFE
from workers.update import Update, rfc3339

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SOON = NOW + MINUTE
THROTTLED = Retry("throttled", "ApplicationThrottled: 429", HOUR, pause=HOUR)


def test_an_update_that_waits_in_a_paused_mailbox_ends_at_its_deadline_and_its_caller_is_told(store: Store) -> None:
    away, waits = an_update("A"), an_update("B", deadline=SOON, callback_url="https://hr.example/hook")
    accepted(store, away)
    store.settle(claimed(store, away.id), an_attempt(outcome="throttled"), THROTTLED)
    accepted(store, waits)
    assert list(expire(store, SOON - timedelta(seconds=1))) == []
    rung = [ring.kind for rings in expire(store, SOON) for ring in rings]
    assert rung == ["update", "callback"], "its own bell, too, so that Flower is told"
    assert ended(store, waits) == ("expired", "DeadlinePassed")
    assert stored(store, away).state is State.RETRYING
    assert list(expire(store, SOON)) == []


def test_the_callback_of_an_update_that_ended_at_its_deadline_tells_it_as_it_is_shown(store: Store) -> None:
    update = an_update(deadline=SOON, callback_url="https://hr.example/hook")
    accepted(store, update)
    callback = next(ring for rings in expire(store, SOON) for ring in rings if ring.kind == "callback")
    told = json.loads(Delivery.from_json(claimed(store, callback.id).body).text)
    assert (told["type"], told["timestamp"]) == ("calendar.update.dead", rfc3339(SOON))
    assert told["data"] == public(stored(store, update))


def test_an_update_that_waits_behind_another_ends_at_its_deadline_and_the_order_stays(store: Store) -> None:
    head, late, last = an_update(), an_update(deadline=SOON), an_update()
    for update in (head, late, last):
        accepted(store, update)
    grant = claimed(store, head.id)
    assert [ring.id for rings in expire(store, SOON) for ring in rings] == [late.id]
    assert ended(store, late) == ("expired", "DeadlinePassed")
    assert store.claim(last.id) is None
    _, rings = store.settle(grant, an_attempt(), Succeeded(None))
    assert [ring.id for ring in rings] == [last.id]


def test_an_update_that_was_sent_away_tells_the_last_answer(store: Store, redis: Redis) -> None:
    update = an_update(deadline=SOON)
    accepted(store, update)
    attempt = replace(an_attempt(outcome="throttled"), detail="ApplicationThrottled: 429")
    grant = claimed(store, update.id)
    store.intend(grant, "{}")
    store.settle(grant, attempt, THROTTLED)
    list(expire(store, SOON))
    assert ended(store, update) == ("expired", "ApplicationThrottled")
    assert stored(store, update).due_at is None
    assert redis.hmget(f"rdv:job:{update.id}", "intent", "doubt") == ["{}", ""], "how it stood is known, if replayed"
    assert 0 < redis.pttl(f"rdv:job:{update.id}") <= DEAD_LIFE / timedelta(milliseconds=1)


def test_what_runs_or_is_in_doubt_is_not_given_up_before_it_was_looked_at(store: Store) -> None:
    runs, doubted = an_update("A", deadline=SOON), an_update("B", deadline=SOON)
    for update in (runs, doubted):
        accepted(store, update)
    grant = claimed(store, doubted.id)
    store.intend(grant, "{}")
    store.settle(grant, an_attempt(outcome="unknownOutcome"), Retry("unknownOutcome", "no answer", HOUR, in_doubt=True))
    grant = claimed(store, runs.id)
    list(expire(store, SOON))
    assert stored(store, runs).state is State.RUNNING
    assert stored(store, doubted).state is State.RETRYING
    assert store.overdue(SOON, 9) == [], "they stand in the way of none that waits"
    store.hand_back([grant])
    list(expire(store, SOON + MINUTE))
    assert stored(store, runs).state is State.DEAD


def test_many_that_run_beyond_their_deadline_stand_in_the_way_of_none_that_waits(store: Store) -> None:
    updates = [an_update(f"event-{number}", f"{number}@contoso.com", deadline=SOON) for number in range(AT_ONCE)]
    waits = an_update("event-0", "0@contoso.com", deadline=SOON + MINUTE / 2)
    for update in (*updates, waits):
        accepted(store, update)
    for update in updates:
        claimed(store, update.id)
    for _ in range(2):
        list(expire(store, SOON + MINUTE / 2))
    assert stored(store, waits).state is State.DEAD


def test_who_is_brought_back_has_as_long_as_at_first(store: Store) -> None:
    update = an_update(deadline=SOON)
    accepted(store, update)
    list(expire(store, SOON))
    letter = store.dead_letter(update.id)
    assert letter is not None
    assert next(bring_back(store, [letter], SOON))[0]
    list(expire(store, SOON + MINUTE / 2))
    assert stored(store, update).state is State.QUEUED
    list(expire(store, SOON + MINUTE))
    assert stored(store, update).state is State.DEAD


def test_who_is_brought_back_while_beat_is_about_to_give_it_up_has_its_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = an_update(deadline=SOON)
    accepted(store, update)
    give_up = store.expire

    def given_up_already(*asked: Any) -> tuple[Ring, ...]:
        give_up(*asked)
        letter = store.dead_letter(update.id)
        assert letter is not None
        next(bring_back(store, [letter], SOON))
        return give_up(*asked)  # of another beat, or sent again because its answer was lost

    monkeypatch.setattr(store, "expire", given_up_already)
    list(expire(store, SOON))
    job = stored(store, update)
    assert (job.state, job.update.renewed_at) == (State.QUEUED, SOON)


def test_who_asks_in_vain_to_cancel_an_update_in_doubt_does_not_take_its_deadline(store: Store) -> None:
    update = an_update(deadline=SOON)
    accepted(store, update)
    grant = claimed(store, update.id)
    store.intend(grant, "{}")
    doubted = Retry("unknownOutcome", "no answer", timedelta(), in_doubt=True)
    store.settle(grant, an_attempt(outcome="unknownOutcome"), doubted)
    assert store.cancel(update.id, "2026-11-21T09:00:00.000Z")[0] is Cancelled.RUNNING
    store.settle(claimed(store, update.id), an_attempt(2, outcome="throttled"), THROTTLED)
    list(expire(store, SOON))
    assert ended(store, update)[0] == "expired"


def test_an_update_that_cannot_be_read_stands_in_nobodys_way(store: Store, redis: Redis) -> None:
    update = an_update(deadline=SOON)
    accepted(store, update)
    redis.hset(f"rdv:job:{update.id}", "body", "{")
    list(expire(store, SOON))
    assert store.dead_letter(update.id) is not None
    assert store.overdue(SOON, 1) == []


def stored(store: Store, update: Update) -> UpdateJob:
    job = store.update(update.id)
    assert job is not None
    return job


def ended(store: Store, update: Update) -> tuple[str, str]:
    job = stored(store, update)
    assert job.state is State.DEAD
    return job.error["class"], job.error["code"]
