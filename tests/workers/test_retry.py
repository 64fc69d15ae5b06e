"""An error and what came before it: again, when, or never."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.exchange import (
    AccessDenied,
    ExchangeError,
    NotFound,
    Refused,
    Throttled,
    Unavailable,
    Unknown,
    VersionMoved,
)
from workers.outcome import Dead, Retry
from workers.retry import Patience, again, decide, expired
from workers.settings import Engine

SECOND = timedelta(seconds=1)
BUSY: list[type[ExchangeError]] = [Throttled, Unavailable, Unknown, VersionMoved]
errors = st.sampled_from([Refused, NotFound, AccessDenied, *BUSY])
hints = st.one_of(st.none(), st.floats(0, 1e300))


def patience(dice: float = 0.5, remaining: timedelta = timedelta(days=1)) -> Patience:
    return Patience(base=SECOND, cap=300 * SECOND, remaining=remaining, dice=dice)


@pytest.mark.parametrize("kind", [Refused, NotFound, AccessDenied])
def test_what_will_never_succeed_is_not_tried_again(kind: type[ExchangeError]) -> None:
    outcome = decide(kind("ErrorX", "No.", request_id="r"), 0, patience(), in_doubt=False)
    assert isinstance(outcome, Dead)
    assert (outcome.failure.error_class, outcome.failure.code, outcome.request_id) == (kind.outcome, "ErrorX", "r")


@pytest.mark.parametrize("kind", [Refused, NotFound, AccessDenied])
def test_a_final_answer_while_a_write_is_in_doubt_says_that_it_is_unknown(kind: type[ExchangeError]) -> None:
    outcome = decide(kind("ErrorX", "No."), 0, patience(), in_doubt=True)
    assert isinstance(outcome, Dead)
    assert (outcome.failure.error_class, outcome.failure.code) == ("unknownOutcome", "ErrorX")
    assert "No." in outcome.failure.detail


@pytest.mark.parametrize("kind", BUSY)
def test_what_is_busy_is_tried_again(kind: type[ExchangeError]) -> None:
    outcome = decide(kind("Busy", "Later.", request_id="r"), 0, patience(), in_doubt=False)
    assert isinstance(outcome, Retry)
    assert (outcome.error_class, outcome.detail, outcome.request_id) == (kind.outcome, "Busy: Later.", "r")
    assert outcome.in_doubt == issubclass(kind, Unknown)


@given(errors, st.integers(0, 100), hints, st.floats(0, 1, exclude_max=True), st.booleans())
def test_every_error_has_an_outcome(kind: type[ExchangeError], n: int, hint: float, dice: float, doubt: bool) -> None:
    outcome = decide(kind("X", "x", retry_after=hint), n, patience(dice), in_doubt=doubt)
    if isinstance(outcome, Retry):
        asked = timedelta(seconds=min(hint or 0, 86_400))
        assert timedelta() <= outcome.after <= timedelta(days=1)
        assert outcome.after >= asked or outcome.pause == asked
        assert outcome.in_doubt == (doubt or issubclass(kind, Unknown))
    else:
        assert isinstance(outcome, Dead)
        assert (outcome.failure.error_class == "unknownOutcome") == (doubt or issubclass(kind, Unknown))


@given(st.integers(0, 60), st.floats(0, 1, exclude_max=True))
def test_the_wait_grows_with_the_attempts_up_to_the_cap(attempts: int, dice: float) -> None:
    outcome = decide(Unavailable("X", "x"), attempts, patience(dice), in_doubt=False)
    assert isinstance(outcome, Retry)
    assert outcome.after <= min(300 * SECOND, SECOND * 2 ** min(attempts, 20))


def test_the_whole_wait_is_jitter() -> None:
    waits = [decide(Unavailable("X", "x"), 4, patience(dice), in_doubt=False) for dice in (0.0, 0.25, 0.5)]
    assert [wait.after for wait in waits if isinstance(wait, Retry)] == [0 * SECOND, 4 * SECOND, 8 * SECOND]


def test_an_unknown_outcome_is_not_looked_at_at_once() -> None:
    outcome = decide(Unknown("X", "x"), 0, patience(dice=0), in_doubt=False)
    assert isinstance(outcome, Retry)
    assert outcome.after > timedelta()


def test_exchange_is_left_alone_for_as_long_as_it_asks_and_then_not_by_all_at_once() -> None:
    outcome = decide(Throttled("429", "x", retry_after=30), 3, patience(dice=0.5), in_doubt=False)
    assert isinstance(outcome, Retry)
    assert (outcome.pause, outcome.after) == (30 * SECOND, 34 * SECOND)


def test_who_asks_again_and_again_for_a_second_is_left_alone_ever_longer() -> None:
    waits = [decide(Throttled("429", "x", retry_after=1), n, patience(dice=0.5), in_doubt=False) for n in (0, 4, 60)]
    assert [wait.after for wait in waits if isinstance(wait, Retry)] == [1.5 * SECOND, 9 * SECOND, 151 * SECOND]


def test_a_throttle_without_a_time_closes_the_lane_all_the_same() -> None:
    outcome = decide(Throttled("429", "x"), 3, patience(dice=0.5), in_doubt=False)
    assert isinstance(outcome, Retry)
    assert outcome.pause == outcome.after == 4 * SECOND


@pytest.mark.parametrize(("hint", "pause"), [(None, None), (30, 30 * SECOND)])
def test_an_outage_closes_the_lane_only_when_exchange_says_for_how_long(hint: float | None, pause: timedelta) -> None:
    outcome = decide(Unavailable("503", "x", retry_after=hint), 0, patience(), in_doubt=False)
    assert isinstance(outcome, Retry)
    assert outcome.pause == pause


@given(st.floats(1.1, 100), st.floats(0, 1, exclude_max=True))
def test_the_last_wait_ends_before_the_deadline(seconds: float, dice: float) -> None:
    remaining = timedelta(seconds=seconds)
    outcome = decide(Unavailable("X", "x"), 20, patience(dice, remaining), in_doubt=False)
    assert isinstance(outcome, Retry)
    assert outcome.after < remaining


def test_an_update_waits_until_its_deadline_also_where_exchange_asks_for_longer() -> None:
    outcome = decide(Throttled("429", "Busy.", retry_after=30), 0, patience(remaining=20 * SECOND), in_doubt=False)
    assert isinstance(outcome, Retry)
    assert outcome.after < 20 * SECOND and outcome.pause == 30 * SECOND


@pytest.mark.parametrize("kind", BUSY)
def test_what_came_of_a_write_is_looked_at_even_if_exchange_is_to_be_left_alone_beyond_the_deadline(
    kind: type[ExchangeError],
) -> None:
    outcome = decide(kind("504", "x", retry_after=30), 0, patience(remaining=20 * SECOND), in_doubt=True)
    assert isinstance(outcome, Retry)
    assert outcome.in_doubt and outcome.after == outcome.pause == 30 * SECOND
    last = decide(Throttled("429", "Busy.", retry_after=30), 1, patience(remaining=-10 * SECOND), in_doubt=True)
    assert isinstance(last, Dead)
    assert (last.failure.error_class, last.failure.code, last.pause) == ("unknownOutcome", "429", 30 * SECOND)


def test_in_the_last_moment_before_the_deadline_an_update_is_given_up() -> None:
    outcome = decide(Throttled("429", "Busy."), 0, patience(remaining=SECOND), in_doubt=False)
    assert isinstance(outcome, Dead)
    assert (outcome.failure.error_class, outcome.failure.code) == ("expired", "429")
    assert "Busy." in outcome.failure.detail


@pytest.mark.parametrize("remaining", [-5, 0.5, 1])
def test_a_write_of_the_last_moment_whose_answer_is_lost_is_looked_at_once_more(remaining: float) -> None:
    late = patience(remaining=remaining * SECOND)
    outcome = decide(Unknown("ReadTimeout", "x"), 3, late, in_doubt=True)
    assert isinstance(outcome, Retry)
    assert outcome.in_doubt and timedelta() < outcome.after <= SECOND
    last = decide(Unavailable("X", "x"), 4, late, in_doubt=True)
    assert isinstance(last, Dead) and last.failure.error_class == "unknownOutcome"


@pytest.mark.parametrize(("in_doubt", "error_class"), [(True, "unknownOutcome"), (False, "expired")])
def test_an_expired_update_says_whether_it_may_have_been_applied(in_doubt: bool, error_class: str) -> None:
    assert expired(in_doubt=in_doubt).failure.error_class == error_class


@pytest.mark.parametrize("in_doubt", [True, False])
def test_an_expired_update_bears_the_code_of_the_last_answer(in_doubt: bool) -> None:
    outcome = expired("ErrorServerBusy: Later.", "r", in_doubt=in_doubt)
    assert (outcome.failure.code, outcome.request_id) == ("ErrorServerBusy", "r")
    assert "ErrorServerBusy: Later." in outcome.failure.detail


def test_a_mailbox_is_asked_again_after_a_day_whatever_exchange_says() -> None:
    outcome = decide(Throttled("429", "x", retry_after=604_800), 0, patience(), in_doubt=False)
    assert isinstance(outcome, Retry) and outcome.pause == timedelta(days=1)


@given(errors, st.integers(0, 10_000), hints, st.floats(0, 0.999))
def test_what_is_never_given_up_is_tried_again_whatever_was_said(
    kind: type[ExchangeError], attempts: int, hint: float | None, dice: float
) -> None:
    outcome = again(kind("ErrorX", "No.", retry_after=hint), attempts, Engine(), dice)
    assert not outcome.in_doubt
    assert outcome.after <= (timedelta(days=1) if hint else 301 * SECOND)


@pytest.mark.parametrize("hint", [604_800, 1e9])
def test_what_is_never_given_up_is_tried_again_after_a_day_whatever_exchange_says(hint: float) -> None:
    outcome = again(Throttled("429", "x", retry_after=hint), 0, Engine(), 0.5)
    assert outcome.after == outcome.pause == timedelta(days=1)


def test_what_is_never_given_up_is_not_tried_again_by_all_at_once() -> None:
    waits = [again(Unavailable("X", "x"), 0, Engine(retry_base=8), dice).after for dice in (0.0, 0.25, 0.5)]
    assert waits == [0 * SECOND, 2 * SECOND, 4 * SECOND]
