"""Rows as a terminal shows them. Not here: the page (page)."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

from tests.chaos.judge import Verdict, percentile
from tests.chaos.trial import Row, Scenario

COLUMNS = tuple(one.name.replace("_", " ") for one in fields(Verdict))


@dataclass(frozen=True, slots=True)
class Tried:
    """A scenario and its row; ``took``: seconds; ``runs``: in which runs, by commit and seed."""

    scenario: Scenario
    row: Row
    took: float
    runs: tuple[str, ...] = ()


def heading() -> str:
    """The first line on a terminal."""
    return f"{'row':5}{'hurts':>6}{'updates':>8}  " + "  ".join(COLUMNS) + "   recovery p50 / p99"


def line(tried: Tried) -> str:
    """One scenario on a terminal."""
    row = tried.row
    counts = "  ".join(f"{count:>{len(name)}}" for count, name in zip(astuple(row.verdict), COLUMNS, strict=True))
    name = tried.scenario.name if row.sound else f"{tried.scenario.name}!"
    rest = "; ".join((tried.scenario.what, *row.remarks, *faults(row)))
    return f"{name:5}{row.hurts:>6}{row.updates:>8}  {counts}   {recovered(row):>13} {tried.took:5.0f} s  {rest}"


def faults(row: Row) -> tuple[str, ...]:
    """What no column counts and had to hold all the same."""
    return tuple(f"FAULT: {fault}" for fault in row.faults)


def recovered(row: Row) -> str:
    """Median and tail, in seconds."""
    median, tail = percentile(row.recovery, 0.5), percentile(row.recovery, 0.99)
    return "–" if median is None or tail is None else f"{median:.2f} / {tail:.2f}"
