"""What operators do, and their clocks."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from tests.chaos.callers import Callers
from tests.chaos.stage import Stage, until
from tests.chaos.trial import Hurts, Plan, Row, Scenario, under_load

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


def rolling_restarts(stage: Stage, plan: Plan) -> Row:
    """SIGTERM for each process in turn; the next one starts when it is gone."""
    took: list[float] = []

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for _ in range(plan.kills):
            for name in ("worker", "worker.2", "callbacks", "beat", "web"):
                hurts.now()
                took.append(stage.end(name))
                stage.start(name)
                time.sleep(1)

    row = under_load(stage, hurt)
    return replace(row, remarks=(*row.remarks, f"the longest stop took {max(took):.1f} s"))


def clocks_jump(stage: Stage, plan: Plan) -> Row:
    """One worker's clock is an hour ahead, the other's and the web's an hour behind."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for name, shift in (("worker", "+3600"), ("worker.2", "-3600"), ("web", "-3600"), ("callbacks", "+3600")):
            hurts.now()
            stage.restart(name, LD_PRELOAD=str(FAKETIME), FAKETIME=shift, DONT_FAKE_MONOTONIC="1", NO_FAKE_STAT="1")
        until(stage.ready, 20)
        for number in range(plan.kills):
            time.sleep(2.5)
            hurts.now()
            stage.kill("worker.2" if number % 2 else "worker")
        for name in ("worker", "worker.2", "web", "callbacks"):
            stage.restart(name)
        until(stage.ready, 20)

    return under_load(stage, hurt)


OPERATIONS = (
    Scenario("V1", "rolling restarts under load", rolling_restarts, short=True),
    *((Scenario("T1", "clocks an hour ahead and an hour behind", clocks_jump),) if FAKETIME else ()),
)
