"""ISO 8601 durations, and a meeting moved by one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.event.duration import Duration, parse_duration, shifted
from workers.event.zones import UnknownZone, instant

VIENNA = "W. Europe Standard Time"
walls = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(
    lambda when: when.replace(microsecond=0).isoformat()
)


@pytest.mark.parametrize(
    ("text", "calendar", "elapsed"),
    [
        ("PT1H", timedelta(), timedelta(hours=1)),
        ("PT25H", timedelta(), timedelta(hours=25)),
        ("-PT30M", timedelta(), -timedelta(minutes=30)),
        ("+P1D", timedelta(days=1), timedelta()),
        ("P2W", timedelta(weeks=2), timedelta()),
        ("-P1W2DT3H4M5S", -timedelta(days=9), -timedelta(hours=3, minutes=4, seconds=5)),
        ("PT0S", timedelta(), timedelta()),
    ],
)
def test_days_are_the_calendars_and_hours_are_the_clocks(text: str, calendar: timedelta, elapsed: timedelta) -> None:
    assert parse_duration(text) == Duration(calendar, elapsed)


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "-", "1H", "PT1", "P1Y", "P1M", "PT1.5H", "P-1D", "PT1M1H", "pt1h", "PT1H ", "PT1H\n"],
)
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration like"):
        parse_duration(text)


@given(st.text(max_size=20))
def test_garbage_is_a_value_error_and_nothing_else(text: str) -> None:
    try:
        parse_duration(text)
    except ValueError as error:
        assert "is not a duration" in str(error)


@given(walls, st.integers(-10_000, 10_000))
def test_hours_move_the_moment_over_every_change_of_the_clocks(wall: str, minutes: int) -> None:
    duration = f"{'-' if minutes < 0 else ''}PT{abs(minutes)}M"
    moved = shifted(wall, VIENNA, duration)
    assert instant(moved, VIENNA) == instant(wall, VIENNA) + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("duration", "moved"),
    [
        ("PT0S", "2026-10-25T02:30:00+01:00"),
        ("PT15M", "2026-10-25T02:45:00+01:00"),
        ("PT30M", "2026-10-25T03:00:00"),
        ("-PT1H", "2026-10-25T02:30:00"),
        ("-P1D", "2026-10-24T02:30:00"),
        ("P1DT1H", "2026-10-26T03:30:00"),
    ],
)
def test_the_second_of_two_hours_is_moved_from_where_it_is(duration: str, moved: str) -> None:
    assert shifted("2026-10-25T02:30:00+01:00", VIENNA, duration) == moved


@given(walls, st.integers(0, 1000))
def test_days_keep_the_time_of_day(wall: str, days: int) -> None:
    assert shifted(wall, VIENNA, f"P{days}D") == (datetime.fromisoformat(wall) + timedelta(days=days)).isoformat()


def test_a_day_and_24_hours_differ_when_the_clocks_change() -> None:
    before = "2026-03-28T09:00:00"
    assert shifted(before, VIENNA, "P1D") == "2026-03-29T09:00:00"
    assert shifted(before, VIENNA, "PT24H") == "2026-03-29T10:00:00"


def test_graphs_seven_digits_are_understood() -> None:
    assert shifted("2026-11-23T09:00:00.0000000", "UTC", "PT1H") == "2026-11-23T10:00:00"
    assert shifted("2026-11-23T09:00:00.5000000", "UTC", "P1D") == "2026-11-24T09:00:00"


@pytest.mark.parametrize(
    ("wall", "duration"),
    [
        ("9999-12-31T23:00:00", "P1D"),
        ("9999-12-31T23:00:00", "PT2H"),
        ("0001-01-01T00:00:00", "-PT1H"),
        ("0001-01-01T00:00:00", "-P999999D"),
        ("9000-01-01T00:00:00", "P99999W"),
    ],
)
def test_what_leaves_the_calendar_is_refused(wall: str, duration: str) -> None:
    with pytest.raises(ValueError, match=r"leaves the calendar|no such moment"):
        shifted(wall, "UTC", duration)


def test_days_are_the_calendars_also_where_nobody_knows_the_zone() -> None:
    assert shifted("2026-11-23T09:00:00", "tzone://Microsoft/Custom", "P1D") == "2026-11-24T09:00:00"


def test_a_zone_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownZone, match="tzone"):
        shifted("2026-11-23T09:00:00", "tzone://Microsoft/Custom", "PT1H")
