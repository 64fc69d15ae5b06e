"""What a finished update occupies in the store until it is forgotten, and whether a million of them slow it down."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

from tests.benchmarks.filling import fill, used
from tests.benchmarks.measure.whole import finished, working
from tests.benchmarks.measurement import Measured, Series, Target, alternated, series
from tests.benchmarks.plan import Plan
from tests.benchmarks.rig import EWS_MAILBOX, Rig, raised


def memory(folder: Path, plan: Plan) -> list[Measured]:
    """kB for each update without a callback; updates a second beside a store that is empty."""
    with raised(folder / "empty") as empty, raised(folder / "full") as full:
        for rig in (empty, full):
            working(rig)
        samples = tuple(_occupied(full, plan.updates) for _ in range(min(plan.rounds, 3)))
        each = fill(full, plan.kept)
        sides = [lambda: finished(full, EWS_MAILBOX, plan.updates), lambda: finished(empty, EWS_MAILBOX, plan.updates)]
        ours, theirs = alternated(sides, plan.rounds)
    speed = attrgetter("per_second")
    return [
        Measured("memory", f"the store's memory for a finished update, of {plan.kept:,}", "kB",
                 Series("Rendezvous", (each,)), None, Target("at most", 1.5),
                 "without a callback; its idempotency key, what was written and the store's own tables included;"
                 " copies of one that was really done"),
        Measured("memory", f"… of {plan.updates}, really done", "kB", Series("Rendezvous", samples)),
        Measured("memory", f"updates a second with {plan.kept:,} kept", "1/s", series("Rendezvous", ours, speed),
                 series("an empty store", theirs, speed), Target("at least", 0.9)),
    ]  # fmt: skip


def _occupied(rig: Rig, count: int) -> float:
    """kB. The store's own tables grow in leaps, so that few updates cost more or less than many."""
    finished(rig, EWS_MAILBOX, count)
    before = used(rig)
    finished(rig, EWS_MAILBOX, count)
    return (used(rig) - before) / count / 1000
