"""What was measured, as values: series of samples, ratios, targets met or not. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one thing, one for each round."""

    name: str
    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.samples)

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the largest."""
        return min(self.samples), max(self.samples)


@dataclass(frozen=True, slots=True)
class Target:
    """What the ratio ours/theirs, or where there is nobody to compare with the value, has to be."""

    kind: Literal["at least", "at most"]
    value: float

    def is_met(self, value: float) -> bool:
        return value >= self.value if self.kind == "at least" else value <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.kind == 'at least' else '≤'} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table. ``theirs`` None: a cost that stands for itself."""

    row: str
    what: str
    unit: str
    ours: Series
    theirs: Series | None = None
    target: Target | None = None
    remark: str = ""

    @property
    def ratio(self) -> float | None:
        """Of the medians."""
        return None if self.theirs is None else self.ours.median / self.theirs.median

    @property
    def verdict(self) -> str:
        """``met``, ``not met``, or nothing where there is no target."""
        if self.target is None:
            return ""
        value = self.ours.median if self.ratio is None else self.ratio
        return "met" if self.target.is_met(value) else "not met"


def alternated(sides: Sequence[Callable[[], T]], rounds: int) -> list[tuple[T, ...]]:
    """A B A B: each side's answers, round by round, so that what the machine does meanwhile befalls all. Before that
    each runs once without being counted, to be warm."""
    for side in sides:
        side()
    taken = [[side() for side in sides] for _ in range(rounds)]
    return list(zip(*taken, strict=True))


def series(name: str, answers: Sequence[T], figure: Callable[[T], float]) -> Series:
    """One of the figures of each round."""
    return Series(name, tuple(map(figure, answers)))


def quantile(values: Sequence[float], share: float) -> float:
    """The value within which this share of them lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def figure(series: Series) -> str:
    """Median and spread; one sample has none."""
    low, high = series.spread
    if len(series.samples) == 1:
        return number(series.median)
    return f"{number(series.median)} ({number(low)}–{number(high)})"


def number(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
