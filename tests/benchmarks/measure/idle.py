"""What doing nothing costs: every process of the Procfile is up, and nobody asks for anything."""

from __future__ import annotations

import time
from pathlib import Path

from tests.benchmarks.measure.whole import PROCESSES, finished
from tests.benchmarks.measurement import Measured, Series, Target
from tests.benchmarks.plan import Plan
from tests.benchmarks.rig import EWS_MAILBOX, raised

ALL = (*PROCESSES, "flower", "store")


def idle(folder: Path, plan: Plan) -> list[Measured]:
    """Percent of one core, after some work."""
    with raised(folder) as rig:
        for name in (*PROCESSES, "flower"):
            rig.start(name)
        rig.await_web()
        rig.await_worker("updates", "callbacks")
        finished(rig, EWS_MAILBOX, 50)
        time.sleep(3)
        before, began = {name: rig.cpu(name) for name in ALL}, time.monotonic()
        time.sleep(plan.idle)
        took = time.monotonic() - began
        shares = {name: (rig.cpu(name) - before[name]) / took * 100 for name in ALL}
    parts = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    return [Measured("idle", "all processes, of one core", "%", Series("Rendezvous", (sum(shares.values()),)), None,
                     Target("at most", 1.0), f"{parts} %, over {took:.0f} s")]  # fmt: skip
