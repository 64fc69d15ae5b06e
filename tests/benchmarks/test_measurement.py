from operator import itemgetter

import pytest

from tests.benchmarks.measurement import Measured, Series, Target, alternated, figure, number, quantile, series


def measured(ours: tuple[float, ...], theirs: tuple[float, ...] | None, target: Target | None = None) -> Measured:
    return Measured("row", "what", "ms", Series("a", ours), Series("b", theirs) if theirs else None, target)


def test_the_ratio_is_that_of_the_medians_so_that_one_bad_round_says_nothing() -> None:
    assert measured((2, 2, 100), (4, 4, 0.1)).ratio == 0.5


@pytest.mark.parametrize(("ours", "kind", "verdict"), [
    (1.0, "at least", "met"), (0.99, "at least", "not met"), (1.0, "at most", "met"), (1.01, "at most", "not met"),
])  # fmt: skip
def test_a_target_is_met_or_not(ours: float, kind: str, verdict: str) -> None:
    assert measured((ours,), (1.0,), Target(kind, 1.0)).verdict == verdict  # type: ignore[arg-type]


def test_without_a_peer_the_value_itself_is_judged() -> None:
    assert measured((1.4,), None, Target("at most", 1.5)).verdict == "met"
    assert measured((1.6,), None, Target("at most", 1.5)).verdict == "not met"


def test_where_nothing_is_wanted_nothing_is_met() -> None:
    assert measured((1.0,), (2.0,)).verdict == ""


def test_the_sides_take_turns_after_a_round_that_does_not_count() -> None:
    order: list[str] = []

    def side(name: str) -> int:
        order.append(name)
        return len(order)

    assert alternated([lambda: side("A"), lambda: side("B")], 2) == [(3, 5), (4, 6)]
    assert order == ["A", "B", "A", "B", "A", "B"]


def test_one_figure_of_each_round_is_a_series() -> None:
    assert series("x", [(1, 2), (3, 4)], itemgetter(1)) == Series("x", (2, 4))


def test_a_quantile_is_one_of_the_values() -> None:
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile(list(range(100)), 0.99) == 99
    assert quantile([7], 0.99) == 7


@pytest.mark.parametrize(("value", "text"), [(1234.5, "1,234"), (99.94, "99.9"), (1.239, "1.24"), (0, "0.00")])
def test_three_digits_are_told(value: float, text: str) -> None:
    assert number(value) == text


def test_a_series_is_told_with_its_spread() -> None:
    assert figure(Series("x", (1, 2, 30))) == "2.00 (1.00–30.0)"
    assert figure(Series("x", (2,))) == "2.00"
