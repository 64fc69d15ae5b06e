"""What it costs to have every 202 on disk: ``appendfsync always`` against ``everysec``, which loses a second or two of
them at a power cut and which the product refuses (ops/decisions/0003)."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

from tests.benchmarks.measure.accept import CALLERS, GUNICORN, Intake, ours, served
from tests.benchmarks.measurement import Measured, Target, alternated, series
from tests.benchmarks.plan import Plan
from tests.benchmarks.rig import Rig, raised

PER_SECOND, P99 = attrgetter("per_second"), attrgetter("p99")


def durable(folder: Path, plan: Plan) -> list[Measured]:
    """Requests a second with 50 callers."""
    with raised(folder) as rig, raised(folder / "everysec", fsync="everysec") as other:
        sides = [lambda: ours(rig, plan.seconds), lambda: _everysec(other, plan.seconds)]
        always, everysec = alternated(sides, plan.rounds)
    return [
        Measured("durable", f"202s a second, {CALLERS} callers, appendfsync always", "1/s",
                 series("Rendezvous", always, PER_SECOND), series("appendfsync everysec", everysec, PER_SECOND),
                 Target("at least", 0.8)),
        Measured("durable", "p99 of a 202", "ms", series("Rendezvous", always, P99),
                 series("appendfsync everysec", everysec, P99)),
    ]  # fmt: skip


def _everysec(rig: Rig, seconds: float) -> Intake:
    rig.run("web", *GUNICORN, "tests.benchmarks.peers.rendezvous_everysec:app")
    return served(rig, seconds)
