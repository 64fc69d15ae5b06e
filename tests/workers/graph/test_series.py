import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from workers.event.properties import OWN_ZONE, UNNAMED
from workers.exchange import EXCEPTIONS, Patch, Refused
from workers.graph.resources import GraphEvent, patch_body, query
from workers.graph.series import in_step, with_windows_zone
from workers.update import Json

RECURRENCE: dict[str, Json] = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
    "range": {"type": "noEnd", "startDate": "2026-12-01", "recurrenceTimeZone": "Pacific Standard Time"},
}
PACIFIC = {"start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "Pacific Standard Time"}}
VIENNA = {"dateTime": "2026-12-01T10:00:00", "timeZone": "Europe/Vienna"}


def test_a_series_moves_into_another_zone_together_with_its_recurrence() -> None:
    sent = in_step({"start": VIENNA, "end": VIENNA}, PACIFIC, RECURRENCE)
    assert sent["recurrence"]["pattern"] == RECURRENCE["pattern"]
    assert sent["recurrence"]["range"] == {
        "type": "noEnd",
        "startDate": "2026-12-01",
        "recurrenceTimeZone": "W. Europe Standard Time",
    }


@pytest.mark.parametrize(
    ("changes", "recurrence"),
    [
        ({"start": VIENNA}, None),
        ({"start": {"dateTime": "2026-12-01T10:00:00", "timeZone": "America/Los_Angeles"}}, RECURRENCE),
        ({"subject": "x"}, RECURRENCE),
        ({"start": VIENNA, "recurrence": None}, RECURRENCE),
        ({"start": VIENNA, "recurrence": RECURRENCE}, RECURRENCE),
    ],
    ids=["single", "same zone", "no times", "recurrence cleared", "recurrence given"],
)
def test_otherwise_nothing_is_added(changes: Any, recurrence: Any) -> None:
    assert in_step(changes, PACIFIC, recurrence) == changes


def test_a_recurrence_without_a_first_day_begins_on_the_day_of_the_start() -> None:
    bare = {"pattern": RECURRENCE["pattern"], "range": {"type": "noEnd"}}
    assert in_step({"recurrence": bare}, PACIFIC, None)["recurrence"]["range"]["startDate"] == "2026-12-01"
    assert in_step({"recurrence": bare}, {}, None) == {"recurrence": bare}


def test_the_exceptions_are_selected_and_expanded_for_graph_tells_them_only_so() -> None:
    asked = query([EXCEPTIONS])
    assert "exceptionOccurrences($select%3Did,attendees)" in asked
    assert "exceptionOccurrences" in parse_qs(asked)["$select"][0].split(",")


def test_a_series_that_moves_to_another_day_takes_its_recurrence_along() -> None:
    stands = {"start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "UTC"}}
    weekly = {"type": "weekly", "daysOfWeek": ["tuesday"]}
    recurrence = {"pattern": weekly, "range": {"type": "noEnd", "startDate": "2026-12-01"}}
    moved = {"start": {"dateTime": "2026-12-08T09:00:00", "timeZone": "UTC"}}
    assert in_step(moved, stands, recurrence)["recurrence"]["range"] == {"type": "noEnd", "startDate": "2026-12-08"}
    later = {"start": {"dateTime": "2026-12-01T10:00:00", "timeZone": "UTC"}}
    assert "recurrence" not in in_step(later, stands, recurrence), "the same day: nothing to keep in step"


def test_a_series_that_moves_to_another_weekday_is_on_that_day_from_then_on() -> None:
    monday = {"dateTime": "2026-12-07T10:00:00", "timeZone": "Pacific Standard Time"}
    sent = in_step({"start": monday}, PACIFIC, RECURRENCE)["recurrence"]
    assert sent["pattern"] == {**RECURRENCE["pattern"], "daysOfWeek": ["monday"]}
    assert sent["range"] == {**RECURRENCE["range"], "startDate": "2026-12-07"}


def test_a_series_is_on_the_weekday_that_its_start_has_in_the_zone_to_which_it_moves() -> None:
    wednesday = {"dateTime": "2026-12-02T08:00:00", "timeZone": "Europe/Vienna"}
    assert in_step({"start": wednesday}, PACIFIC, RECURRENCE)["recurrence"]["pattern"]["daysOfWeek"] == ["wednesday"]


MONDAYS: dict[str, Json] = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
    "range": {"type": "noEnd", "startDate": "2026-12-07", "recurrenceTimeZone": "tzone://Microsoft/Custom"},
}
UNNAMED_EVENING = {"dateTime": "2026-12-08T02:00:00", "timeZone": "UTC", OWN_ZONE: UNNAMED}
"""Monday at 18:00, eight hours west of Greenwich."""


@pytest.mark.parametrize("start", ["2026-12-08T02:00:00", "2026-12-08T03:00:00", "2026-12-09T02:00:00"])
def test_a_series_in_a_zone_without_a_name_is_not_written_in_utc(start: str) -> None:
    changes = {"start": {**UNNAMED_EVENING, "dateTime": start}}
    with pytest.raises(Refused, match=r"a zone without a name.*: name start and end with a time zone$"):
        in_step(changes, {"start": UNNAMED_EVENING}, MONDAYS)
    assert in_step(changes, {"start": UNNAMED_EVENING}, None) == changes, "no series"
    assert in_step({**changes, "recurrence": MONDAYS}, {"start": UNNAMED_EVENING}, MONDAYS)["recurrence"] == MONDAYS


@pytest.mark.parametrize(
    ("zone", "start", "days"),
    [
        ("Pacific Standard Time", "2026-12-07T19:00:00", ["monday"]),
        ("Pacific Standard Time", "2026-12-08T18:00:00", ["tuesday"]),
        ("UTC", "2026-12-08T03:00:00", ["tuesday"]),
    ],
)
def test_a_series_in_a_zone_without_a_name_goes_into_one_that_is_named(zone: str, start: str, days: list[str]) -> None:
    changes = {"start": {"dateTime": start, "timeZone": zone}}
    sent = in_step(changes, {"start": UNNAMED_EVENING}, MONDAYS)["recurrence"]
    assert sent["pattern"]["daysOfWeek"] == days
    assert sent["range"] == {"type": "noEnd", "startDate": start[:10], "recurrenceTimeZone": zone}


def test_a_series_on_a_weekday_of_the_month_is_not_moved_by_guessing() -> None:
    first = {**RECURRENCE, "pattern": {"type": "relativeMonthly", "daysOfWeek": ["tuesday"], "index": "first"}}
    stands = GraphEvent("AAMk=", 'W/"1"', False, (), PACIFIC, series=first)
    moved = {"start": {**PACIFIC["start"], "dateTime": "2026-12-02T09:00:00"}}
    with pytest.raises(Refused, match="the first Tuesday of a month"):
        patch_body(Patch(moved, "sendToNone", ("upd_1",)), stands)


def test_the_zone_of_a_series_goes_out_under_its_windows_name() -> None:
    vienna = {**RECURRENCE, "range": {**RECURRENCE["range"], "recurrenceTimeZone": "Europe/Vienna"}}
    stands = GraphEvent("AAMk=", 'W/"1"', False, (), PACIFIC)
    sent = json.loads(patch_body(Patch({"recurrence": vienna}, "sendToNone", ("upd_1",)), stands))["recurrence"]
    assert sent["range"] == {**RECURRENCE["range"], "recurrenceTimeZone": "W. Europe Standard Time"}
    assert sent["pattern"] == RECURRENCE["pattern"]


@pytest.mark.parametrize("zone", [None, "", "Nowhere"])
def test_a_zone_of_a_series_that_nobody_knows_is_left_to_graph(zone: Any) -> None:
    odd = {**RECURRENCE, "range": {"type": "noEnd", "recurrenceTimeZone": zone}}
    assert with_windows_zone(odd) == odd
    assert with_windows_zone({"pattern": {"type": "daily"}}) == {"pattern": {"type": "daily"}}
