"""A worker that hears nothing although bells are rung for it ends; a busy or an idle one does not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.until import until
from tests.workers.given import accepted, an_update, claimed
from workers.celery.bell import BrokerUnavailable
from workers.celery.watchdog import EXIT_CODE, PATIENCE, UNANSWERED, Watchdog
from workers.leases import Leases
from workers.store import Store


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def left() -> list[int]:
    return []


def a_watchdog(
    store: Store,
    clock: Clock,
    left: list[int],
    leases: Leases | None = None,
    ask_broker: Callable[[], None] = lambda: None,
) -> Watchdog:
    leases = leases or Leases(store, timedelta(seconds=1))
    return Watchdog(store, leases, ["update"], ask_broker, clock=clock, leave=left.append)


def rung_in_vain(store: Store) -> str:
    update = an_update()
    accepted(store, update)

    def unanswered() -> bool:
        list(store.sweep())
        return bool(store.unanswered(["update"], UNANSWERED))

    assert until(unanswered, 20)
    return update.id


def test_a_deaf_worker_ends(store: Store, left: list[int]) -> None:
    clock = Clock()
    watchdog = a_watchdog(store, clock, left)
    rung_in_vain(store)
    clock.now = PATIENCE + 1
    watchdog.look()
    assert left == [EXIT_CODE]


def test_a_worker_stays_while_the_broker_is_away_and_has_time_when_it_is_back(store: Store, left: list[int]) -> None:
    away = True

    def ask() -> None:
        if away:
            raise BrokerUnavailable("no")

    clock = Clock()
    watchdog = a_watchdog(store, clock, left, ask_broker=ask)
    rung_in_vain(store)
    clock.now = PATIENCE + 1
    watchdog.look()
    away = False
    clock.now = 2 * PATIENCE
    watchdog.look()
    assert left == []
    clock.now = 3 * PATIENCE
    watchdog.look()
    assert left == [EXIT_CODE]


def test_a_watchdog_that_trips_looks_again(store: Store, left: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.celery.watchdog.PATIENCE", 0.1)
    faults, ended = [ValueError("a broker of a kind that nobody knows")], threading.Event()

    def ask() -> None:
        if faults:
            raise faults.pop()

    def leave(code: int) -> None:
        left.append(code)
        ended.set()
        threading.Event().wait()

    watchdog = Watchdog(store, Leases(store, timedelta(seconds=1)), ["update"], ask, leave=leave)
    rung_in_vain(store)
    watchdog.start()
    assert ended.wait(10)
    assert left == [EXIT_CODE]


def test_a_worker_that_hears_bells_stays(store: Store, left: list[int]) -> None:
    clock = Clock()
    watchdog = a_watchdog(store, clock, left)
    rung_in_vain(store)
    clock.now = PATIENCE + 1
    watchdog.heard()
    watchdog.look()
    assert left == []


def test_a_worker_with_nothing_to_hear_stays(store: Store, left: list[int]) -> None:
    clock = Clock()
    watchdog = a_watchdog(store, clock, left)
    accepted(store, an_update())
    clock.now = PATIENCE + 1
    watchdog.look()
    assert left == []


def test_a_worker_that_runs_a_long_job_stays(store: Store, left: list[int]) -> None:
    clock = Clock()
    leases = Leases(store, timedelta(seconds=1))
    watchdog = a_watchdog(store, clock, left, leases)
    job_id = rung_in_vain(store)
    other = an_update(event="another")
    accepted(store, other)
    with leases.hold(claimed(store, other.id)):
        clock.now = PATIENCE + 1
        watchdog.look()
    assert left == []
    assert store.unanswered(["callback"], 1) == []
    assert store.unanswered(["update"], UNANSWERED) == [job_id]


def test_a_worker_whose_only_job_hangs_for_ever_is_no_busy_one(
    store: Store, left: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.leases.LONGEST", timedelta(days=-1))
    clock = Clock()
    leases = Leases(store, timedelta(seconds=1))
    watchdog = a_watchdog(store, clock, left, leases)
    rung_in_vain(store)
    other = an_update(event="another")
    accepted(store, other)
    with leases.hold(claimed(store, other.id)):
        clock.now = PATIENCE + 1
        watchdog.look()
    assert left == [EXIT_CODE]
