"""The scenarios, lived through: one after the other, or by several hands side by side, each with servers of its own."""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import active_children, get_context
from pathlib import Path
from random import Random

from tests.chaos import kept, report
from tests.chaos.baseline import BASELINE
from tests.chaos.budget import Share
from tests.chaos.judge import Verdict
from tests.chaos.report import Tried
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.stage import Stage, raised
from tests.chaos.trial import Plan, Row, Scenario
from tests.proof import commit

ALL = (*SCENARIOS, *BASELINE)


def side_by_side(
    dealt: Sequence[Sequence[Scenario]], plans: Mapping[str, Share], seed: int, folder: Path, keep: Path
) -> None:
    """Each hand's scenarios one after the other, in a process of its own where there are several. ``folder``: logs and
    journals; ``keep``: where the rows are kept."""
    if len(dealt) == 1:
        _by_name([one.name for one in dealt[0]], plans, seed, folder, keep)
        return
    with ProcessPoolExecutor(
        len(dealt), get_context("spawn"), initializer=signal.signal, initargs=(signal.SIGTERM, end)
    ) as pool:
        running = [
            pool.submit(_by_name, [one.name for one in hand], plans, seed, folder / f"hand-{number}", keep)
            for number, hand in enumerate(dealt)
        ]
        for future in running:
            future.result()


def _by_name(names: Sequence[str], plans: Mapping[str, Share], seed: int, folder: Path, keep: Path) -> None:
    """By name, because functions do not go from one process to another."""
    for one in _tried([one for one in ALL if one.name in names], plans, seed, folder):
        print(report.line(one), flush=True)
        kept.keep(keep, one)


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
    return Tried(scenario, row, time.monotonic() - began, (f"{commit()} with seed {seed}",))
