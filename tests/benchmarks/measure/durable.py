"""What it costs to have every 202 on disk: the product's ``appendfsync always`` against a store whose fsyncs are free,
because its file lies in memory. That is faster than ``everysec``, which the product refuses (ops/decisions/0003)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path

from tests.benchmarks.measure.accept import CALLERS, ours
from tests.benchmarks.measurement import Measured, Target, alternated, series
from tests.benchmarks.plan import Plan
from tests.benchmarks.rig import raised

MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux has memory that looks like a disk
PER_SECOND, P99 = attrgetter("per_second"), attrgetter("p99")


def durable(folder: Path, plan: Plan) -> list[Measured]:
    """Requests a second with 50 callers."""
    with _memory() as memory, raised(folder) as rig, raised(folder / "free", store_folder=memory) as free:
        sides = [lambda: ours(rig, plan.seconds), lambda: ours(free, plan.seconds)]
        always, without = alternated(sides, plan.rounds)
    return [
        Measured("durable", f"202s a second, {CALLERS} callers, appendfsync always", "1/s",
                 series("Rendezvous", always, PER_SECOND), series("a store in memory", without, PER_SECOND),
                 Target("at least", 0.8)),
        Measured("durable", "p99 of a 202", "ms", series("Rendezvous", always, P99),
                 series("a store in memory", without, P99)),
    ]  # fmt: skip


@contextmanager
def _memory() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rendezvous-bench-", dir=MEMORY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
