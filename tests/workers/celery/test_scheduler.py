"""What beat does at each tick, with a real store."""

from __future__ import annotations

import pytest
from celery import Celery
from redis import Redis

from tests.workers.given import accepted, an_attempt, an_update, claimed
from workers.celery import scheduler
from workers.outcome import Succeeded
from workers.settings import Settings
from workers.store import Store


def test_the_lists_of_a_client_that_is_no_longer_configured_are_trimmed_too(
    settings: Settings, store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = an_update(client="gone")
    accepted(store, update)
    store.settle(claimed(store, update.id), an_attempt(), Succeeded(None))
    redis.zadd("rdv:updates:gone", {update.id: 1})
    redis.delete(f"rdv:job:{update.id}")
    monkeypatch.setattr(scheduler, "load_or_exit", lambda: settings)
    scheduler.SweepScheduler(Celery()).tick()
    assert not redis.exists("rdv:updates:gone")
