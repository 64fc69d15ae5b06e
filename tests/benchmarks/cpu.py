"""What a process and all that it started have used of the processor, from ``/proc``. Linux only.

https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
SESSION, USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM = 3, 11, 12, 13, 14
"""Where these stand behind the command's name."""


def seconds(session: int) -> float:
    """User and system time of every process of a session, and of those of them that ended and were waited for."""
    return sum(_ticks(fields) for fields in _stats() if int(fields[SESSION]) == session) / TICKS


def fields_of(stat: str) -> list[str]:
    """``/proc/PID/stat`` behind the command's name, which may hold anything, ``)`` and spaces too."""
    return stat.rpartition(")")[2].split()


def _ticks(fields: list[str]) -> int:
    return sum(int(fields[at]) for at in (USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM))


def _stats() -> Iterator[list[str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it ended between the two looks
                yield fields_of((entry / "stat").read_text(encoding="utf-8", errors="replace"))
