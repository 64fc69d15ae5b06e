import errno
import os
import socket

import pytest

from ops.run import RunError, doors
from ops.run.doors import Door, is_free, port_of
from ops.sandbox.process import free_port

FIXED = Door("the web process", "PORT", 8000, movable=False)
MOVABLE = Door("the embedded store", "STORE_PORT", 6390, movable=True)


def chosen(door: Door, environ: dict[str, str], taken: set[int]) -> int:
    return port_of(door, environ, lambda port: port not in taken, lambda: 40001)


def test_a_free_default_is_used() -> None:
    assert chosen(FIXED, {}, taken=set()) == 8000


def test_the_variable_comes_before_the_default() -> None:
    assert chosen(FIXED, {"PORT": "8123"}, taken={8000}) == 8123


def test_a_taken_port_is_named_with_the_variable_that_changes_it() -> None:
    with pytest.raises(RunError, match=r"port 8000 on 127\.0\.0\.1 is taken, and the web process needs it.*PORT=8001"):
        chosen(FIXED, {}, taken={8000})


def test_what_nobody_dials_by_hand_moves_out_of_the_way() -> None:
    assert chosen(MOVABLE, {}, taken={6390}) == 40001


def test_a_port_that_was_asked_for_is_not_moved() -> None:
    with pytest.raises(RunError, match="port 7000"):
        chosen(MOVABLE, {"STORE_PORT": "7000"}, taken={7000})


def test_a_port_that_this_user_may_not_use_is_not_called_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", denied)
    with pytest.raises(
        RunError, match=r"^port 80 on 127\.0\.0\.1 may not be used without special .* PORT=8000 make run"
    ):
        port_of(FIXED, {"PORT": "80"}, is_free, free_port)


@pytest.mark.parametrize("said", ["http", "0", "65536", "-1", "80.5", "٨٠"])
def test_what_is_no_port_is_said_to_be_none(said: str) -> None:
    with pytest.raises(RunError, match="PORT must be a port from 1 to 65535"):
        chosen(FIXED, {"PORT": said}, taken=set())


def test_a_port_on_which_somebody_listens_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind((doors.HOST, 0))
        listener.listen()
        assert not is_free(listener.getsockname()[1])


def test_any_free_port_is_free() -> None:
    assert is_free(free_port())


def test_nobody_who_connects_is_given_a_free_port_before_it_is_listened_on() -> None:
    assert all(free_port() < 32_768 for _ in range(20))


def test_processes_that_are_started_together_are_not_given_the_same_free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.getpid()
    given: list[int] = []
    for pid in range(here, here + 5):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        given += [free_port() for _ in range(100)]
    assert len(set(given)) == 500
