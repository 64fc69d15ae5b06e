"""One scenario, tried: callers ask, something is hurt, everything comes to rest, the judge looks."""

from __future__ import annotations

import math
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

from tests.chaos.callers import Callers
from tests.chaos.judge import POISONED, UNKNOWN, Verdict, judge, recovery
from tests.chaos.stage import Stage
from tests.chaos.store_server import StoreServer
from tests.chaos.witness import testimony


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is hurt: ``kills`` times a scenario, for so many ``seconds`` at most; ``dice`` decides what is left to
    chance."""

    kills: int
    dice: Random
    seconds: float = math.inf

    @property
    def long(self) -> bool:
        """Worth a crew of more than two."""
        return self.kills > 10

    def turns(self, times: float = 1) -> Iterator[int]:
        """0, 1, ...: ``times`` as often as is to be hurt, once at least, until the time is over."""
        end = time.monotonic() + self.seconds
        for number in range(max(1, int(times * self.kills))):
            if number and time.monotonic() > end:
                return
            yield number


@dataclass(slots=True)
class Hurts:
    """The moments at which something was hurt, in seconds since 1970: of what lasts, at which it began. And what is
    worth a remark."""

    at: list[float] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What had to hold beside the promises and did not."""
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
    recovery_alone: tuple[float, ...] = ()
    """Those of the recoveries during which nothing else was hurt."""
    remarks: tuple[str, ...] = ()
    stops: tuple[float, ...] = ()
    """Seconds from SIGTERM until the process was gone."""
    breaks: tuple[str, ...] = ()
    """Promises that are expected to be broken: the row shows what happens without a safeguard, or a known limit."""
    faults: tuple[str, ...] = ()
    """What else had to hold and did not."""

    def __add__(self, other: Row) -> Row:
        """What came of both together."""
        return Row(
            self.hurts + other.hurts,
            self.updates + other.updates,
            self.verdict + other.verdict,
            tuple(sorted((*self.recovery, *other.recovery))),
            tuple(sorted((*self.recovery_alone, *other.recovery_alone))),
            (*self.remarks, *other.remarks),
            (*self.stops, *other.stops),
            self.breaks,
            (*self.faults, *other.faults),
        )

    @property
    def control(self) -> bool:
        return bool(self.breaks)

    @property
    def sound(self) -> bool:
        """Where nothing was hurt nothing is proved."""
        return self.hurts > 0 and not self.faults and self.verdict.without(self.breaks).sound


Kind = Literal["kills", "kills of the store", "power cuts", "broker flushes", "restarts", ""]


@dataclass(frozen=True, slots=True)
class Scenario:
    """``name``: of the failure matrix's row. ``store``: it has a stage of its own, with this store in this folder.
    ``kind``, ``target`` and ``each``: what its hurts are, how many the long run is to come to, and how many seconds one
    takes, about."""

    name: str
    what: str
    run: Callable[[Stage, Plan], Row]
    short: bool = False
    store: Callable[[Path], StoreServer] | None = None
    kind: Kind = ""
    target: int = 0
    each: float = 0.5


def under_load(
    stage: Stage, hurt: Callable[[Callers, Hurts], None], *, events: int = 8, pace: float = 0.3, warm_up: float = 0.5
) -> Row:
    """Callers ask while ``hurt`` runs; the verdict once all is at rest."""
    callers, hurts, before = Callers(stage, events, pace), Hurts(), _ended_by_themselves(stage)
    callers.start()
    try:
        time.sleep(warm_up)
        hurt(callers, hurts)
    finally:
        callers.stop()
    for death, times in (_ended_by_themselves(stage) - before).items():
        hurts.remarks.append(f"{death}: {times} times")
    return verdict_on(callers, hurts)


def _ended_by_themselves(stage: Stage) -> Counter[str]:
    """What ended although nobody killed it, by name and exit code."""
    return Counter(
        f"{name} ended by itself with {code}"
        for name, codes in stage.deaths.items()
        for code in codes
        if code != -signal.SIGKILL
    )


def verdict_on(callers: Callers, hurts: Hurts, expected_dead: Collection[str] = ()) -> Row:
    """The row of a scenario whose callers have stopped."""
    evidence = testimony(callers, {*expected_dead, *hurts.expected_dead})
    callers.close()
    for status, times in sorted(Counter(callers.refused).items()):
        hurts.remarks.append(f"{times} times {status}, asked again")
    if callers.unreadable:
        hurts.remarks.append(f"{len(callers.unreadable)} told of as dead letters only")
    given_up = {update for update, state in evidence.said.items() if state in (POISONED, UNKNOWN)}
    if poisoned := len(given_up - evidence.expected_dead):
        hurts.remarks.append(f"{poisoned} ended as Poisoned")
    return Row(
        len(hurts.at),
        len(evidence.promises),
        judge(evidence),
        tuple(recovery(hurts.at, evidence)),
        tuple(recovery(hurts.at, evidence, alone=True)),
        tuple(hurts.remarks),
        faults=tuple(hurts.faults),
    )
