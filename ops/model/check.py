"""``make model``: has SPIN go through every order of events of ``rendezvous.pml``. Exit code 1 where it finds a fault.

https://spinroot.com/spin/Man/Pan.html
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
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
)


def main() -> int:
    """Run the checks, one line each."""
    if shutil.which("spin") is None or shutil.which("cc") is None:
        print("spin or cc is not installed: the model is not checked (apt-get install spin gcc)")
        return 0
    held = [_holds(check) for check in CHECKS]
    return 0 if all(held) else 1


def _holds(check: Check) -> bool:
    """Whether the search found what it had to find."""
    with tempfile.TemporaryDirectory() as folder:
        errors, states = outcome(_search(check, Path(folder)))
    sound = (errors > 0) == bool(check.without)
    expected = ", as it has to be" if check.without and sound else ""
    print(f"{check.what}: {states} states, {errors or 'no'} fault{expected}", flush=True)
    return sound


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
