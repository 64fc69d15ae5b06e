"""What beat does at each tick, with a real store."""

from __future__ import annotations

from datetime import datetime

import pytest
from celery import Celery
from redis import Redis
from structlog.testing import capture_logs

from tests.configured import configured
from tests.workers.given import NOW, Bells, accepted, an_attempt, an_update, claimed
from workers.celery import scheduler
from workers.changes.subscription import Subscription
from workers.job import State
from workers.outcome import Succeeded
from workers.settings import Settings
from workers.store import Store
from workers.update import rfc3339


def test_the_lists_of_a_client_that_is_no_longer_configured_are_trimmed_too(
    settings: Settings, store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = an_update(client="gone")
    accepted(store, update)
    store.settle(claimed(store, update.id), an_attempt(), Succeeded(None))
    redis.zadd("rdv:updates:gone", {update.id: 1})
    redis.delete(f"rdv:job:{update.id}")
    beat(settings, monkeypatch).tick()
    assert not redis.exists("rdv:updates:gone")


def test_a_full_store_is_tidied_up_too(
    settings: Settings, store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.zadd("rdv:updates:hr", {"long over": 1})
    accepted(store, an_update())
    with configured(redis, maxmemory=1):
        beat(settings, monkeypatch).tick()
    assert redis.zscore("rdv:updates:hr", "long over") is None
    assert redis.hgetall("rdv:rooms") == {backend.name: str(backend.max_concurrency) for backend in settings.backend}


def test_a_lower_max_concurrency_binds_what_was_taken_in_before(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    updates = [an_update(event=f"event-{number}") for number in range(3)]
    for update in updates:
        accepted(store, update, room=4)
    lowered = [backend.model_copy(update={"max_concurrency": 1}) for backend in settings.backend]
    beat(settings.model_copy(update={"backend": lowered}), monkeypatch).tick()
    first = claimed(store, updates[0].id)
    assert [store.claim(update.id) for update in updates[1:]] == [None, None]
    _, rings = store.settle(first, an_attempt(), Succeeded(None))
    assert [ring.id for ring in rings] == [updates[1].id]


def test_what_waits_beyond_its_deadline_is_given_up(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = an_update()
    accepted(store, update)
    beat(settings, monkeypatch, update.deadline).tick()
    job = store.update(update.id)
    assert job is not None and job.state is State.DEAD


def test_whatever_may_run_is_rung_for(
    settings: Settings, store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    due, late, bells = an_update("A"), an_update("B", deadline=NOW, callback_url="https://hr.example/hook"), Bells()
    for update in (due, late):
        accepted(store, update)
    redis.zadd("rdv:due", {due.id: 1})
    store.begin(Subscription("sub_1", "hr", "cloud", "anna@contoso.com", "https://hr.example/", (), rfc3339(NOW)))
    ticking = beat(settings, monkeypatch)
    monkeypatch.setattr(ticking, "_bell", bells)
    ticking.tick()
    assert [ring.kind for ring in bells.rung] == ["update", "watch", "update", "callback"]
    assert [ring.id for ring in bells.rung if ring.kind == "update"] == [due.id, late.id]


def test_the_lists_are_tidied_up_once_a_minute(
    settings: Settings, store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticking = beat(settings, monkeypatch)
    ticking.tick()
    redis.delete("rdv:rooms")
    ticking.tick()
    assert not redis.exists("rdv:rooms")


def test_the_end_of_an_outage_is_told_once(
    settings: Settings, store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticking = beat(settings, monkeypatch)
    redis.set("rdv:due", "what the store refuses to sweep")
    with capture_logs() as told:
        ticking.tick()
        redis.delete("rdv:due")
        ticking.tick()
        ticking.tick()
    assert [line["event"] for line in told] == [
        "sweep failed, jobs wait until the store is back", "the store is back, sweep goes on",
    ]  # fmt: skip


def beat(settings: Settings, monkeypatch: pytest.MonkeyPatch, moment: datetime = NOW) -> scheduler.SweepScheduler:
    monkeypatch.setattr(scheduler, "load_or_exit", lambda: settings)
    monkeypatch.setattr(scheduler, "now", lambda: moment)
    return scheduler.SweepScheduler(Celery())
