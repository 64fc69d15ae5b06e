from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext

import pytest

from workers.event.patch import Changes, plan
from workers.event.properties import OWN_ZONE, UNNAMED, UNTOLD
from workers.event.whole_days import by_date, check, in_zone_of
from workers.update import BackendKind, Intent, Json


def days(start: str, end: str, zone: str) -> dict[str, Json]:
    return {"start": midnight(start, zone), "end": midnight(end, zone)}


def midnight(day: str, zone: str) -> dict[str, str]:
    return {"dateTime": f"{day}T00:00:00", "timeZone": zone}


STANDS: Mapping[str, Json] = {"isAllDay": True, "subject": "Fair", **days("2026-12-01", "2026-12-02", "UTC")}
SAME = days("2026-12-01", "2026-12-02", "Pacific Standard Time")


@pytest.mark.parametrize(("kind", "is_same"), [("graph", True), ("ews", False)])
def test_a_midnight_in_another_zone_is_the_same_day_where_zones_of_days_say_nothing(
    kind: BackendKind, is_same: bool
) -> None:
    assert (plan(by_date(Intent(set=SAME), STANDS, kind), STANDS, None, "alwaysOverwrite") == Changes({})) is is_same


def test_an_event_with_hours_is_left_as_it_was_asked_for() -> None:
    hours = {**STANDS, "isAllDay": False}
    assert in_zone_of(SAME, hours, "graph") == SAME
    assert by_date(Intent(set=SAME), hours, "graph") == Intent(set=SAME)


def test_midnight_in_utc_is_a_moment_for_an_event_with_hours() -> None:
    asked = Intent(set={"start": midnight("2026-12-01", "UTC")})
    assert by_date(asked, {"isAllDay": False, **hours({"timeZone": VIENNA})}, "ews") == asked


@pytest.mark.parametrize("which", ["only_where", "or_where"])
def test_days_that_must_stand_or_may_stand_are_dates_too(which: str) -> None:
    other, there = days("2026-11-01", "2026-11-02", "UTC"), {name: [value] for name, value in SAME.items()}
    held = {"only_where": SAME} if which == "only_where" else {"only_where": other, "or_where": there}
    asked = Intent(set=days("2027-01-01", "2027-01-02", "UTC"), **held)
    changes = plan(by_date(asked, STANDS, "graph"), STANDS, None, "alwaysOverwrite")
    assert isinstance(changes, Changes)
    assert changes.values.keys() == {"start", "end"}, "nobody changed them meanwhile"


def test_midnight_in_utc_is_not_taken_for_one_in_a_zone_that_has_no_name() -> None:
    moscow = {"dateTime": "2026-11-30T21:00:00", "timeZone": "UTC", OWN_ZONE: UNNAMED}
    asked = {"start": midnight("2026-12-02", "UTC")}
    assert in_zone_of(asked, {"isAllDay": True, "start": moscow}, "ews") == asked


VIENNA = "W. Europe Standard Time"


def hours(zone: Json) -> dict[str, Json]:
    return {name: {"dateTime": f"2026-11-30T{hour}:00:00", **zone} for name, hour in (("start", "09"), ("end", "10"))}


@pytest.mark.parametrize(
    ("kind", "zone", "becomes"),
    [
        ("ews", {"timeZone": VIENNA}, VIENNA),
        ("graph", {"timeZone": VIENNA}, "UTC"),
    ],
)
def test_an_event_that_begins_to_last_whole_days_stays_in_its_zone(kind: BackendKind, zone: Json, becomes: str) -> None:
    stands = {"isAllDay": False, **hours(zone)}
    asked = Intent(set={"isAllDay": True, **days("2026-12-01", "2026-12-02", "UTC")})
    changes = plan(by_date(asked, stands, kind), stands, None, "alwaysOverwrite")
    assert changes == Changes({"isAllDay": True, **days("2026-12-01", "2026-12-02", becomes)})


def weekly(zone: str, **span: Json) -> Json:
    begins = {"type": "noEnd", "startDate": "2026-12-01", "recurrenceTimeZone": zone}
    return {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]}, "range": begins | span}


@pytest.mark.parametrize("all_day", [True, False])
def test_a_series_of_whole_days_is_kept_in_its_zone_though_graph_tells_its_days_in_utc(all_day: bool) -> None:
    dates = days("2026-12-01", "2026-12-02", VIENNA)
    stands = {"isAllDay": all_day, "recurrence": weekly(VIENNA), **dates}
    told = {"isAllDay": True, "recurrence": weekly("UTC"), **days("2026-12-01", "2026-12-02", "UTC")}
    changes = plan(by_date(Intent(set=told), stands, "ews"), stands, None, "alwaysOverwrite")
    assert changes == Changes({} if all_day else {"isAllDay": True})


def test_a_series_of_whole_days_goes_to_graph_in_the_zone_that_it_names() -> None:
    stands = {"isAllDay": True, "recurrence": weekly(VIENNA), **days("2026-12-01", "2026-12-02", "UTC")}
    assert in_zone_of({"recurrence": weekly("UTC")}, stands, "graph") == {"recurrence": weekly("UTC")}


def test_a_series_of_whole_days_ends_when_it_is_told_to_and_stays_in_its_zone() -> None:
    stands = {"isAllDay": True, "recurrence": weekly(VIENNA), **days("2026-12-01", "2026-12-02", VIENNA)}
    five = {"type": "numbered", "numberOfOccurrences": 5}
    asked = by_date(Intent(set={"recurrence": weekly("UTC", **five)}), stands, "ews")
    changes = plan(asked, stands, None, "alwaysOverwrite")
    assert isinstance(changes, Changes)
    assert changes.values["recurrence"]["range"] == {**five, "startDate": "2026-12-01"}


def test_a_series_of_whole_days_that_names_no_zone_names_none_afterwards() -> None:
    stands = {"isAllDay": True, "recurrence": weekly(VIENNA), **days("2026-12-01", "2026-12-02", VIENNA)}
    five = {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 5}
    asked = Intent(set={"recurrence": {**weekly(VIENNA), "range": five}})
    assert by_date(asked, stands, "ews") == asked


NINE = {"dateTime": "2026-12-01T09:00:00", "timeZone": "UTC"}


@pytest.mark.parametrize(
    ("stands", "changes"),
    [
        (STANDS, {"start": NINE}),
        (STANDS, {"end": NINE}),
        ({**STANDS, "isAllDay": False}, {"isAllDay": True, "start": NINE}),
        (STANDS, {"start": {"dateTime": "2026-10-25T00:00:00-01:00", "timeZone": "Azores Standard Time"}}),
    ],
)
def test_a_whole_day_does_not_begin_or_end_within_a_day(stands: Mapping[str, Json], changes: dict[str, Json]) -> None:
    with pytest.raises(ValueError, match="an all-day event starts and ends at midnight"):
        check(changes, stands)


@pytest.mark.parametrize(
    ("stands", "changes"),
    [
        (STANDS, days("2026-12-03", "2026-12-04", "UTC")),
        (STANDS, {"isAllDay": False, "start": NINE}),
        ({**STANDS, "isAllDay": False}, {"start": NINE}),
        ({**STANDS, "isAllDay": False, "start": NINE}, {"isAllDay": True, "start": NINE}),
        ({**STANDS, "start": {**NINE, "dateTime": "2026-12-02T08:00:00"}}, {"start": NINE}),
        ({**STANDS, "start": None}, {"start": NINE}),
    ],
)
def test_hours_are_let_be_where_no_whole_day_is_broken_by_them(
    stands: Mapping[str, Json], changes: dict[str, Json]
) -> None:
    check(changes, stands)


HIDDEN = {"dateTime": "2027-03-26T23:00:00", "timeZone": "UTC", OWN_ZONE: UNNAMED}
"""Midnight of 27 March 2027 an hour east of Greenwich; on the next day the clocks go forward there."""


@pytest.mark.parametrize(
    ("stands", "changes"),
    [
        ({"isAllDay": True, "start": HIDDEN}, {"start": HIDDEN | {"dateTime": "2027-03-27T23:00:00"}}),
        ({"isAllDay": True, "start": HIDDEN}, {"start": midnight("2027-07-01", "UTC")}),
        ({"isAllDay": True, "start": HIDDEN | {OWN_ZONE: UNTOLD}}, {"start": NINE}),
        ({"isAllDay": False, "start": HIDDEN}, {"isAllDay": True, "start": midnight("2027-07-01", "UTC")}),
    ],
)
def test_whole_days_in_a_zone_that_is_not_known_are_moved_only_by_naming_one(stands: Json, changes: Json) -> None:
    with pytest.raises(ValueError, match="start: the event is kept in a zone that is not known: name start and end"):
        check(changes, stands)


@pytest.mark.parametrize("hour", ["00", "09"])
def test_whole_days_whose_zone_was_not_known_are_whole_in_the_zone_that_is_named(hour: str) -> None:
    named = {"start": {"dateTime": f"2027-07-01T{hour}:00:00", "timeZone": VIENNA}}
    told = nullcontext() if hour == "00" else pytest.raises(ValueError, match="an all-day event starts and ends")
    with told:
        check(named, {"isAllDay": True, "start": HIDDEN})


def test_whole_days_in_a_zone_that_is_not_known_are_let_be_where_they_stay() -> None:
    check({"start": HIDDEN, "end": HIDDEN}, {"isAllDay": True, "start": HIDDEN, "end": HIDDEN})
