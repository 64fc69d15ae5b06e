from __future__ import annotations

import pytest

from webhooks.console.charts import HEIGHT, chart, percentile


def test_the_tallest_minute_fills_the_picture_and_an_empty_one_is_not_drawn() -> None:
    drawn = chart("Accepted", "accepted", [0, 10, 5])
    assert [(bar.x, bar.y, bar.height) for bar in drawn.bars] == [(5, 0, HEIGHT), (10, HEIGHT / 2, HEIGHT / 2)]
    assert (drawn.total, drawn.highest) == (15, 10)


def test_one_among_thousands_is_seen() -> None:
    assert chart("Dead", "dead", [1, 100_000]).bars[0].height == 1


def test_an_hour_of_nothing_is_an_empty_picture() -> None:
    assert chart("Dead", "dead", [0] * 60).bars == ()


@pytest.mark.parametrize(
    ("buckets", "share", "seconds"),
    [
        ({}, 0.5, None),
        ({"100": 10}, 0.5, 0.05),
        ({"100": 10}, 1.0, 0.1),
        ({"100": 5, "1000": 5}, 0.5, 0.1),
        ({"100": 5, "1000": 5}, 0.75, 0.55),
        ({"1000": 1, "inf": 99}, 0.95, 1.0),
        ({"5000": 1, "10000": 1}, 0.25, 2.5),
    ],
)
def test_percentiles_are_read_from_buckets(buckets: dict[str, int], share: float, seconds: float | None) -> None:
    assert percentile(buckets, share) == (None if seconds is None else pytest.approx(seconds))
