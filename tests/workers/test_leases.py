"""Leases that are renewed while their jobs run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, cast

import pytest
from redis import Redis
from structlog.testing import capture_logs

from tests.workers.given import accepted, an_update, claimed
from workers import leases as module
from workers.job import State
from workers.leases import Leases
from workers.store import Grant, Store, StoreUnavailable
from workers.store.connection import Connection
from workers.update import Update


class Register:
    """A store that notes what it is asked to renew, and answers as it is told."""

    def __init__(self, *answers: set[str] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[list[str]] = []
        self.renewed = threading.Semaphore(0)

    def renew(self, grants: Iterable[Grant]) -> set[str]:
        self.asked.append([grant.id for grant in grants])
        self.renewed.release()
        answer = self.answers.pop(0) if self.answers else set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def hand_back(self, _: Iterable[Grant]) -> tuple[()]:
        return ()

    def leases(self) -> Leases:
        return Leases(cast(Store, self), timedelta(milliseconds=30))

    def wait(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.renewed.acquire(timeout=10), "nothing was renewed"


def grant(job_id: str = "upd_1", fence: int = 1) -> Grant:
    fields: dict[str, Any] = {"id": job_id, "fence": fence, "kind": "update", "body": "", "claims": 1, "attempts": 0,
                              "tries": 0, "intent": None, "in_doubt": False}  # fmt: skip
    return Grant(**fields)


def until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it never came true")


def test_what_is_held_is_known_and_what_is_let_go_is_not() -> None:
    leases = Register().leases()
    with leases.hold(grant("a", 1)), leases.hold(grant("b", 2)):
        assert [held.id for held in leases.held()] == ["a", "b"]
    assert leases.held() == ()


def test_a_lease_is_let_go_when_the_job_fails() -> None:
    leases = Register().leases()
    with pytest.raises(ZeroDivisionError), leases.hold(grant()):
        _ = 1 / 0
    assert leases.held() == ()


def test_a_job_that_was_claimed_here_again_stays_held_when_its_first_run_ends() -> None:
    leases = Register().leases()
    first = leases.hold(grant(fence=1))
    first.__enter__()
    with leases.hold(grant(fence=2)):
        first.__exit__(None, None, None)
        assert [held.fence for held in leases.held()] == [2]


def test_what_is_held_is_renewed_again_and_again() -> None:
    register = Register()
    leases = register.leases()
    leases.start()
    with leases.hold(grant()):
        register.wait(1)  # it may have begun before the job was held
        register.wait(2)
    assert register.asked[1:3] == [["upd_1"], ["upd_1"]]


@pytest.mark.parametrize("error", [StoreUnavailable("away"), ValueError("a fault of ours")])
def test_renewing_outlives_whatever_goes_wrong_and_a_lease_that_is_lost(error: Exception) -> None:
    register = Register(error, {"upd_1"})
    leases = register.leases()
    with capture_logs() as logs, leases.hold(grant()):
        leases.start()
        register.wait(3)
    assert [entry["event"] for entry in logs] == [
        "leases not renewed", "lease lost, another worker may take the job over"
    ]  # fmt: skip


def test_a_job_that_hangs_is_not_renewed_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", timedelta(days=-1))
    register = Register()
    leases = register.leases()
    with leases.hold(grant()):
        leases.start()
        register.wait()
    assert register.asked[0] == []


def test_closing_keeps_what_runs() -> None:
    leases = Register().leases()
    with leases.hold(grant()):
        leases.close()
        assert leases.closing
        assert len(leases.held()) == 1


def test_renewing_puts_off_the_moment_at_which_the_job_is_taken_back(redis: Redis) -> None:
    store = Store(redis, lease=timedelta(seconds=30), grace=timedelta(seconds=30))
    leases = Leases(store, timedelta(milliseconds=30))
    leases.start()
    update = an_update()
    accepted(store, update)
    taken = claimed(store, update.id)

    def ends() -> float:
        return cast(float, redis.zscore("rdv:due", update.id))

    first = ends()
    with leases.hold(taken):
        until(lambda: ends() > first)


def test_a_job_that_could_not_be_settled_is_handed_back_as_soon_as_the_store_answers(redis: Redis) -> None:
    store = Store(redis, lease=timedelta(seconds=30), grace=timedelta(seconds=30))
    leases = Leases(store, timedelta(milliseconds=30))
    update = an_update()
    accepted(store, update)
    leases.abandon(claimed(store, update.id))
    leases.start()
    until(lambda: state(store, update) is State.RETRYING)
    assert claimed(store, update.id).claims == 1  # it was no crash


def test_a_job_that_was_granted_unheard_is_handed_back_as_soon_as_the_store_answers(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unheard(connection: Connection, script: str, *args: str | int) -> None:
        run(connection, script, *args)
        raise StoreUnavailable("the answer was lost")

    store = Store(redis, lease=timedelta(seconds=30), grace=timedelta(seconds=30))
    leases = Leases(store, timedelta(milliseconds=30))
    update = an_update()
    accepted(store, update)
    run = Connection.run
    with monkeypatch.context() as away, pytest.raises(StoreUnavailable):
        away.setattr(Connection, "run", unheard)
        store.claim(update.id)
    assert state(store, update) is State.RUNNING
    leases.start()
    until(lambda: state(store, update) is State.RETRYING)
    assert claimed(store, update.id).claims == 1  # nobody died of it
    assert store.hand_back([]) == ()  # and whoever runs it now keeps it
    assert state(store, update) is State.RUNNING


def state(store: Store, update: Update) -> State | None:
    job = store.update(update.id)
    return job.state if job else None
