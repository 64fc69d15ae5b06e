"""``python -m tests.chaos``: the scenarios, one row each. Exit code 1 where a number that has to be 0 is not."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random, randrange

from ops.model import check
from tests.chaos import budget, page, report
from tests.chaos.baseline import BASELINE
from tests.chaos.budget import Share
from tests.chaos.report import Tried
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.stage import LEASE, Stage, raised
from tests.chaos.trial import Plan, Scenario
from tests.chaos.witness import PATIENCE

ALL = (*SCENARIOS, *BASELINE)


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is asked for."""
    arguments = _parser().parse_args(argv)
    chosen = [one for one in ALL if one.name in arguments.scenario] if arguments.scenario else list(ALL)
    if arguments.short:
        chosen = [one for one in chosen if one.short]
    if arguments.list:
        print("\n".join(f"{one.name:5}{one.what}" for one in chosen))
        return 0
    plans = budget.plans(chosen, arguments.kills, arguments.minutes)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended then, too
    folder = Path(tempfile.mkdtemp(prefix="rendezvous-chaos-"))
    print(f"seed {arguments.seed}\n{report.heading()}", flush=True)
    tried = []
    for one in _tried(chosen, plans, arguments.seed, folder):
        tried.append(one)
        print(report.line(one), flush=True)
    if arguments.report is not None:
        searched = [check.search(one) for one in check.CHECKS] if check.available() else []
        report.write(arguments.report, page.written(tried, arguments.seed, LEASE, PATIENCE, searched))
    if all(one.row.sound for one in tried):
        shutil.rmtree(folder)
        return 0
    print(f"broken promises; logs and journals are in {folder}", file=sys.stderr)
    return 1


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
    began = time.monotonic()
    row = scenario.run(stage, Plan(share.hurts, Random(f"{seed}/{scenario.name}"), share.seconds))
    return Tried(scenario, row, time.monotonic() - began)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=5, help="how much each scenario hurts that has no target (5)")
    parser.add_argument("--minutes", type=float, help="the long run: towards its targets, in this time about")
    parser.add_argument("--seed", type=int, default=randrange(10**6), help="for what is left to chance")
    parser.add_argument(
        "--scenario", action="append", metavar="ROW", choices=[one.name for one in ALL], help="only this"
    )
    parser.add_argument("--short", action="store_true", help="the rows for every change, in under three minutes")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the page")
    return parser


if __name__ == "__main__":
    sys.exit(main())
