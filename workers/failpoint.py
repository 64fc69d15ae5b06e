"""Places at which a test may let this process die, stand still, or fail. Otherwise they do nothing.

Armed when the process starts, by ``RENDEZVOUS_FAILPOINT=name[/job]:action[:probability]``, where action is

    kill        SIGKILL to this process: nothing is flushed, handed back or said
    stop:ms     the whole process stands still for so many milliseconds, its other threads, too
    raise       FailpointReached is raised

One point of a process is armed at most. ``tests/chaos`` uses them all; nothing in production sets the variable.
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
from dataclasses import dataclass
from typing import Self

VARIABLE = "RENDEZVOUS_FAILPOINT"


class FailpointReached(Exception):
    """What the action ``raise`` raises."""


@dataclass(frozen=True, slots=True)
class Armed:
    """What happens, where. ``job``: only when it is this job's turn; empty for every job."""

    name: str
    job: str
    action: str
    milliseconds: int = 0
    probability: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """The variable's value. Raises ValueError."""
        place, action, *rest = text.split(":")
        name, _, job = place.partition("/")
        milliseconds = int(rest.pop(0)) if action == "stop" and rest else 0
        if action not in ("kill", "stop", "raise") or len(rest) > 1:
            raise ValueError(f"{VARIABLE} is {text!r}, not name[/job]:kill|stop:ms|raise[:probability]")
        return cls(name, job, action, milliseconds, float(rest[0]) if rest else 1.0)

    def strikes(self, name: str, job: str, dice: float) -> bool:
        """Whether it happens now. ``dice``: a number in [0, 1)."""
        return name == self.name and self.job in ("", job) and dice < self.probability

    def act(self) -> None:
        """Let it happen."""
        match self.action:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                ctypes.PyDLL(None).usleep(self.milliseconds * 1000)  # a PyDLL keeps the GIL: no thread goes on
            case _:
                raise FailpointReached(self.name)


_armed = Armed.parse(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None


def failpoint(name: str, job: str = "") -> None:
    """A named place in the life of a job. Raises FailpointReached where a test asked for it."""
    if _armed is not None and _armed.strikes(name, job, random.random()):  # noqa: S311 - nothing secret
        _armed.act()
