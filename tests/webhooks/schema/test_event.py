from __future__ import annotations

from typing import Any

import pytest

from tests.webhooks.given import SMALLEST, TARGET, asked, at, faults, person, with_set
from webhooks.schema.event import NOT_YET, READ_ONLY, EventProperties
from workers.event.properties import PROPERTIES


def test_the_properties_are_the_writable_ones() -> None:
    by_name = {"extensions", "singleValueExtendedProperties"}
    assert {field.alias for field in EventProperties.model_fields.values()} == PROPERTIES.keys() | by_name
    assert not (NOT_YET | READ_ONLY) & PROPERTIES.keys()


@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_null_clears_where_the_property_can_be_cleared(name: str) -> None:
    if PROPERTIES[name].clearable:
        assert asked(with_set(**{name: None})).intent.set == {name: None}
        assert asked({"target": TARGET, "clear": [name]}).intent.set == {name: None}
    else:
        assert faults(with_set(**{name: None})) == {f"/set/{name}": f"{name} cannot be cleared"}
        assert faults({"target": TARGET, "clear": [name]}) == {"/clear/0": f"{name} cannot be cleared"}


RECURRENCE = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "month": 0, "dayOfMonth": 0},
    "range": {"type": "endDate", "startDate": "2026-12-07", "endDate": "2027-03-01", "recurrenceTimeZone": "UTC"},
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("body", {"contentType": "html", "content": "<p>é</p>"}),
        ("categories", ["Red category", "Projekt"]),
        ("categories", []),
        ("end", at("2026-12-01T10:00:00", "Europe/Vienna")),
        ("hideAttendees", True),
        ("importance", "high"),
        ("isOnlineMeeting", True),
        (
            "location",
            {"displayName": "Room 1", "address": {"city": "Wien"}, "coordinates": {"latitude": 48, "longitude": 16.4}},
        ),
        (
            "locations",
            [{"displayName": "Room 1", "locationType": "conferenceRoom", "uniqueId": "x", "uniqueIdType": "private"}],
        ),
        ("onlineMeetingProvider", "teamsForBusiness"),
        ("recurrence", RECURRENCE),
        ("reminderMinutesBeforeStart", 2**31 - 1),
        ("responseRequested", False),
        ("sensitivity", "private"),
        ("showAs", "workingElsewhere"),
        ("start", at("2026-12-01T09:00:00.1234567")),
        ("subject", ""),
    ],
)
def test_a_value_is_kept_as_graph_spells_it(name: str, value: Any) -> None:
    kept = asked(with_set(**{name: value})).intent.set[name]
    if name == "start":
        value = at("2026-12-01T09:00:00")
    assert kept == value


def test_an_attendee_is_kept_without_what_exchange_keeps_itself() -> None:
    read_from_graph = person("anna@x.com", status={"response": "accepted", "time": "0001-01-01T00:00:00Z"})
    kept = asked(with_set(attendees=[read_from_graph])).intent.set["attendees"]
    assert kept == [{"type": "required", "emailAddress": {"address": "anna@x.com"}}]


def test_a_moment_in_utc_is_a_time_in_utc() -> None:
    assert asked(with_set(start="2026-12-01T09:00:00Z")).intent.set["start"] == at("2026-12-01T09:00:00", "UTC")


def test_a_time_without_seconds_gets_them() -> None:
    assert asked(with_set(start=at("2026-12-01T09:00"))).intent.set["start"] == at("2026-12-01T09:00:00")


@pytest.mark.parametrize("fraction", [".5", ".0000000", ".9999999"])
def test_a_fraction_of_a_second_is_cut_off_of_every_time(fraction: str) -> None:
    start, end = at(f"2026-12-01T09:00:00{fraction}"), f"2026-12-01T10:00:00{fraction}Z"
    intent = asked(with_set(start=start, end=end) | {"expect": {"start": start}}).intent
    assert intent.set == {"start": at("2026-12-01T09:00:00"), "end": at("2026-12-01T10:00:00", "UTC")}
    assert intent.expect == {"start": at("2026-12-01T09:00:00")}


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("subject", 5, "/set/subject"),
        ("subject", "bell \x07", "/set/subject"),
        ("reminderMinutesBeforeStart", "5", "/set/reminderMinutesBeforeStart"),
        ("reminderMinutesBeforeStart", 5.0, "/set/reminderMinutesBeforeStart"),
        ("reminderMinutesBeforeStart", True, "/set/reminderMinutesBeforeStart"),
        ("reminderMinutesBeforeStart", -1, "/set/reminderMinutesBeforeStart"),
        ("reminderMinutesBeforeStart", 2**31, "/set/reminderMinutesBeforeStart"),
        ("isAllDay", "true", "/set/isAllDay"),
        ("isAllDay", 1, "/set/isAllDay"),
        ("importance", "High", "/set/importance"),
        ("showAs", "OOF", "/set/showAs"),
        ("body", "text", "/set/body"),
        ("body", {"contentType": "HTML", "content": ""}, "/set/body/contentType"),
        ("body", {"contentType": "text"}, "/set/body/content"),
        ("categories", ["x", ""], "/set/categories/1"),
        ("categories", ["x" * 256], "/set/categories/0"),
        ("categories", "x", "/set/categories"),
        ("attendees", [person("nobody")], "/set/attendees/0/emailAddress/address"),
        ("attendees", [person("a@b.c"), person("d@e.f", type="chair")], "/set/attendees/1/type"),
        ("attendees", [person("a@b.c"), person("A@B.C")], "/set/attendees/1"),
        ("attendees", [person(f"p{n}@b.c") for n in range(501)], "/set/attendees"),
        ("location", {"displayName": "x", "room": 1}, "/set/location/room"),
        ("location", {"displayName": "x", "coordinates": {"latitude": 91}}, "/set/location/coordinates/latitude"),
        ("locations", [{"displayName": ""}], "/set/locations/0/displayName"),
        ("start", at("2026-12-01T09:00:00", "Central Earth Time"), "/set/start/timeZone"),
        ("start", at("2026-12-01T09:00:00", ""), "/set/start/timeZone"),
        ("start", at("2026-12-01T09:00:00+01:00"), "/set/start/dateTime"),
        ("start", at("2026-12-01T09:00:00Z"), "/set/start/dateTime"),
        ("start", at("2026-02-30T09:00:00"), "/set/start/dateTime"),
        ("start", {"dateTime": "2026-12-01T09:00:00"}, "/set/start/timeZone"),
        ("start", "2026-12-01T09:00:00", "/set/start"),
        ("start", "2026-02-30T09:00:00Z", "/set/start"),
        ("recurrence", {**RECURRENCE, "pattern": {"type": "weekly", "interval": 1}}, "/set/recurrence/pattern"),
        ("recurrence", {**RECURRENCE, "pattern": {"type": "daily", "interval": 0}}, "/set/recurrence/pattern/interval"),
        (
            "recurrence",
            {**RECURRENCE, "range": {"type": "endDate", "startDate": "2026-12-07"}},
            "/set/recurrence/range",
        ),
        (
            "recurrence",
            {**RECURRENCE, "range": {"type": "endDate", "startDate": "2026-12-07", "endDate": "2026-12-06"}},
            "/set/recurrence/range",
        ),
        (
            "recurrence",
            {**RECURRENCE, "range": {"type": "noEnd", "startDate": "7.12.26"}},
            "/set/recurrence/range/startDate",
        ),
        ("sub~ject/x", 1, "/set/sub~0ject~1x"),
    ],
)
def test_a_wrong_value_is_pointed_at(name: str, value: Any, pointer: str) -> None:
    assert list(faults(with_set(**{name: value}))) == [pointer]


@pytest.mark.parametrize("name", sorted(READ_ONLY))
def test_what_exchange_keeps_to_itself_is_read_only(name: str) -> None:
    assert faults(with_set(**{name: "x"})) == {f"/set/{name}": f"{name} is read-only"}


@pytest.mark.parametrize("name", sorted(NOT_YET))
def test_what_is_not_there_yet_says_so(name: str) -> None:
    assert faults(with_set(**{name: []})) == {f"/set/{name}": f"{name} is not supported yet"}


@pytest.mark.parametrize("operation", ["set", "append", "remove", "expect"])
def test_an_unknown_property_is_named(operation: str) -> None:
    document = {**SMALLEST, operation: {"colour": "red"}}
    assert faults(document)[f"/{operation}/colour"] == "colour is not a property of an event"


@pytest.mark.parametrize("name", ["extensions", "singleValueExtendedProperties"])
def test_what_holds_many_properties_is_said_to_be_one_that_cannot_be_cleared(name: str) -> None:
    assert faults({"target": TARGET, "clear": [name]}) == {"/clear/0": f"{name} cannot be cleared"}
