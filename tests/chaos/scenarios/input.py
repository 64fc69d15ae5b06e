"""What comes in is hurtful: duplicates, poison, garbage."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

from tests.chaos.callers import CLOUD, HQ, Callers
from tests.chaos.judge import Verdict
from tests.chaos.stage import Stage, armed
from tests.chaos.trial import Hurts, Plan, Row, Scenario, verdict_on
from tests.until import until

COPIES = 10
WORKERS = ("worker", "worker.2")


def duplicates(stage: Stage, plan: Plan) -> Row:
    """Every question is asked ten times at once under one key: one update, one id."""
    callers, hurts = Callers(stage), Hurts()
    differing = 0
    with ThreadPoolExecutor(COPIES) as pool:
        for number in itertools.islice(plan.turns(10), 200):
            target, key = callers.target(CLOUD if number % 2 else HQ), uuid4().hex
            hurts.now()
            answers = list(pool.map(lambda _, t=target, k=key: callers.ask(t, 0, k), range(COPIES)))
            differing += len({promise.update for promise in answers}) - 1
            callers.promises[-COPIES:] = answers[:1]
    row = verdict_on(callers, hurts)
    remark = f"{row.updates * COPIES} questions under {row.updates} keys"
    return replace(row, verdict=row.verdict + Verdict(doubled=differing), remarks=(*row.remarks, remark))


def poison(stage: Stage, plan: Plan) -> Row:
    """One update kills every worker that claims it: it is given up, and the others are done."""
    callers, hurts = Callers(stage), Hurts()
    for name in WORKERS:
        stage.end(name)
    targets = [callers.target(CLOUD if number % 2 else HQ) for number in range(10)]
    poisoned = callers.ask(targets[0], 0).update
    for name in WORKERS:
        stage.start(name, **armed(f"intend.before/{poisoned}:kill"))
    died = _deaths(stage)
    hurts.now()
    for step in range(1, 11):
        for target in targets:
            callers.ask(target, step)
    ended = until(lambda: (callers.state(poisoned) or {}).get("state") == "dead", 60)
    hurts.remarks.append(
        f"{_deaths(stage) - died} workers died of it, then it was given up" if ended else "never given up"
    )
    for name in WORKERS:
        stage.restart(name)
    return verdict_on(callers, hurts, {poisoned})


def garbage(stage: Stage, plan: Plan) -> Row:
    """What is stored of some updates is overwritten with garbage: dead letters, and the others are done."""
    callers, hurts, store = Callers(stage), Hurts(), stage.store.client()
    for name in WORKERS:
        stage.end(name)
    targets = [callers.target(CLOUD if number % 2 else HQ) for number in range(10)]
    spoilt = set()
    for number, rubbish in enumerate(("", "{", "null", '{"id": 1}', "\x00\x01")):
        promise = callers.ask(targets[number], 0)
        callers.promises[-1] = replace(promise, callback=False)  # whom to call is garbage, too
        store.hset(f"rdv:job:{promise.update}", "body", rubbish)
        spoilt.add(promise.update)
        hurts.now()
    for step in range(1, 4):
        for target in targets:
            callers.ask(target, step)
    for name in WORKERS:
        stage.start(name)
    time.sleep(2)
    return verdict_on(callers, hurts, spoilt)


def _deaths(stage: Stage) -> int:
    return sum(map(stage.killed_by_failpoints, WORKERS))


INPUT = (
    Scenario("D1", "each update is asked for ten times at once", duplicates, short=True),
    Scenario("P1", "an update that kills its worker", poison),
    Scenario("P2", "stored updates turn into garbage", garbage),
)
