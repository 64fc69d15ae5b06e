"""One process: on a leash, in a session of its own, its output in ``NAME.log``.

Not here: when it is started again (ops/run/supervisor).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")


@dataclass(frozen=True, slots=True)
class Command:
    """What to start. ``serves``: whether the others need it until they have ended, as the stores and the sandbox."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    serves: bool = False


@dataclass(slots=True)
class Process:
    """A started command."""

    command: Command
    popen: subprocess.Popen[bytes]
    gone: bool = False
    """Whether it was swept up; then its number may be another process's by now."""

    @classmethod
    def start(cls, command: Command, directory: Path) -> Process:
        """Start it in ``directory``; its output is appended to its log."""
        leashed = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command.arguments]
        with command.log.open("ab") as log:
            popen = subprocess.Popen(
                leashed, cwd=directory, env=command.environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        return cls(command, popen)

    def exit_code(self) -> int | None:
        """None while it runs; a negative one is the signal that ended it."""
        return self.popen.poll()

    def terminate(self) -> None:
        """Ask it to end."""
        self.popen.terminate()

    def sweep_up(self) -> None:
        """End it, and whatever it has started and left behind, at once."""
        if self.gone:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        self.gone = True


def last_lines(log: Path) -> str:
    """The end of a log, indented, to be shown below a sentence."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"    {line}" for line in lines[-12:]) or "    (it wrote nothing)"
