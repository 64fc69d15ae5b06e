"""Keeps processes running: starts again what dies, with growing pauses, and gives up on what always dies at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ops.run import RunError
from ops.run.process import Command, Process, last_lines
from workers.drain import AT_LATEST

QUICK = 10.0
"""Seconds: a process that lived for less died quickly."""
QUICK_DEATHS = 5
CONFIGURATION = 2
"""The exit code of a process that cannot use its configuration: starting it again changes nothing."""
GRACE = AT_LATEST + 1.0
"""Seconds that the processes have to end, a worker with a job that hangs among them. After them the servers that they
used have ``SERVER_GRACE``."""
SERVER_GRACE = 1.5
TICK = 0.05


def pause_before(quick_deaths: int) -> float:
    """Seconds until the next start, after so many quick deaths in a row."""
    return 0.0 if quick_deaths == 0 else min(0.5 * 2.0 ** (quick_deaths - 1), 8.0)


def is_hopeless(exit_code: int, quick_deaths: int) -> bool:
    """Whether another start would be in vain."""
    return exit_code == CONFIGURATION or quick_deaths >= QUICK_DEATHS


@dataclass(slots=True)
class _Kept:
    process: Process
    started: float
    quick_deaths: int = 0
    start_at: float | None = None
    """When to start it again; None while it runs."""


@dataclass(slots=True)
class Supervisor:
    """Not thread-safe: one thread starts, tends and stops everything. The leash is tied to that thread."""

    directory: Path
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    hurry: bool = False
    """Set while stopping: kill what is left without waiting."""
    _kept: dict[str, _Kept] = field(default_factory=dict)

    @property
    def is_idle(self) -> bool:
        """Nothing was started yet."""
        return not self._kept

    def start(self, command: Command) -> None:
        """Start it, and keep it running from now on."""
        self._kept[command.name] = _Kept(Process.start(command, self.directory), time.monotonic())

    def tend(self) -> None:
        """Look after everything once. Raises RunError if a process cannot be kept running."""
        for kept in self._kept.values():
            if kept.start_at is not None:
                self._start_again(kept)
            elif (code := kept.process.exit_code()) is not None:
                self._bury(kept, code)

    def wait(self, seconds: float) -> None:
        """Sleep, and look after everything meanwhile."""
        end = time.monotonic() + seconds
        self.tend()
        while time.monotonic() < end:
            self.sleep(TICK)
            self.tend()

    def log_of(self, name: str) -> Path | None:
        """Where a process writes; None for one that is not kept here."""
        return self._kept[name].process.command.log if name in self._kept else None

    def stop(self) -> None:
        """End everything: first the processes, then the servers that they use; nothing is left afterwards."""
        for serves, grace in ((False, GRACE), (True, SERVER_GRACE)):
            ending = [kept.process for kept in self._kept.values() if kept.process.command.serves == serves]
            for process in ending:
                process.terminate()
            end = time.monotonic() + grace
            while any(process.exit_code() is None for process in ending) and time.monotonic() < end and not self.hurry:
                self.sleep(TICK)
            for process in ending:
                process.sweep_up()

    def _start_again(self, kept: _Kept) -> None:
        if kept.start_at is not None and time.monotonic() >= kept.start_at:
            kept.process = Process.start(kept.process.command, self.directory)
            kept.started, kept.start_at = time.monotonic(), None

    def _bury(self, kept: _Kept, code: int) -> None:
        name, log = kept.process.command.name, kept.process.command.log
        kept.process.sweep_up()
        kept.quick_deaths = kept.quick_deaths + 1 if time.monotonic() - kept.started < QUICK else 0
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        if is_hopeless(code, kept.quick_deaths):
            raise RunError(f"{name} {how} and is not started again; the end of {log}:\n{last_lines(log)}")
        pause = pause_before(kept.quick_deaths)
        self.say(f"{name} {how}; starting it again" + (f" in {pause:g} s" if pause else ""))
        kept.start_at = time.monotonic() + pause
