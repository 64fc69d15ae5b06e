"""One scenario, tried: callers ask, something is hurt, everything comes to rest, the judge looks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from random import Random

from tests.chaos.callers import Callers
from tests.chaos.judge import Verdict, judge, recovery
from tests.chaos.stage import Stage
from tests.chaos.witness import testimony


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is hurt: ``kills`` per scenario; ``dice`` decides what is left to chance."""

    kills: int
    dice: Random


@dataclass(slots=True)
class Hurts:
    """The moments at which something was hurt, in seconds since 1970, and what is worth a remark."""

    at: list[float] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    expected_dead: set[str] = field(default_factory=set)

    def now(self) -> None:
        self.at.append(time.time())


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a scenario."""

    hurts: int
    updates: int
    verdict: Verdict
    recovery: tuple[float, ...] = ()
    remarks: tuple[str, ...] = ()
    control: bool = False
    """Shows what happens without a safeguard of ours: its numbers are expected not to be 0."""

    @property
    def sound(self) -> bool:
        """Where nothing was hurt nothing is proved."""
        return self.hurts > 0 and (self.control or self.verdict.sound)


@dataclass(frozen=True, slots=True)
class Scenario:
    """``name``: of the failure matrix's row. ``fsync``: the power of its store can be cut, which fsyncs so often;
    it has a stage of its own."""

    name: str
    what: str
    run: Callable[[Stage, Plan], Row]
    short: bool = False
    processes: tuple[str, ...] | None = None
    fsync: str = ""


def under_load(
    stage: Stage, hurt: Callable[[Callers, Hurts], None], *, events: int = 8, pace: float = 0.3, warm_up: float = 0.5
) -> Row:
    """Callers ask while ``hurt`` runs; the verdict once all is at rest."""
    callers, hurts = Callers(stage, events, pace), Hurts()
    callers.start()
    try:
        time.sleep(warm_up)
        hurt(callers, hurts)
    finally:
        callers.stop()
    return verdict_on(callers, hurts)


def verdict_on(callers: Callers, hurts: Hurts, expected_dead: Collection[str] = ()) -> Row:
    """The row of a scenario whose callers have stopped."""
    evidence = testimony(callers, {*expected_dead, *hurts.expected_dead})
    callers.close()
    for status, times in sorted(Counter(callers.refused).items()):
        hurts.remarks.append(f"{times} times {status}, asked again")
    if callers.unreadable:
        hurts.remarks.append(f"{len(callers.unreadable)} told of as dead letters only")
    return Row(
        len(hurts.at),
        len(evidence.promises),
        judge(evidence),
        tuple(recovery(hurts.at, evidence)),
        tuple(hurts.remarks),
    )
