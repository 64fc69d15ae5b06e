"""Processes die: at each named place of a job's life, and at any moment."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace

from ops.sandbox.callbacks import Answer
from ops.sandbox.faults import Fault
from tests.chaos.callers import Callers
from tests.chaos.stage import Stage, armed
from tests.chaos.trial import Hurts, Plan, Row, Scenario, under_load
from tests.until import until

START = 1.5
"""Seconds that a process takes to start here, about: so much later it may be killed again."""
PER_KILL = 8.0
"""Seconds after which nobody waits for the next death any more."""
WORKERS = ("worker", "worker.2")


def dying_at(point: str, kind: str, probability: float) -> Callable[[Stage, Plan], Row]:
    """A crew of processes beside the usual ones dies whenever one comes to this point and the dice say so. There is
    but one web, whose own workers die."""

    def run(stage: Stage, plan: Plan) -> Row:
        crew = ("web",) if kind == "web" else tuple(f"{kind}.{9 - number}" for number in range(7 if plan.long else 2))

        def hurt(callers: Callers, hurts: Hurts) -> None:
            before = _deaths(stage, crew)
            for name in crew:
                stage.restart(name, **armed(f"{point}:kill:{probability}"))
            _count(stage, crew, before, plan, hurts)
            for name in crew:
                stage.drop(name)
            if kind == "web":
                stage.start("web")

        return under_load(stage, hurt)

    return run


def standing_still(stage: Stage, plan: Plan) -> Row:
    """A worker sleeps past its lease just before it writes, and wakes up when another one has done its work."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        before = _said(stage, "lease lost")
        stage.restart("worker", **armed("write.before:stop:4000:0.2"))
        for _ in itertools.islice(plan.turns(), 10):
            hurts.now()
            time.sleep(5)
        stage.restart("worker")
        hurts.remarks.append(f"{_said(stage, 'lease lost') - before} leases lost")

    return under_load(stage, hurt)


def failing_inside(stage: Stage, plan: Plan) -> Row:
    """A fault of ours after the write: it may not be taken for a write that did not happen."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        before = _said(stage, "after its write was sent")
        for name in WORKERS:
            stage.restart(name, **armed("write.after:raise:0.1"))
        hurts.now()
        time.sleep(START + min(plan.kills, 20))
        for name in WORKERS:
            stage.restart(name)
        hurts.remarks.append(f"{_said(stage, 'after its write was sent') - before} attempts failed so")

    return under_load(stage, hurt)


def reply_lost(stage: Stage, plan: Plan) -> Row:
    """Exchange applies a write and the answer never arrives."""
    return _with_faults(stage, plan, Fault(effect="now", reply="drop", method="write"))


def applied_late(stage: Stage, plan: Plan) -> Row:
    """The connection breaks, and Exchange applies the write when we have already asked what came of it."""
    return _with_faults(stage, plan, Fault(effect="later", reply="drop", method="write"))


def receipt_lost(stage: Stage, plan: Plan) -> Row:
    """A receiver reads its callback and resets the connection instead of answering."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for _ in itertools.islice(plan.turns(1 / 3), 10):
            stage.sandbox.answer_callbacks(Answer(status=0, times=3))
            hurts.now()
            time.sleep(9)  # a second failure of the same callback would come again after five minutes only

    return under_load(stage, hurt)


def at_any_moment(stage: Stage, plan: Plan) -> Row:
    """kill -9 of web, workers, callbacks and beat, one after the other, whatever they are doing."""
    crew = tuple(f"{kind}.{number}" for kind in ("worker", "callbacks") for number in range(6, 10)) if plan.long else ()

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for name in crew:
            stage.start(name)
        killed_at: dict[str, float] = {}
        for _ in plan.turns():
            names = ("web", *WORKERS, "callbacks", "beat", *crew)
            name = min(names, key=lambda one: (killed_at.get(one, 0), plan.dice.random()))
            time.sleep(max(0.0, killed_at.get(name, 0) + START - time.monotonic()) + plan.dice.random() * 0.1)
            hurts.now()
            stage.kill(name)
            killed_at[name] = time.monotonic()
        for name in crew:
            stage.drop(name)

    return under_load(stage, hurt)


def three_beats(stage: Stage, plan: Plan) -> Row:
    """Three beats sweep at once, and die, while a worker dies as well: there is always something to sweep."""
    beats = ("beat", "beat.2", "beat.3")

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for name in beats[1:]:
            stage.start(name)
        for number in itertools.islice(plan.turns(), 100):
            time.sleep(START / 2 + plan.dice.random())
            stage.kill(beats[number % 3])
            hurts.now()
            stage.kill(WORKERS[number % 2])
        for name in beats[1:]:
            stage.drop(name)

    return under_load(stage, hurt)


def _with_faults(stage: Stage, plan: Plan, fault: Fault) -> Row:
    def hurt(callers: Callers, hurts: Hurts) -> None:
        for _ in itertools.islice(plan.turns(5), 200):
            stage.sandbox.fail(replace(fault, skip=plan.dice.randrange(8), later=0.1 + 2 * plan.dice.random()))
            hurts.now()
            time.sleep(0.4)

    return under_load(stage, hurt)


def _said(stage: Stage, words: str) -> int:
    """How many lines of the workers' logs hold these words."""
    return sum((stage.folder / f"{name}.log").read_text(errors="replace").count(words) for name in WORKERS)


def _deaths(stage: Stage, names: tuple[str, ...]) -> int:
    return sum(map(stage.killed_by_failpoints, names))


def _count(stage: Stage, names: tuple[str, ...], before: int, plan: Plan, hurts: Hurts) -> None:
    """Wait for so many deaths, and note each."""
    end = time.monotonic() + plan.seconds

    def enough() -> bool:
        for _ in range(_deaths(stage, names) - before - len(hurts.at)):
            hurts.now()
        return len(hurts.at) >= plan.kills or time.monotonic() > end

    until(enough, PER_KILL * plan.kills + 10)


def _at(
    row: str, point: str, what: str, kind: str = "worker", p: float = 0.3, *, short: bool = False, each: float = 0.2
) -> Scenario:
    return Scenario(row, f"{what} (`{point}`)", dying_at(point, kind, p), short, kind="kills", target=500, each=each)


DEATHS = (
    _at("C0", "accept.before", "web dies before an update is stored", "web", 0.1),
    _at("C1", "accept.after", "web dies when it is stored, before the 202", "web", 0.1, short=True),
    _at("C2", "bell", "web dies before the bell is rung", "web", 0.1),
    _at("C3", "claim", "worker dies with a job just claimed", short=True),
    _at("C4", "intend.before", "worker dies after it has read the event"),
    _at("C5", "intend.after", "worker dies with the intent recorded", short=True),
    _at("C5b", "write.before", "worker dies just before it sends the write"),
    Scenario("C6", "the answer to an applied write is lost", reply_lost, short=True),
    Scenario("C7", "a write is applied after we asked what came of it", applied_late),
    Scenario("C7b", "worker sleeps past its lease before it writes (`write.before`, stop)", standing_still),
    _at("C8", "write.after", "worker dies with the answer in its hand", short=True),
    Scenario("C8b", "worker fails with the answer in its hand (`write.after`, raise)", failing_inside),
    _at("C8c", "settle.before", "worker dies before it settles"),
    _at("C9", "settle.after", "worker dies when it has settled, before the next bell", short=True),
    _at("C9b", "post.before", "callbacks dies before it sends", "callbacks"),
    Scenario("C10", "the receiver's answer to a callback is lost", receipt_lost),
    _at("C10b", "post.after", "callbacks dies with the receiver's answer in its hand", "callbacks"),
    _at("C11", "settle.before", "callbacks dies before it settles", "callbacks", short=True),
    Scenario("C12", "kill -9 of web, worker, callbacks and beat at any moment", at_any_moment, short=True,
             kind="kills", target=4000, each=0.15),
    Scenario("C12b", "three beats at once, which die", three_beats),
)  # fmt: skip
