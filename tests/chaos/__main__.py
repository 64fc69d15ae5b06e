"""``python -m tests.chaos``: the scenarios, one row each. Exit code 1 where a number that has to be 0 is not."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import randrange

from ops.model import check
from tests.chaos import budget, hands, page, report
from tests.chaos.hands import ALL
from tests.chaos.kept import kept
from tests.chaos.stage import LEASE
from tests.chaos.witness import PATIENCE
from tests.proof import put


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is asked for."""
    arguments = _parser().parse_args(argv)
    chosen = [one for one in ALL if one.name in arguments.scenario] if arguments.scenario else list(ALL)
    if arguments.short:
        chosen = [one for one in chosen if one.short]
    if arguments.list:
        print("\n".join(f"{one.name:5}{one.what}" for one in chosen))
        return 0
    folder = Path(tempfile.mkdtemp(prefix="rendezvous-chaos-"))
    keep = arguments.keep or folder / "rows"
    done = set() if arguments.again else {one.scenario.name for one in kept(keep, chosen)}
    left = [one for one in chosen if one.name not in done]
    plans = budget.plans(left, arguments.kills, arguments.minutes and arguments.minutes * arguments.jobs)
    print(f"seed {arguments.seed}\n{report.heading()}", flush=True)
    hands.side_by_side(budget.dealt(left, plans, arguments.jobs), plans, arguments.seed, folder, keep)
    tried = kept(keep, chosen)
    if arguments.report is not None:
        searched = [check.search(one) for one in check.CHECKS] if check.available() else []
        put(arguments.report, "chaos", page.written(tried, LEASE, PATIENCE, searched))
    if len(tried) == len(chosen) and all(one.row.sound for one in tried):
        shutil.rmtree(folder)
        return 0
    print(f"broken promises, or nothing proved; logs and journals are in {folder}", file=sys.stderr)
    return 1


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
    parser.add_argument("--jobs", type=int, default=1, help="how many scenarios at once, each with servers of its own")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep rows here; what is there is not tried again")
    parser.add_argument("--again", action="store_true", help="try also what is kept, and add to it")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the page")
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, hands.end)
    sys.exit(main())
