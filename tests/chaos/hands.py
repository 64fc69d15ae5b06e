"""The scenarios, lived through: one after the other, or by several hands side by side, each with servers of its own."""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import active_children, get_context
from pathlib import Path
from random import Random

from tests.chaos import report
from tests.chaos.baseline import BASELINE
from tests.chaos.budget import Share
from tests.chaos.judge import Verdict
from tests.chaos.report import Tried
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.stage import Stage, raised
from tests.chaos.trial import Plan, Row, Scenario

ALL = (*SCENARIOS, *BASELINE)


def side_by_side(
    dealt: Sequence[Sequence[Scenario]], plans: Mapping[str, Share], seed: int, folder: Path
) -> list[Tried]:
    """Each hand's scenarios one after the other, in a process of its own where there are several."""
    if len(dealt) == 1:
        return _told(_tried(dealt[0], plans, seed, folder))
    with ProcessPoolExecutor(
        len(dealt), get_context("spawn"), initializer=signal.signal, initargs=(signal.SIGTERM, end)
    ) as pool:
        running = [
            pool.submit(_by_name, [one.name for one in hand], plans, seed, folder / f"hand-{number}")
            for number, hand in enumerate(dealt)
        ]
        rows = {name: (row, took) for future in running for name, row, took in future.result()}
    return [Tried(one, *rows[one.name]) for one in ALL if one.name in rows]


def _by_name(names: Sequence[str], plans: Mapping[str, Share], seed: int, folder: Path) -> list[tuple[str, Row, float]]:
    """What another process can be asked, and can answer."""
    chosen = [one for one in ALL if one.name in names]
    return [(one.scenario.name, one.row, one.took) for one in _told(_tried(chosen, plans, seed, folder))]


def _told(tried: Iterable[Tried]) -> list[Tried]:
    """Each on the terminal as it comes."""
    kept = []
    for one in tried:
        print(report.line(one), flush=True)
        kept.append(one)
    return kept


def end(*_: object) -> None:
    """What was started is ended, too."""
    for child in active_children():
        child.terminate()
    sys.exit(143)


def _tried(chosen: Sequence[Scenario], plans: Mapping[str, Share], seed: int, folder: Path) -> Iterator[Tried]:
    """Each scenario on the stage that it shares with the others, on a fresh one where something is broken."""
    with ExitStack() as stack:
        shared: Stage | None = None
        for number, scenario in enumerate(chosen):
            if scenario.store is not None:
                with raised(folder / f"stage-{number}", scenario.store) as own:
                    yield _try(scenario, own, plans[scenario.name], seed)
                continue
            if shared is None:
                shared = stack.enter_context(raised(folder / f"stage-{number}"))
            shared.sandbox.reset()
            tried = _try(scenario, shared, plans[scenario.name], seed)
            yield tried
            if not tried.row.sound:
                stack.close()
                shared = None


def _try(scenario: Scenario, stage: Stage, share: Share, seed: int) -> Tried:
    """A scenario that fails by itself proves nothing, and is no reason to throw the others away."""
    began = time.monotonic()
    try:
        row = scenario.run(stage, Plan(share.hurts, Random(f"{seed}/{scenario.name}"), share.seconds))
    except Exception as error:
        traceback.print_exc()
        row = Row(0, 0, Verdict(), remarks=(f"could not be tried: {error}",))
    return Tried(scenario, row, time.monotonic() - began)
