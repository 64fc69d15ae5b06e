"""What is left of the processes that worked in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from tests.until import until

SOON = 10.0


def left_of(folder: Path) -> list[int]:
    """Those that do not end soon: nobody waits for the end of what a killed process had started."""
    until(lambda: not _processes_of(folder), SOON)
    return _processes_of(folder)


def _processes_of(folder: Path) -> list[int]:
    """Every other process whose environment or command line names the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in told and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found
