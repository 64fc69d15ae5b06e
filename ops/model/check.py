"""``make model``: has SPIN go through every order of events of ``rendezvous.pml``. Exit code 1 where it finds a fault.

https://spinroot.com/spin/Man/Pan.html
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MODEL = Path(__file__).with_name("rendezvous.pml")
LIMITS = ("-m1000000", "-w24")


@dataclass(frozen=True, slots=True)
class Check:
    """One search. ``without``: the safeguard that is taken away, so that a fault has to be found."""

    what: str
    compiled: tuple[str, ...]
    run: tuple[str, ...] = ()
    without: str = ""


CHECKS = (
    Check("once, in order, nothing trampled, nothing stuck, nothing misreported", ("-DSAFETY",)),
    Check("every run ends", ("-DNP",), ("-l",)),
    Check("without the marker", ("-DSAFETY",), without="NO_MARKER"),
    Check("without the precondition", ("-DSAFETY",), without="NO_VERSION"),
    Check("without the intent that is recorded before a write", ("-DSAFETY",), without="NO_INTENT"),
    Check("without the line, in which only the head may run", ("-DSAFETY",), without="NO_LINE"),
    Check("without the fence", ("-DSAFETY",), without="NO_FENCE"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    check: Check
    errors: int
    states: int

    @property
    def sound(self) -> bool:
        """Whether it found what it had to: a fault where a safeguard was taken away, and else none."""
        return (self.errors > 0) == bool(self.check.without)

    def __str__(self) -> str:
        expected = ", as it has to be" if self.check.without and self.sound else ""
        return f"{self.check.what}: {self.states:,} states, {self.errors or 'no'} fault{expected}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the checks, one line each. ``--mutations``: only those without a safeguard."""
    parser = argparse.ArgumentParser(prog="python -m ops.model.check", description=__doc__)
    parser.add_argument("--mutations", action="store_true", help="only those that have to find a fault")
    mutations = parser.parse_args(argv).mutations
    if not available():
        print("spin or cc is not installed: the model is not checked (apt-get install spin gcc)")
        return 0
    sound = True
    for check in CHECKS:
        if check.without or not mutations:
            found = search(check)
            print(found, flush=True)
            sound = sound and found.sound
    return 0 if sound else 1


def available() -> bool:
    """Whether what is needed is installed."""
    return shutil.which("spin") is not None and shutil.which("cc") is not None


def search(check: Check) -> Found:
    """Go through all orders of events, or to the first fault."""
    with tempfile.TemporaryDirectory() as folder:
        return Found(check, *outcome(_search(check, Path(folder))))


def _search(check: Check, folder: Path) -> str:
    taken_away = (f"-D{check.without}",) if check.without else ()
    for command in (
        ("spin", *taken_away, "-a", str(MODEL)),
        ("cc", "-O2", "-w", "-DCOLLAPSE", *check.compiled, "-o", "pan", "pan.c"),
    ):
        subprocess.run(command, cwd=folder, check=True)
    return subprocess.run(("./pan", *check.run, *LIMITS), cwd=folder, check=True, capture_output=True, text=True).stdout


def outcome(said: str) -> tuple[int, int]:
    """Errors and states of a search, from what it printed. Raises ValueError where it did not get through."""
    errors, states = re.search(r"errors: (\d+)", said), re.search(r"(\d+) states, stored", said)
    if errors is None or states is None or "max search depth too small" in said:
        raise ValueError(f"the search did not get through:\n{said}")
    return int(errors[1]), int(states[1])


if __name__ == "__main__":
    sys.exit(main())
