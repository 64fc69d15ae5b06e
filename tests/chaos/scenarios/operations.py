"""What operators do, and their clocks."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

from tests.chaos.callers import Callers
from tests.chaos.earlier import earlier, unpacked
from tests.chaos.preload import compiled, compiler
from tests.chaos.stage import Stage
from tests.chaos.trial import Hurts, Plan, Row, Scenario, under_load
from tests.until import until

HOUR = 3600
NAMES = ("worker", "worker.2", "callbacks", "beat", "web")


def rolling_restarts(stage: Stage, plan: Plan) -> Row:
    """SIGTERM for each process in turn; the next one starts when it is gone."""
    took: list[float] = []

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for number in plan.turns():
            hurts.now()
            took.append(stage.end(NAMES[number % len(NAMES)]))
            stage.start(NAMES[number % len(NAMES)])
            time.sleep(0.3)

    return replace(under_load(stage, hurt), stops=tuple(took))


def clocks_jump(stage: Stage, plan: Plan) -> Row:
    """The clocks of one worker and callbacks are an hour ahead, those of the other worker and web an hour behind."""
    library = str(compiled("clock_shift", stage.folder))

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for name, shift in (("web", -HOUR), ("callbacks", HOUR), ("worker", HOUR), ("worker.2", -HOUR)):
            hurts.now()
            stage.restart(name, LD_PRELOAD=library, CHAOS_CLOCK_SHIFT=str(shift))
        for number in itertools.islice(plan.turns(), 10):
            time.sleep(4)
            hurts.now()
            stage.kill("worker.2" if number % 2 else "worker")
        up = until(stage.ready, 20)
        hurts.remarks.append(f"all up with their clocks shifted: {'yes' if up else 'no'}")
        if not up:
            hurts.faults.append("not all up")
        for name in ("web", "callbacks", "worker", "worker.2"):
            stage.restart(name)

    return under_load(stage, hurt)


def two_versions(stage: Stage, plan: Plan) -> Row:
    """Each process in turn goes back to the version before this one, or forth again, so that in time every pair of
    versions has met."""
    version, root = unpacked(stage.folder)

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for number in itertools.islice(plan.turns(3), 20):
            name = NAMES[number * 2 % len(NAMES)]
            if stage.roots.pop(name, None) is None:
                stage.roots[name] = root
            hurts.now()
            stage.end(name)
            stage.start(name)
            until(stage.ready, 20)
            time.sleep(1)
        stage.roots.clear()
        for name in NAMES:
            stage.restart(name)

    row = under_load(stage, hurt)
    return replace(row, remarks=(*row.remarks, f"the version before is {version}"))


OPERATIONS = (
    Scenario("V1", "rolling restarts under load", rolling_restarts, short=True,
             kind="restarts", target=500, each=0.9),
    *((Scenario("V2", "two versions side by side, to and fro", two_versions),) if earlier() else ()),
    *((Scenario("T1", "clocks an hour ahead and an hour behind", clocks_jump),) if compiler() else ()),
)  # fmt: skip
