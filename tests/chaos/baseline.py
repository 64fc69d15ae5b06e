"""The other way of doing it, under the same kills: a plain Celery task with late acks, and Rendezvous beside it.

``app`` is what its worker runs: ``celery --app tests.chaos.baseline worker``. The task does what is easiest to count:
it appends its number to a file.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from pathlib import Path

from celery import Celery

from ops.run.process import Command, Process
from tests.chaos.callers import Callers
from tests.chaos.judge import Verdict
from tests.chaos.stage import ROOT, Stage, until
from tests.chaos.trial import Hurts, Plan, Row, Scenario, under_load

FILE = "CHAOS_BASELINE_FILE"
BROKER = "CHAOS_BASELINE_BROKER"
TASKS_PER_KILL = 300
UP = 3.0
"""Seconds between two kills: a worker needs two to start."""
VISIBILITY = 5
"""Seconds; Celery's default is an hour, for which a killed worker's tasks would be stuck."""

app = Celery("baseline", broker=os.environ.get(BROKER, "redis://127.0.0.1:9/2"), set_as_current=False)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    broker_transport_options={"visibility_timeout": VISIBILITY},
    broker_connection_retry_on_startup=True,
    worker_concurrency=4,
)


@app.task(name="record")  # type: ignore[untyped-decorator]
def record(number: int) -> None:
    """Do the work once: one line."""
    time.sleep(0.02)
    with Path(os.environ[FILE]).open("a", encoding="utf-8") as lines:
        lines.write(f"{number}\n")


def celery_alone(stage: Stage, plan: Plan) -> Row:
    """Tasks lost and run twice while their worker is killed."""
    done = stage.folder / "baseline.txt"
    done.touch()
    broker = stage.store.url[:-1] + "2"
    environ = {**stage.environ, FILE: str(done), BROKER: broker}
    command = Command("baseline", (sys.executable, "-m", "celery", "--app", "tests.chaos.baseline", "worker",
                                   "--loglevel", "ERROR"), environ, stage.folder / "baseline.log")  # fmt: skip
    tasks = TASKS_PER_KILL * plan.kills
    app.conf.broker_url = broker
    for number in range(tasks):
        record.apply_async((number,))
    worker = Process.start(command, ROOT)
    try:
        for _ in range(plan.kills):
            time.sleep(UP + plan.dice.random() * 0.5)
            worker.sweep_up()
            worker = Process.start(command, ROOT)
        _await_rest(done, tasks)
    finally:
        worker.sweep_up()
    times = Counter(done.read_text(encoding="utf-8").split())
    verdict = Verdict(lost=tasks - len(times), doubled=sum(times.values()) - len(times))
    return Row(plan.kills, tasks, verdict, (), ("control: what Celery does on Redis by itself",), control=True)


def rendezvous_beside_it(stage: Stage, plan: Plan) -> Row:
    """The same kills at the same pace, of the only worker there is."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        stage.drop("worker.2")
        for _ in range(plan.kills):
            time.sleep(UP + plan.dice.random() * 0.5)
            hurts.now()
            stage.kill("worker")
        stage.start("worker.2")

    return under_load(stage, hurt, events=16, pace=0.3)


def _await_rest(done: Path, tasks: int) -> None:
    """Until all is done, or nothing has been for three visibility timeouts: what was reserved has come back by then."""
    seen, since = -1, time.monotonic()

    def at_rest() -> bool:
        nonlocal seen, since
        lines = len(done.read_text(encoding="utf-8").split())
        if lines != seen:
            seen, since = lines, time.monotonic()
        return time.monotonic() - since > 3 * VISIBILITY + 10

    until(at_rest, 60 + tasks * 0.05)


BASELINE = (
    Scenario("B1", "a plain Celery task (late acks, reject on worker lost), kill -9 of its worker", celery_alone),
    Scenario("B2", "Rendezvous, the same kills of its only worker", rendezvous_beside_it),
)
