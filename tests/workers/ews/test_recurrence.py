from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.workers.ews.reference import SAMPLES, assert_valid_body, needs_reference
from workers.ews.change import Change
from workers.ews.recurrence import PATTERNS, RANGES, check_first_day, check_zone, in_step, read, render
from workers.ews.soap import element, parse

DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
INDEXES = ["first", "second", "third", "fourth", "last"]
numbers = st.integers(1, 999)
some_days = st.lists(st.sampled_from(DAYS), min_size=1, unique=True).map(lambda days: sorted(days, key=DAYS.index))
relative_days = st.sampled_from([*([day] for day in DAYS), DAYS, DAYS[1:6], ["sunday", "saturday"]])
days_of_month, months, indexes = st.integers(1, 31), st.integers(1, 12), st.sampled_from(INDEXES)
dates = st.dates(date(1990, 1, 1), date(2090, 1, 1)).map(date.isoformat)


def shape(kind: str, **parts: Any) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"type": st.just(kind), **parts})


patterns = st.one_of(
    shape("daily", interval=numbers),
    shape("weekly", interval=numbers, daysOfWeek=some_days, firstDayOfWeek=st.sampled_from(DAYS)),
    shape("absoluteMonthly", interval=numbers, dayOfMonth=days_of_month),
    shape("relativeMonthly", interval=numbers, daysOfWeek=relative_days, index=indexes),
    shape("absoluteYearly", interval=st.just(1), dayOfMonth=days_of_month, month=months),
    shape("relativeYearly", interval=st.just(1), daysOfWeek=relative_days, index=indexes, month=months),
)
ranges = st.one_of(
    shape("noEnd", startDate=dates),
    shape("endDate", startDate=dates, endDate=dates),
    shape("numbered", startDate=dates, numberOfOccurrences=numbers),
)
recurrences = st.fixed_dictionaries({"pattern": patterns, "range": ranges})
DAILY = {"type": "daily", "interval": 1}
NO_END = {"type": "noEnd", "startDate": "2026-12-01"}


@given(recurrences)
def test_a_recurrence_survives_exchange(value: Any) -> None:
    assert read(parse(etree.tostring(render(value))), None) == value


def test_the_zone_of_the_series_is_that_of_the_event() -> None:
    found = read(render({"pattern": DAILY, "range": NO_END}), "Pacific Standard Time")
    assert found["range"]["recurrenceTimeZone"] == "Pacific Standard Time"


@needs_reference
@given(recurrences)
def test_a_recurrence_is_valid_by_microsofts_schema(value: Any) -> None:
    updates = element("t:Updates", Change("calendar:Recurrence", render(value)).render())
    change = element("t:ItemChange", element("t:ItemId", Id="AAMk="), updates)
    assert_valid_body(element("m:UpdateItem", element("m:ItemChanges", change), ConflictResolution="NeverOverwrite"))


def test_all_six_patterns_and_three_ranges_are_there() -> None:
    assert (len(PATTERNS), len(RANGES)) == (6, 3)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"type": "daily"}, DAILY),
        ({"type": "weekly", "daysOfWeek": ["friday", "monday", "friday"]},
         {"type": "weekly", "interval": 1, "daysOfWeek": ["monday", "friday"], "firstDayOfWeek": "sunday"}),
        ({"type": "relativeMonthly", "interval": 2, "daysOfWeek": ["monday"], "dayOfMonth": 0, "month": 0},
         {"type": "relativeMonthly", "interval": 2, "daysOfWeek": ["monday"], "index": "first"}),
        ({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["saturday", "sunday"], "index": "last"},
         {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["sunday", "saturday"], "index": "last"}),
    ],
)  # fmt: skip
def test_what_graph_leaves_out_has_graphs_default(pattern: Any, expected: Any) -> None:
    assert read(render({"pattern": pattern, "range": NO_END}), None)["pattern"] == expected


@pytest.mark.parametrize(
    ("pattern", "span"),
    [
        ({"type": "hourly"}, NO_END),
        ({"type": "daily", "interval": 0}, NO_END),
        ({"type": "daily", "interval": "1"}, NO_END),
        ({"type": "daily", "interval": True}, NO_END),
        ({"type": "weekly", "interval": 1}, NO_END),
        ({"type": "weekly", "interval": 1, "daysOfWeek": []}, NO_END),
        ({"type": "weekly", "interval": 1, "daysOfWeek": ["someday"]}, NO_END),
        ({"type": "absoluteMonthly", "interval": 1}, NO_END),
        ({"type": "absoluteYearly", "interval": 2, "dayOfMonth": 1, "month": 1}, NO_END),
        ({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 1, "month": 13}, NO_END),
        ({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday", "tuesday"], "index": "first"}, NO_END),
        ({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday"], "index": "fifth"}, NO_END),
        (DAILY, {"type": "noEnd", "startDate": "soon"}),
        (DAILY, {"type": "endDate", "startDate": "2026-12-01", "endDate": "2026-02-30"}),
        (DAILY, {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 0}),
        (DAILY, {"type": "for ever"}),
    ],
)
def test_what_exchange_cannot_say_is_refused(pattern: Any, span: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        render({"pattern": pattern, "range": span})


def test_a_series_whose_first_meeting_is_later_than_its_range_stays_in_step_on_the_same_day() -> None:
    series = {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]}, "range": NO_END}
    series["range"] = {**NO_END, "startDate": "2026-11-30"}
    nine, ten = ({"dateTime": f"2026-12-01T{hour}:00:00", "timeZone": "UTC"} for hour in ("09", "10"))
    assert in_step({"start": ten}, nine, series) == {"start": ten}


def test_a_date_with_an_offset_is_its_day() -> None:
    series = element(
        "t:Recurrence",
        element("t:DailyRecurrence", element("t:Interval", "1")),
        element("t:EndDateRecurrence", element("t:StartDate", "2006-10-18-07:00"), element("t:EndDate", "2006-11-01Z")),
    )
    assert read(series, None)["range"] == {"type": "endDate", "startDate": "2006-10-18", "endDate": "2006-11-01"}


def test_a_pattern_that_only_tasks_have_is_an_error_rather_than_nothing() -> None:
    with pytest.raises(ValueError):
        read(element("t:Recurrence", element("t:DailyRegeneration", element("t:Interval", "1"))), None)


def test_a_series_cannot_be_kept_in_another_zone_than_its_start() -> None:
    value = {"pattern": DAILY, "range": NO_END | {"recurrenceTimeZone": "Europe/Vienna"}}
    start = {"dateTime": "2026-12-01T09:00:00", "timeZone": "W. Europe Standard Time"}
    check_zone(value, start)
    check_zone(value, None)
    check_zone(None, start)
    with pytest.raises(ValueError, match="recurrenceTimeZone"):
        check_zone(value, start | {"timeZone": "Pacific Standard Time"})


def test_a_series_begins_on_the_day_of_its_start() -> None:
    value, start = {"pattern": DAILY, "range": NO_END}, {"dateTime": "2026-12-01T09:00:00", "timeZone": "UTC"}
    check_first_day(value, start)
    check_first_day(value, None)
    check_first_day(None, start)
    with pytest.raises(ValueError, match="startDate"):
        check_first_day(value, start | {"dateTime": "2026-12-02T09:00:00"})


@needs_reference
def test_microsofts_own_series_are_read() -> None:
    found = 0
    for path in SAMPLES.glob("*.xml"):
        for series in parse(path.read_bytes()).iter("{*}Recurrence"):
            if len(series):
                found += 1
                assert read(series, None)["pattern"]["type"] in PATTERNS, path.name
    assert found
