"""Counts → the bars of a small chart; histograms → percentiles. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, STEP = 300, 48, 5
"""The picture's size in units of its own: 60 minutes, each STEP wide."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute, in the picture's units; y grows downwards."""

    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """``highest``: the count of the tallest bar."""

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
    """At least one unit high, so that a single count among thousands is seen, too."""
    height = max(1.0, round(share * HEIGHT, 1))
    return Bar(x, round(HEIGHT - height, 1), height)


def percentile(buckets: Mapping[str, int], share: float) -> float | None:
    """The seconds within which ``share`` (0 to 1) of the counts lie, as if those of a bucket were spread evenly.

    ``buckets``: upper bound in ms, or ``inf`` → count. None if there are no counts. A percentile beyond the last bound
    is given as that bound."""
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
