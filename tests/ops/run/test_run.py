"""The launcher as a user meets it: ``python -m ops.run`` as a process of its own."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from ops.run import readiness
from ops.run.process import last_lines
from ops.run.supervisor import GRACE, SERVER_GRACE
from ops.sandbox.process import free_port
from tests.left import left_of
from tests.until import until

ROOT = Path(__file__).resolve().parents[3]
PATIENCE, SOON = 300, 10
"""Seconds. Within PATIENCE the launcher itself gives up a part that does not come up."""
PORTS = ("PORT", "FLOWER_PORT", "STORE_PORT", "BROKER_PORT", "SANDBOX_PORT")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Where everything goes. How each log ends is shown where a test fails."""
    yield tmp_path
    for log in sorted((tmp_path / "log").glob("*.log")):
        print(f"{log.name}:\n{last_lines(log)}")


def environ(**own: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RENDEZVOUS_")}
    return {**kept, **{name: str(free_port()) for name in PORTS}, **own}


def run(directory: Path, *arguments: str, **own: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops.run", "--directory", str(directory), *arguments],
        cwd=ROOT, env=environ(**own), capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_the_two_seed_updates_succeed_and_nothing_is_left_behind(directory: Path) -> None:
    done = run(directory, "--once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Both seed updates succeeded." in done.stdout
    assert done.stdout.count("│ signature         │ good") == 2
    assert "dlpprojector@contoso.com (resource)" in done.stdout
    assert left_of(directory) == []


@contextmanager
def launched(directory: Path, *how: str, **own: str) -> Iterator[subprocess.Popen[bytes]]:
    """The launcher; what it says is in the file ``said``."""
    with (directory / "said").open("w") as said:
        launcher = subprocess.Popen(
            [sys.executable, *how, "--directory", str(directory)], cwd=ROOT, env=environ(**own), stdout=said
        )
    try:
        yield launcher
    finally:
        launcher.kill()
        launcher.wait()


def hear(launcher: subprocess.Popen[bytes], directory: Path, words: str) -> None:
    """Wait until it has said so."""
    end = time.monotonic() + PATIENCE
    while words not in (said := (directory / "said").read_text()):
        assert launcher.poll() is None and time.monotonic() < end, said
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_up_until_it_is_told_to_stop_and_leaves_no_process(directory: Path, number: signal.Signals) -> None:
    port = str(free_port())
    with launched(directory, "-m", "ops.run", PORT=port) as launcher:
        hear(launcher, directory, "Ctrl-C stops everything")
        assert until(lambda: readiness.http_answers(f"http://127.0.0.1:{port}/readyz"), PATIENCE)
        launcher.send_signal(number)
        assert launcher.wait(GRACE + SERVER_GRACE + SOON) == 0
    assert left_of(directory) == []


PATIENT = """
from ops.run import __main__, supervisor
supervisor.GRACE = supervisor.SERVER_GRACE = 3600
raise SystemExit(__main__.main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_stopped_before_it_is_up_it_fails_and_a_second_ctrl_c_waits_for_nobody(directory: Path) -> None:
    port = free_port()
    with launched(directory, "-c", PATIENT, STORE_PORT=str(port)) as launcher:
        hear(launcher, directory, "· web")
        os.kill(int(Redis(port=port).info("server")["process_id"]), signal.SIGSTOP)
        launcher.send_signal(signal.SIGINT)
        hear(launcher, directory, "stopping")
        launcher.send_signal(signal.SIGINT)
        assert launcher.wait(SOON) == 130
    assert left_of(directory) == []


def test_a_second_one_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run(tmp_path, "--once")
    assert done.returncode == 1
    assert done.stderr == f"rendezvous: another `make run` is at work in {tmp_path}: stop it first\n"


def test_a_taken_port_is_one_sentence(tmp_path: Path, taken: int) -> None:
    done = run(tmp_path, "--once", PORT=str(taken))
    assert done.returncode == 1
    assert done.stderr.startswith(f"rendezvous: port {taken} on 127.0.0.1 is taken, and the web process needs it")
    assert done.stderr.count("\n") == 1 and done.stdout == ""


def test_once_is_for_the_sandbox_only(tmp_path: Path) -> None:
    done = run(tmp_path, "--once", RENDEZVOUS_CONFIG="mine.toml")
    assert done.returncode == 1
    assert done.stderr.startswith("rendezvous: --once sends the seed updates to the sandbox")


def test_a_bad_configuration_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("colour = 1\n")
    done = run(tmp_path, RENDEZVOUS_CONFIG=str(config))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and str(config) in done.stderr and done.stdout == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = run(tmp_path / "run", "--once")
    assert done.returncode == 1 and str(tmp_path) in done.stderr and done.stderr.count("\n") == 1
