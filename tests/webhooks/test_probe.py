from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import pytest

from webhooks.probe import Probe


def test_an_answer_is_handed_on_and_asked_for_anew_each_time() -> None:
    answers = iter([1, 2])
    probe = Probe(lambda: next(answers), 5)
    assert [probe.ask(), probe.ask()] == [1, 2]


def test_an_error_is_the_askers() -> None:
    def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        Probe(broken, 5).ask()


def test_also_an_error_that_is_to_end_the_thread_is_told_and_holds_up_nobody() -> None:
    ends = iter([SystemExit, ValueError])

    def ending() -> None:
        raise next(ends)

    probe = Probe(ending, 5)
    with pytest.raises(SystemExit):
        probe.ask()
    with pytest.raises(ValueError):
        probe.ask()


def test_two_who_come_at_the_same_time_ask_once(monkeypatch: pytest.MonkeyPatch) -> None:
    both, going_on = threading.Barrier(2), threading.Event()
    threads: list[threading.Thread] = []

    class Slow(threading.Thread):
        """Starts when two are about to start, or when the other one does not come: it is held at the door."""

        def start(self) -> None:
            with suppress(threading.BrokenBarrierError):
                both.wait(0.2)
            threads.append(self)
            super().start()

    monkeypatch.setattr("webhooks.probe.Thread", Slow)
    probe = Probe(going_on.wait, 0.01)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(probe.ask) for _ in range(2)]
    assert [type(one.exception()) for one in waiting] == [TimeoutError, TimeoutError]
    going_on.set()
    assert len(threads) == 1


def test_whoever_hangs_is_asked_once_until_he_answers() -> None:
    going_on, asked = threading.Event(), []

    def hanging() -> int:
        asked.append(threading.current_thread())
        going_on.wait()
        return len(asked)

    probe = Probe(hanging, 0.01)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            probe.ask()
    assert len(asked) == 1
    going_on.set()
    asked[0].join()
    assert probe.ask() == 2


def test_nobody_waits_for_what_has_been_hanging_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    going_on, waited, clock = threading.Event(), list[float | None](), iter([100.0, 100.0, 103.5, 109.0])

    class Watched(Future[bool]):
        def result(self, timeout: float | None = None) -> bool:
            waited.append(timeout)
            raise TimeoutError

    monkeypatch.setattr("webhooks.probe.Future", Watched)
    monkeypatch.setattr("webhooks.probe.monotonic", lambda: next(clock))
    probe = Probe(going_on.wait, 4)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            probe.ask()
    going_on.set()
    assert waited == [4, 0.5, 0]


def test_a_machine_that_has_no_thread_left_is_asked_again_when_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    probe = Probe(lambda: 1, 5)
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError):
            probe.ask()
    assert probe.ask() == 1
