"""Taking an update in: sign-in, validation, idempotency, durable write and bell, against Flask + pydantic +
``task.delay()`` with none of it, under the same gunicorn and on the same kind of store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

from tests.benchmarks.load import Job, put
from tests.benchmarks.measurement import Measured, Target, alternated, series
from tests.benchmarks.plan import Plan
from tests.benchmarks.rig import API_KEY, EWS_MAILBOX, Rig, asked, raised

PEER = "Flask + pydantic + delay()"
CALLERS = 50
WARM = 1.0
"""Seconds."""
GUNICORN = ("gunicorn", "--config", "ops/gunicorn.conf.py")
BODY = json.dumps(asked(EWS_MAILBOX))


@dataclass(frozen=True, slots=True)
class Intake:
    """202s a second; their p99, and what each cost of the processor, in ms: in the web processes, in the store."""

    per_second: float
    p99: float
    web: float
    store: float


FIGURES: tuple[tuple[str, str, Callable[[Intake], float], Target | None], ...] = (
    ("202s a second", "1/s", attrgetter("per_second"), Target("at least", 1.0)),
    ("p99 of a 202", "ms", attrgetter("p99"), Target("at most", 1.5)),
    ("CPU of the web processes for a 202", "ms", attrgetter("web"), None),
    ("CPU of the store's server for a 202", "ms", attrgetter("store"), None),
)


def accept(folder: Path, plan: Plan) -> list[Measured]:
    """Both sides under the same load of callers."""
    with raised(folder) as rig:
        sides = [lambda: ours(rig, plan.seconds), lambda: _theirs(rig, plan.seconds)]
        found, others = alternated(sides, plan.rounds)
    return [
        Measured("accept", what, unit, series("Rendezvous", found, figure), series(PEER, others, figure), target)
        for what, unit, figure, target in FIGURES
    ]


def ours(rig: Rig, seconds: float) -> Intake:
    """Rendezvous, under 50 callers."""
    rig.start("web")
    return served(rig, seconds)


def served(rig: Rig, seconds: float) -> Intake:
    """What has been started as ``web``, under 50 callers."""
    rig.await_web()
    return _asked_for(rig, "web", Job(rig.port, "/v1/updates", BODY, CALLERS, seconds, api_key=API_KEY))


def _theirs(rig: Rig, seconds: float) -> Intake:
    """The same gunicorn, the same settings, another application."""
    command = (*GUNICORN, "tests.benchmarks.peers.flask_delay:app")
    rig.run("peer", *command, PORT=str(rig.peer_port), BENCHMARK_BROKER=rig.broker_url)
    rig.await_web(rig.peer_port)
    return _asked_for(rig, "peer", Job(rig.peer_port, "/updates", BODY, CALLERS, seconds))


def _asked_for(rig: Rig, web: str, job: Job) -> Intake:
    """What came of it. The processes are ended and started anew for each round: from one start to the next they differ
    by more than the rounds of one. They are warm before it is counted."""
    try:
        _loaded(rig, web, replace(job, seconds=WARM))
        return _loaded(rig, web, job)
    finally:
        rig.stop(web)


def _loaded(rig: Rig, web: str, job: Job) -> Intake:
    """The store is empty before and after: nobody works on what was taken in."""
    rig.redis().flushall()
    before = rig.cpu(web), rig.cpu("store")
    load = put(job)
    served, stored = rig.cpu(web) - before[0], rig.cpu("store") - before[1]
    rig.redis().flushall()
    each = 1000 / load.accepted
    return Intake(load.per_second, load.quantile(0.99) * 1000, served * each, stored * each)
