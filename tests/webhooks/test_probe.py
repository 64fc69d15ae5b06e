from __future__ import annotations

import threading

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


def test_a_machine_that_has_no_thread_left_is_asked_again_when_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    probe = Probe(lambda: 1, 5)
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError):
            probe.ask()
    assert probe.ask() == 1
