"""Whether one mailbox costs the others: a hundred mailboxes are worked off, with and without one that is throttled and
one in which ten thousand updates wait.

In each of the hundred one event is changed step by step, so that there is always one update of each mailbox on its way.
All are put in before the workers may go on; what one takes is the time since the one before it in its mailbox was done.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from statistics import median

from tests.benchmarks.feed import Feed
from tests.benchmarks.measure.whole import working
from tests.benchmarks.measurement import Measured, Target, alternated, quantile, series
from tests.benchmarks.plan import Plan
from tests.benchmarks.rig import Rig, Tuning, go_on, raised, stand_still
from workers.update import Target as Place

MAILBOXES = 100
LATENCY = 20
THROTTLED = 50
QUIET = 20
"""Bells and due times that may be left when the crowded mailbox is said to wait."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Updates a second of the hundred; their p99 in ms; updates a second of whoever else has some."""

    per_second: float
    p99: float
    others: float


def fairness(folder: Path, plan: Plan) -> list[Measured]:
    """Updates a second of the hundred, and their p99. The two sides have stores of their own; only the one that is
    measured has a worker, started anew for each round: from one start to the next they differ by more than the rounds
    of one."""
    tuning = Tuning(latency=LATENCY, max_concurrency=4)
    steps = max(5, plan.updates // 50)
    with raised(folder / "beside", tuning) as beside, raised(folder / "alone", tuning) as alone:
        for rig in (beside, alone):
            working(rig)
        _disturb(beside, plan.crowd)
        for rig in (beside, alone):
            rig.end("worker")
        sides = [lambda: _worked_off(beside, steps), lambda: _worked_off(alone, steps)]
        ours, theirs = alternated(sides, plan.rounds)
        waiting = _unsettled(beside)
    crowd = median(pace.others for pace in ours)
    remark = f"the crowded mailbox had {crowd:.0f} a second meanwhile, and {waiting:,} updates wait still"
    speed, p99 = attrgetter("per_second"), attrgetter("p99")
    return [
        Measured("fairness", f"updates a second of {MAILBOXES} mailboxes", "1/s", series("beside the two", ours, speed),
                 series("without them", theirs, speed), Target("at least", 0.95), remark),
        Measured("fairness", "p99 between two updates of a mailbox", "ms", series("beside the two", ours, p99),
                 series("without them", theirs, p99), Target("at most", 1.1)),
    ]  # fmt: skip


def _disturb(rig: Rig, crowd: int) -> None:
    """One mailbox that Exchange throttles and one in which many wait, until both have come to rest."""
    feed = Feed(rig.settings())
    feed.put(Place("hq", f"AAMk-t{number}", "throttled@hq.example") for number in range(THROTTLED))
    feed.put(Place("hq", f"AAMk-c{number}", "crowded@hq.example") for number in range(crowd))
    bells, store = rig.redis(1), rig.store()
    rig.until(lambda: max(store.dues().waiting, bells.llen("updates")) < QUIET, "the crowd waits", patience=300)


def _worked_off(rig: Rig, steps: int) -> Pace:
    places = [Place("hq", f"AAMk-{number}", f"{number:08d}@hq.example") for number in range(MAILBOXES)]
    rig.start("worker")
    rig.await_worker("updates")
    stand_still(rig, "worker")
    before = _unsettled(rig)
    ids = Feed(rig.settings()).put(place for _ in range(steps) for place in places)
    began = time.time()
    go_on(rig, "worker")
    redis = rig.redis()

    def ends() -> list[str | None]:
        pipe = redis.pipeline(transaction=False)
        for update_id in ids:
            pipe.hget(f"rdv:job:{update_id}", "finished")
        return pipe.execute()

    rig.until(lambda: all(ends()), "the hundred are worked off", patience=300, pause=0.2)
    others = before - _unsettled(rig)
    rig.end("worker")
    done = [datetime.fromisoformat(str(end)).timestamp() for end in ends()]
    gaps = [after - before for first in range(MAILBOXES) for before, after in pairwise(done[first::MAILBOXES])]
    took = max(done) - began
    return Pace(len(ids) / took, quantile(gaps, 0.99) * 1000, others / took)


def _unsettled(rig: Rig) -> int:
    """Updates that wait or run."""
    return sum(one.count for one in rig.store().standings() if one.kind == "update")
