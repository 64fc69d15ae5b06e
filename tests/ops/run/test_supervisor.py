import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ops.run import RunError
from ops.run.process import Command
from ops.run.supervisor import GRACE, QUICK_DEATHS, Supervisor, is_hopeless, pause_before
from workers import drain

ROOT = Path(__file__).resolve().parents[3]
SOON = 20.0


def python(directory: Path, name: str, code: str, serves: bool = False) -> Command:
    return Command(name, (sys.executable, "-c", code), dict(os.environ), directory / f"{name}.log", serves)


def until(happened: object, supervisor: Supervisor | None = None) -> None:
    end = time.monotonic() + SOON
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen"
        if supervisor is not None:
            supervisor.wait(0.05)
        else:
            time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # the second: it ended between being found and being read
        return False


def test_the_first_start_has_no_pause_and_later_ones_longer_ones() -> None:
    assert [pause_before(deaths) for deaths in (0, 1, 2, 3, 9)] == [0, 0.5, 1, 2, 8]


def test_a_bad_configuration_is_hopeless_at_once_and_a_crash_after_five() -> None:
    assert is_hopeless(2, 1)
    assert not is_hopeless(1, QUICK_DEATHS - 1)
    assert is_hopeless(1, QUICK_DEATHS)
    assert not is_hopeless(-9, 1)


def test_a_process_that_dies_is_started_again_and_it_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(tmp_path, said.append)
    code = "import os, time; open('pids', 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"
    pids = tmp_path / "pids"
    try:
        supervisor.start(python(tmp_path, "worker", code))
        until(pids.exists)
        until(lambda: pids.read_text().strip())
        os.kill(int(pids.read_text()), signal.SIGKILL)
        until(lambda: len(pids.read_text().splitlines()) == 2, supervisor)
    finally:
        supervisor.stop()
    assert said == ["worker was killed by signal 9; starting it again in 0.5 s"]


def test_a_process_that_always_dies_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, lambda _: None, sleep=lambda _: time.sleep(0.001))
    supervisor.start(python(tmp_path, "beat", "print('no such table'); raise SystemExit(2)"))
    with pytest.raises(RunError, match=r"beat ended with exit code 2 and is not started again(.|\n)*no such table"):
        until(lambda: False, supervisor)
    supervisor.stop()


def test_the_quick_deaths_of_who_has_lived_for_a_while_since_are_forgiven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        monkeypatch.setattr("ops.run.supervisor.QUICK", 0.0 if len(said) == 1 else float("inf"))

    monkeypatch.setattr("ops.run.supervisor.QUICK", float("inf"))
    supervisor = Supervisor(tmp_path, say)
    supervisor.start(python(tmp_path, "worker", "raise SystemExit(1)"))
    try:
        until(lambda: len(said) >= 3, supervisor)
    finally:
        supervisor.stop()
    again = "worker ended with exit code 1; starting it again"
    assert said == [f"{again} in 0.5 s", again, f"{again} in 0.5 s"]


def test_a_program_that_is_not_there_is_named_in_the_log(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, lambda _: None)
    log = tmp_path / "web.log"
    supervisor.start(Command("web", ("no-such-program",), dict(os.environ), log))
    try:
        until(lambda: "no-such-program: No such file or directory" in log.read_text())
    finally:
        supervisor.stop()


def test_stopping_ends_what_does_not_listen_and_what_it_left_behind(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, lambda _: None, hurry=True)
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        "open(f'pid-{os.getpid()}', 'w').close()\n"
        "time.sleep(600)\n"
    )
    supervisor.start(python(tmp_path, "worker", code))
    until(lambda: len(list(tmp_path.glob("pid-*"))) == 2)
    supervisor.stop()
    pids = [int(path.name.removeprefix("pid-")) for path in tmp_path.glob("pid-*")]
    until(lambda: not any(alive(pid) for pid in pids))


def test_a_worker_has_the_time_that_it_needs_to_hand_back_what_hangs(tmp_path: Path) -> None:
    assert GRACE > drain.AT_LATEST
    code = (
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        "    while not pathlib.Path('time').exists():\n"
        "        time.sleep(0.01)\n"
        "    pathlib.Path('handed back').touch()\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "pathlib.Path('up').touch()\n"
        "time.sleep(600)\n"
    )

    def passing(seconds: float) -> None:
        (tmp_path / "time").touch()
        time.sleep(seconds)

    supervisor = Supervisor(tmp_path, lambda _: None, sleep=passing)
    supervisor.start(python(tmp_path, "worker", code))
    until((tmp_path / "up").exists)
    supervisor.stop()
    assert (tmp_path / "handed back").exists()


def test_who_takes_longer_than_that_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.run.supervisor.GRACE", 0.2)
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open(f'pid-{os.getpid()}', 'w').close()\n"
        "time.sleep(600)\n"
    )
    supervisor = Supervisor(tmp_path, lambda _: None)
    supervisor.start(python(tmp_path, "worker", code))
    until(lambda: list(tmp_path.glob("pid-*")))
    supervisor.stop()
    (path,) = tmp_path.glob("pid-*")
    assert not alive(int(path.name.removeprefix("pid-")))


def test_servers_end_after_the_processes_that_use_them(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    open('order', 'a').write(sys.argv[1] + ' ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "open(sys.argv[1], 'w').close()\n"
        "time.sleep(600)\n"
    )
    supervisor = Supervisor(tmp_path, lambda _: None)
    for name, serves in (("store", True), ("web", False)):
        command = python(tmp_path, name, code, serves)
        supervisor.start(Command(name, (*command.arguments, name), command.environment, command.log, serves))
    until(lambda: (tmp_path / "store").exists() and (tmp_path / "web").exists())
    supervisor.stop()
    assert (tmp_path / "order").read_text() == "web store "


@pytest.mark.skipif(sys.platform != "linux", reason="the leash is Linux's")
def test_processes_die_with_a_launcher_that_is_killed(tmp_path: Path) -> None:
    launcher = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from ops.run.process import Command, Process\n"
        "here = Path(sys.argv[1])\n"
        'code = \'import os, time; open("pid", "w").write(str(os.getpid())); time.sleep(600)\'\n'
        "Process.start(Command('x', (sys.executable, '-c', code), dict(os.environ), here / 'x.log'), here)\n"
        "time.sleep(600)\n"
    )
    started = subprocess.Popen([sys.executable, "-c", launcher, str(tmp_path)], cwd=ROOT)
    pid = tmp_path / "pid"
    try:
        until(lambda: pid.exists() and pid.read_text())
    finally:
        started.kill()
        started.wait()
    until(lambda: not alive(int(pid.read_text())))
