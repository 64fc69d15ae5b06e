"""Counts → what a small picture needs, and percentiles of a histogram. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, STEP = 300, 48, 5
"""Units of the picture: 60 minutes of STEP each."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute, in the picture's units; y grows downwards."""

    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """``highest``: what the tallest bar stands for."""

    title: str
    tone: str
    counts: tuple[int, ...]
    bars: tuple[Bar, ...]
    highest: int

    @property
    def total(self) -> int:
        return sum(self.counts)


def chart(title: str, tone: str, counts: Sequence[int]) -> Chart:
    """A picture of one series. ``tone`` is the style sheet's class."""
    highest = max(counts, default=0)
    bars = tuple(_bar(number * STEP, count / highest) for number, count in enumerate(counts) if count)
    return Chart(title, tone, tuple(counts), bars, highest)


def _bar(x: int, share: float) -> Bar:
    """At least a unit high: one among thousands is to be seen, too."""
    height = max(1.0, round(share * HEIGHT, 1))
    return Bar(x, round(HEIGHT - height, 1), height)


def percentile(buckets: Mapping[str, int], share: float) -> float | None:
    """Seconds that so many (0 to 1) took at most, from counts by upper bound in ms (``inf`` for beyond), as if a
    bucket's were spread evenly. None where there are none; beyond the last bound it is that bound."""
    bounds = sorted((int(bound), count) for bound, count in buckets.items() if bound.isdigit())
    wanted = share * (sum(count for _, count in bounds) + buckets.get("inf", 0))
    if not wanted:
        return None
    below, so_far = 0, 0
    for bound, count in bounds:
        if so_far + count >= wanted:
            return (below + (bound - below) * (wanted - so_far) / count) / 1000
        below, so_far = bound, so_far + count
    return below / 1000
