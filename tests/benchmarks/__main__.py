"""``python -m tests.benchmarks``: the measurements, side by side with the peers."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import report
from tests.benchmarks.load import LoadError
from tests.benchmarks.measure.accept import accept
from tests.benchmarks.measure.durable import durable
from tests.benchmarks.measure.engine import engine
from tests.benchmarks.measure.fairness import fairness
from tests.benchmarks.measure.idle import idle
from tests.benchmarks.measure.latency import latency
from tests.benchmarks.measure.memory import memory
from tests.benchmarks.measure.whole import whole
from tests.benchmarks.measurement import Measured
from tests.benchmarks.plan import SHORT, Plan

MEASUREMENTS: dict[str, Callable[[Path, Plan], list[Measured]]] = {
    "accept": accept,
    "whole": whole,
    "latency": latency,
    "engine": engine,
    "fairness": fairness,
    "memory": memory,
    "idle": idle,
    "durable": durable,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what is asked for; exit code 0 also where a target is not met: that is said, not hidden."""
    arguments = _arguments(argv)
    plan = SHORT if arguments.short else Plan()
    plan = replace(plan, rounds=arguments.rounds or plan.rounds)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended then, too
    folder = Path(tempfile.mkdtemp(prefix="rendezvous-bench-"))
    began, load = time.monotonic(), os.getloadavg()[0]
    measured: list[Measured] = []
    for name in arguments.only or MEASUREMENTS:
        started = time.monotonic()
        try:
            found = MEASUREMENTS[name](folder / name, plan)
        except (RuntimeError, LoadError) as error:
            print(f"{name} could not be measured: {error}\nlogs are in {folder / name}", file=sys.stderr)
            return 1
        measured += found
        print("\n".join((*map(report.line, found), f"      {time.monotonic() - started:.0f} s\n")), flush=True)
    if arguments.report is not None:
        report.write(arguments.report, measured, plan, time.monotonic() - began, load)
    shutil.rmtree(folder)
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(MEASUREMENTS), help="only this (may come several times)"
    )
    parser.add_argument("--rounds", type=int, help="how often the sides take turns")
    parser.add_argument("--short", action="store_true", help="less of everything, within three minutes")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the page's section and its plots")
    arguments = parser.parse_args(argv)
    if arguments.report and arguments.only:
        parser.error("a report holds everything: --report and --only do not go together")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
