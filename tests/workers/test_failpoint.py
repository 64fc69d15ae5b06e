"""Failpoints: what arms them, and that nothing happens without."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from workers.failpoint import VARIABLE, Armed, failpoint


def reached(point: str | None, code: str = "failpoint('claim', 'upd_1'); print('went on')") -> tuple[int, str]:
    """A process of its own, armed so, that comes to the point ``claim`` of ``upd_1``: exit code and output."""
    environ = {name: value for name, value in os.environ.items() if name != VARIABLE}
    armed = {} if point is None else {VARIABLE: point}
    program = f"from workers.failpoint import failpoint; {code}"
    done = subprocess.run([sys.executable, "-c", program], env=environ | armed, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_an_unarmed_point_does_nothing() -> None:
    failpoint("claim")
    assert reached(None) == (0, "went on\n")


@pytest.mark.parametrize("point", ["claim:kill", "claim:kill:1", "claim/upd_1:kill"])
def test_kill_ends_the_process_at_once(point: str) -> None:
    assert reached(point) == (-signal.SIGKILL, "")


@pytest.mark.parametrize("point", ["settle.before:kill", "claim/upd_2:kill", "claim:kill:0", ""])
def test_other_points_and_other_jobs_go_on(point: str) -> None:
    assert reached(point) == (0, "went on\n")


def test_raise_raises() -> None:
    code, said = reached("claim:raise")
    assert code == 1 and "FailpointReached: claim" in said


def test_stop_lets_no_other_thread_go_on() -> None:
    code = (
        "import threading, time; beats = []; "
        "threading.Thread(target=lambda: [beats.append(time.sleep(0.01)) for _ in iter(int, 1)], daemon=True).start(); "
        "time.sleep(0.1); before = len(beats); failpoint('claim'); print(len(beats) - before <= 1)"
    )
    assert reached("claim:stop:300", code) == (0, "True\n")


def test_what_arms_a_point_is_read_in_full() -> None:
    assert Armed.parse("write.before/upd_1:stop:3000:0.25") == Armed("write.before", "upd_1", "stop", 3000, 0.25)


@pytest.mark.parametrize("text", ["claim", "claim:explode", "claim:kill:often", "claim:stop:soon", "claim:kill:1:2"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Armed.parse(text)
