"""A peer in a process of its own that reads, changes and writes events: told how many, it tells what that took."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks import cpu
from tests.benchmarks.rig import ROOT, Rig


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds of user and system time, seconds on the wall."""

    cpu: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Loop:
    """The process; it answers on its standard output."""

    popen: subprocess.Popen[str]
    log: Path

    def cpu(self) -> float:
        """Seconds that it has used since it was started, in all of its threads."""
        return cpu.seconds(self.popen.pid)

    def run(self, count: int, threads: int = 1) -> Run:
        """So many updates. Raises RuntimeError where the peer failed."""
        assert self.popen.stdin is not None and self.popen.stdout is not None
        self.popen.stdin.write(f"{count} {threads}\n")
        self.popen.stdin.flush()
        if not (answer := self.popen.stdout.readline()):
            raise RuntimeError(self.log.read_text()[-3000:])
        return Run(**json.loads(answer))


@contextmanager
def loop(rig: Rig, name: str, argument: str, **more: str) -> Iterator[Loop]:
    """The module of this name with its argument: the Exchange's address, for instance. ``more``: of environment."""
    log = rig.folder / f"{name}-{argument.rpartition('/')[2]}.log"  # of all that are named so
    with log.open("ab") as errors, subprocess.Popen(
        [sys.executable, "-m", f"tests.benchmarks.{name}", argument], cwd=ROOT, text=True,
        env={**rig.environ, **more}, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
    ) as popen:  # fmt: skip
        try:
            yield Loop(popen, log)
        finally:
            popen.kill()


def serve(work: Callable[[int, int], None]) -> None:
    """The peer's side: ``work(count, threads)`` for each line on standard input."""
    for line in sys.stdin:
        count, threads = map(int, line.split())
        used, began = _cpu(), time.perf_counter()
        work(count, threads)
        print(json.dumps(asdict(Run(_cpu() - used, time.perf_counter() - began))), flush=True)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
