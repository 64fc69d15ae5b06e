"""Processes that start in a moment: one that has imported what they need lets copies of itself become them.

Most of a start is importing, which costs more than a second of CPU and which no kill hurts. A copy goes through the
rest as the command would: it reads its environment, connects, runs ``main``, and is a session of its own that dies with
the nursery. Not for what has a library preloaded (preload): that is executed.
"""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.run.leash import PR_SET_PDEATHSIG
from ops.run.process import Command
from workers import failpoint

LIBRARIES = (
    "celery.apps.beat", "celery.apps.worker", "celery.bin.beat", "celery.bin.celery", "celery.bin.worker",
    "celery.concurrency.thread", "celery.worker.consumer", "flask", "flask_openapi", "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread", "kombu.transport.redis", "limits.storage", "workers.drain", "workers.engine",
    "workers.celery.scheduler",
)  # fmt: skip
"""Neither ``webhooks`` nor prometheus-client: they look at the environment when they are imported."""
DEATHS = "CHAOS_DEATHS"
"""The folder in which it is written down which job has let whom die."""
SWEPT = 10.0
"""Seconds for what SIGKILL does; longer only where the nursery itself is gone, and all of its children with it."""
STARTERS = {"celery": "celery.__main__:main", "gunicorn": "gunicorn.app.wsgiapp:run"}


@dataclass(slots=True)
class Spare:
    """A process out of the nursery; the same questions as ``ops.run.process.Process`` answers."""

    nursery: Nursery
    pid: int
    gone: bool = False

    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self.nursery.ended.get(self.pid)

    def terminate(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def sweep_up(self) -> None:
        """End it and what it has started, at once."""
        if self.gone:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with self.nursery.news:
            self.nursery.news.wait_for(lambda: self.pid in self.nursery.ended, SWEPT)
        self.gone = True


@dataclass(slots=True)
class Nursery:
    """The forking process, seen from the stage. Thread-safe."""

    ended: dict[int, int] = field(default_factory=dict)
    """Exit codes."""
    news: threading.Condition = field(default_factory=threading.Condition)
    _born: list[int] = field(default_factory=list)
    _asking: threading.Lock = field(default_factory=threading.Lock)
    _ours: socket.socket = field(init=False)
    _popen: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.nursery", str(theirs.fileno())], pass_fds=[theirs.fileno()]
            )
        threading.Thread(target=self._listen, name="nursery", daemon=True).start()

    def start(self, command: Command) -> Spare:
        """A process that becomes this command. Its environment replaces what the nursery was started with."""
        ask = {"argv": command.arguments, "environ": dict(command.environment), "log": str(command.log)}
        with self._asking, self.news:
            self._ours.sendall(json.dumps(ask).encode() + b"\n")
            if not self.news.wait_for(lambda: self._born, 60):
                raise RuntimeError("the nursery does not answer")
            return Spare(self, self._born.pop())

    def close(self) -> None:
        self._popen.kill()
        self._popen.wait()
        self._ours.close()

    def _listen(self) -> None:
        with suppress(OSError), self._ours.makefile("rb") as lines:
            for line in lines:
                pid, code = json.loads(line)
                with self.news:
                    if code is None:
                        self._born.append(pid)
                        self.ended.pop(pid, None)  # a number that was used before
                    else:
                        self.ended[pid] = code
                    self.news.notify_all()


class Sparing(failpoint.Armed):
    """A failpoint that spares a job of which somebody has died already, so that what its recovery takes can be told;
    unless it is meant for that very job. Who dies again and again is in C12 and P1."""

    def strikes(self, name: str, job: str, dice: float) -> bool:
        if not super().strikes(name, job, dice):
            return False
        return self.action != "kill" or bool(self.job) or not job or _first(job)


def _first(job: str) -> bool:
    with suppress(FileExistsError):
        (Path(os.environ[DEATHS]) / job).touch(exist_ok=False)
        return True
    return False


def main() -> None:
    """The nursery itself: a line asks for a process; a line tells of each that was born, and of each that ended."""
    for name in LIBRARIES:
        __import__(name)
    asked = socket.socket(fileno=int(sys.argv[1]))
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno())
    with selectors.DefaultSelector() as selector, asked.makefile("rb") as lines:
        selector.register(asked, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is woken:
                    woken.recv(4096)
                    _tell_of_the_dead(asked)
                elif line := lines.readline():
                    _fork(json.loads(line), asked)
                else:
                    return


def _tell_of_the_dead(asked: socket.socket) -> None:
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            asked.sendall(json.dumps([found[0], os.waitstatus_to_exitcode(found[1])]).encode() + b"\n")


def _fork(ask: Mapping[str, Any], asked: socket.socket) -> None:
    nursery = os.getpid()
    home, left = os.pipe()
    if pid := os.fork():
        os.close(left)
        os.read(home, 1)  # until it has left: before, it has no group of its own, by which it is ended
        os.close(home)
        asked.sendall(json.dumps([pid, None]).encode() + b"\n")
        return
    code = 1
    try:
        _leave_home(nursery, Path(ask["log"]))
        code = _become(ask["argv"], ask["environ"])
    finally:
        os._exit(code)


def _leave_home(nursery: int, log: Path) -> None:
    """As a fresh process would be: a session of its own on a leash, no signals caught, no files but its log."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != nursery:
        os._exit(1)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 1)
    os.dup2(1, 2)
    os.closerange(3, 256)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _become(argv: list[str], environ: Mapping[str, str]) -> int:
    """Run the command in this process; its exit code."""
    os.environ.clear()
    os.environ.update(environ)
    failpoint._armed = Sparing.parse(environ[failpoint.VARIABLE]) if environ.get(failpoint.VARIABLE) else None
    sys.argv = list(argv)
    module, _, name = STARTERS[Path(argv[0]).name].partition(":")
    try:
        getattr(__import__(module, fromlist=[name]), name)()
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    return 0


if __name__ == "__main__":
    main()
