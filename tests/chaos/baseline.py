"""The other way of doing it, under the same kills: a plain Celery task with late acks, and Rendezvous beside it.

``app`` is what its worker runs: ``celery --app tests.chaos.baseline worker``. The task does what is easiest to count:
it appends its number to a file.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from celery import Celery
from redis import Redis

from ops.run.process import Command, Process
from tests.chaos.callers import Callers
from tests.chaos.judge import Verdict
from tests.chaos.stage import ROOT, Stage
from tests.chaos.trial import Hurts, Plan, Row, Scenario, under_load
from tests.until import until

FILE = "CHAOS_BASELINE_FILE"
BROKER = "CHAOS_BASELINE_BROKER"
MORE = 4
"""Times as many kills as elsewhere: each loses something only now and then."""
TASKS_PER_KILL = 1200
CALLERS, PACE = 16, 0.3
"""Who ask Rendezvous meanwhile, and every how many seconds."""
UP = 3.0
"""Seconds between two kills: a worker needs two to start."""
REST = 240.0
"""Seconds until what is missing is called lost, or stuck where the broker still holds it."""
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
    worker_prefetch_multiplier=1,
)


@app.task(name="record")  # type: ignore[untyped-decorator]
def record(number: int) -> None:
    """Do the work once: one line."""
    time.sleep(0.002)
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
    kills = MORE * plan.kills
    tasks = TASKS_PER_KILL * kills
    app.conf.broker_url = broker
    for number in range(tasks):
        record.apply_async((number,))
    worker = Process.start(command, ROOT)
    try:
        for _ in range(kills):
            time.sleep(UP + plan.dice.random() * 0.5)
            worker.sweep_up()
            worker = Process.start(command, ROOT)
        queue = stage.store.client(database=2)
        _await_rest(queue, done, tasks)
        left = queue.llen("celery") + queue.hlen("unacked")
    finally:
        worker.sweep_up()
    times = _done(done)
    missing = tasks - len(times)
    stuck = min(missing, left)
    verdict = Verdict(lost=missing - stuck, doubled=sum(times.values()) - len(times), stuck=stuck)
    return Row(
        kills,
        tasks,
        verdict,
        remarks=("control: Celery on the same store by itself, set up as well as it can be",),
        breaks=("lost", "doubled", "stuck"),
    )


def rendezvous_beside_it(stage: Stage, plan: Plan) -> Row:
    """The same kills at the same pace, of the only worker there is; its callers ask meanwhile, at a pace of their
    own."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        stage.drop("worker.2")
        for _ in range(MORE * plan.kills):
            time.sleep(UP + plan.dice.random() * 0.5)
            hurts.now()
            stage.kill("worker")
        stage.start("worker.2")

    row = under_load(stage, hurt, events=CALLERS, pace=PACE)
    remark = (
        f"the same pace of kills and less to do: {CALLERS} callers that each ask every {PACE:g} s, where B1 has"
        f" {TASKS_PER_KILL:,} tasks in its queue for each kill"
    )
    return replace(row, remarks=(*row.remarks, remark))


def _await_rest(broker: Redis, done: Path, tasks: int) -> None:
    """Until all is done, or the broker holds no task any more, neither waiting nor reserved by the dead: kombu gives
    back what they had reserved once in a while only."""

    def at_rest() -> bool:
        return len(_done(done)) >= tasks or not (broker.llen("celery") or broker.hlen("unacked"))

    until(at_rest, REST)
    time.sleep(2)  # what is being done at this moment is done then


def _done(file: Path) -> Counter[str]:
    return Counter(file.read_text(encoding="utf-8").split())


BASELINE = (
    Scenario("B1", "a plain Celery task (late acks, reject on worker lost), kill -9 of its worker", celery_alone),
    Scenario("B2", "Rendezvous, the same kills of its only worker", rendezvous_beside_it),
)
