"""A series that begins on another day, and its pattern. In December 2026 the 1st is a Tuesday."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.workers.ews.test_recurrence import DAYS, patterns
from workers.event.series import fits, moved
from workers.exchange import Refused

WEEK = [*DAYS[1:], DAYS[0]]
days = st.dates(date(2020, 1, 1), date(2040, 12, 31))


def series(pattern: Any, begun: date) -> Any:
    return {"pattern": pattern, "range": {"type": "noEnd", "startDate": begun.isoformat()}}


def weekly(*names: str, **more: Any) -> Any:
    return {"type": "weekly", "interval": 1, "daysOfWeek": list(names), **more}


def monthly(day: int) -> Any:
    return {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": day}


def yearly(day: int, month: int) -> Any:
    return {"type": "absoluteYearly", "interval": 1, "dayOfMonth": day, "month": month}


def relative(index: str, *names: str, **more: Any) -> Any:
    return {"type": "relativeYearly" if more else "relativeMonthly", "index": index, "daysOfWeek": list(names), **more}


DAILY = {"type": "daily", "interval": 2}
MONDAY = {"firstDayOfWeek": "monday"}
WEDNESDAYS = {"type": "weekly", "daysOfWeek": ["wednesday"]}
WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


@pytest.mark.parametrize(
    ("was", "begun", "day", "becomes"),
    [
        (weekly("tuesday"), "2026-12-01", "2026-12-02", weekly("wednesday")),
        (weekly("tuesday"), "2026-12-01", "2026-11-29", weekly("sunday")),
        (weekly("tuesday", "thursday"), "2026-12-01", "2026-12-02", weekly("wednesday", "friday")),
        (weekly("tuesday", "saturday"), "2026-12-01", "2026-12-13", weekly("sunday", "thursday")),
        (weekly("tuesday", interval=2), "2026-12-01", "2026-12-02", weekly("wednesday", interval=2, **MONDAY)),
        ({"type": "weekly", "daysOfWeek": ["tuesday"]}, "2026-12-01", "2026-12-02", WEDNESDAYS),
        (monthly(1), "2026-12-01", "2026-12-02", monthly(2)),
        (monthly(31), "2026-12-31", "2027-02-27", monthly(27)),
        (yearly(1, 12), "2026-12-01", "2026-11-30", yearly(30, 11)),
        (yearly(1, 12), "2026-12-01", "2027-11-01", yearly(1, 11)),
    ],
)
def test_a_pattern_moves_with_the_first_day(was: Any, begun: str, day: str, becomes: Any) -> None:
    assert moved(series(was, date.fromisoformat(begun)), begun, day) == series(becomes, date.fromisoformat(day))


@pytest.mark.parametrize(
    ("pattern", "day"),
    [
        (DAILY, "2026-12-02"),
        (weekly("tuesday"), "2026-12-08"),
        (weekly("tuesday", "thursday"), "2026-12-03"),
        (monthly(1), "2027-01-01"),
        (monthly(31), "2027-02-28"),
        (yearly(29, 2), "2027-02-28"),
        (relative("first", "tuesday"), "2027-01-05"),
        (relative("last", "monday"), "2026-12-28"),
        (relative("last", "thursday"), "2026-12-31"),
        (relative("second", "tuesday"), "2026-12-08"),
        (relative("third", *WORKDAYS), "2026-12-03"),
        (relative("fourth", "thursday", month=11), "2026-11-26"),
    ],
)
def test_a_pattern_that_has_the_new_day_stays(pattern: Any, day: str) -> None:
    was = series(pattern, date(2026, 12, 1))
    assert moved(was, "2026-12-01", day)["pattern"] == pattern
    if pattern["type"] != "weekly":
        assert moved(was, "2026-12-01", day, shifted=True)["pattern"] == pattern


@pytest.mark.parametrize(
    ("pattern", "day", "said"),
    [
        (relative("last", "monday"), "2026-12-29", "the last Monday of a month"),
        (relative("last", "monday"), "2026-12-21", "the last Monday of a month"),
        (relative("first", "saturday", "sunday"), "2026-12-06", "the first Saturday or Sunday of a month"),
        (relative("fourth", "thursday", month=11), "2026-12-24", "the fourth Thursday of November"),
        ({"type": "relativeMonthly", "daysOfWeek": ["tuesday"]}, "2026-12-02", "the first Tuesday of a month"),
    ],
)
def test_a_weekday_of_the_month_that_the_new_day_is_not_is_refused(pattern: Any, day: str, said: str) -> None:
    sentence = f"^InvalidValue: start: the series is on {said}, and {day} is none: name recurrence together with start$"
    with pytest.raises(Refused, match=sentence):
        moved(series(pattern, date(2026, 12, 1)), "2026-12-01", day)


@given(patterns, days, days)
def test_the_first_day_of_a_moved_series_fits_its_pattern(pattern: Any, begun: date, day: date) -> None:
    assume(begun != day)
    try:
        found = moved(series(pattern, begun), begun.isoformat(), day.isoformat())
    except Refused:
        assert pattern["type"].startswith("relative")
    else:
        assert found["range"]["startDate"] == day.isoformat()
        assert fits(found["pattern"], day)


@pytest.mark.parametrize(
    ("pattern", "last", "day", "becomes"),
    [
        (weekly("tuesday"), "2026-12-22", "2026-12-02", "2026-12-23"),
        (weekly("tuesday"), "2026-12-22", "2026-11-30", "2026-12-21"),
        (weekly("tuesday"), "2026-12-22", "2026-12-29", "2027-01-19"),
        (DAILY, "2026-12-05", "2026-12-04", "2026-12-08"),
        (monthly(1), "2027-03-01", "2026-12-03", "2027-03-03"),
    ],
)
def test_a_series_that_ends_on_a_day_keeps_all_its_meetings_when_it_is_moved(
    pattern: Any, last: str, day: str, becomes: str
) -> None:
    found = moved(until(pattern, "2026-12-01", last), "2026-12-01", day)
    assert found["range"] == {"type": "endDate", "startDate": day, "endDate": becomes}


def test_what_graph_says_of_an_end_that_there_is_not_stays_as_it_is() -> None:
    filled = {**series(DAILY, date(2026, 12, 1))["range"], "endDate": "0001-01-01"}
    found = moved({"pattern": DAILY, "range": filled}, "2026-12-01", "2026-11-30")
    assert found["range"] == {"type": "noEnd", "startDate": "2026-11-30", "endDate": "0001-01-01"}


def test_a_series_that_would_end_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(Refused, match="the series ends on 9999-12-01, and would end beyond the calendar"):
        moved(until(DAILY, "2026-12-01", "9999-12-01"), "2026-12-01", "2027-12-01")


def until(pattern: Any, begun: str, last: str) -> Any:
    return {"pattern": pattern, "range": {"type": "endDate", "startDate": begun, "endDate": last}}


@given(patterns, days)
def test_a_series_that_stays_on_its_day_keeps_its_pattern(pattern: Any, day: date) -> None:
    assert moved(series(pattern, day), day.isoformat(), day.isoformat()) == series(pattern, day)


@given(st.sets(st.sampled_from(DAYS), max_size=2), st.integers(1, 3), st.sampled_from(DAYS), days, st.integers(-20, 20))
def test_all_meetings_of_a_weekly_series_move_by_as_many_days_as_the_first(
    others: set[str], interval: int, week: str, begun: date, by: int
) -> None:
    was = weekly(*{WEEK[begun.weekday()], *others}, interval=interval, firstDayOfWeek=week)
    day = begun + timedelta(by)
    assume(not fits(was, day))
    found = moved(series(was, begun), begun.isoformat(), day.isoformat())["pattern"]
    assert meetings(found, day) == [one + timedelta(by) for one in meetings(was, begun)]


def meetings(pattern: Any, begun: date) -> list[date]:
    """Those of the first seven weeks."""
    into_week = (begun.weekday() - WEEK.index(pattern["firstDayOfWeek"])) % 7
    return [
        begun + timedelta(number)
        for number in range(49)
        if (number + into_week) // 7 % pattern["interval"] == 0
        and WEEK[(begun.weekday() + number) % 7] in pattern["daysOfWeek"]
    ]
