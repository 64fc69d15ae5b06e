from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from tzlocal.windows_tz import win_tz

from tests.workers.ews.reference import assert_valid_body, needs_reference
from workers.event.agreement import agrees
from workers.event.properties import OWN_ZONE, PROPERTIES, UNNAMED, UNTOLD
from workers.event.zones import instant
from workers.ews.change import Change
from workers.ews.fields import FIELDS, VERSIONS, known
from workers.ews.soap import element, parse


def applied(changes: list[Change]) -> etree._Element:
    """A CalendarItem as it is after these changes, once over the wire."""
    values = [change.value for change in changes if change.value is not None]
    return parse(etree.tostring(element("t:CalendarItem", *values)))


def there_and_back(name: str, value: Any) -> Any:
    return FIELDS[name].read(applied(FIELDS[name].write(value, None)))


text = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=40)
wall = st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)).map(lambda at: at.isoformat(timespec="seconds"))
times = st.fixed_dictionaries({"dateTime": wall, "timeZone": st.sampled_from(sorted(win_tz))})

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "subject": text,
    "sensitivity": st.sampled_from(["normal", "personal", "private", "confidential"]),
    "body": st.fixed_dictionaries({"contentType": st.sampled_from(["text", "html"]), "content": text}),
    "categories": st.lists(text, max_size=4),
    "importance": st.sampled_from(["low", "normal", "high"]),
    "isReminderOn": st.booleans(),
    "reminderMinutesBeforeStart": st.integers(0, 2629800),
    "isAllDay": st.booleans(),
    "showAs": st.sampled_from(["free", "tentative", "busy", "oof", "workingElsewhere", "unknown"]),
    "location": st.none() | st.fixed_dictionaries({"displayName": text.filter(bool)}),
    "responseRequested": st.booleans(),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_survives_exchange(name: str) -> None:
    @given(VALUES[name])
    def survives(value: Any) -> None:
        assert there_and_back(name, value) == value

    survives()


@pytest.mark.parametrize("name", ["start", "end"])
@given(value=times)
def test_a_time_survives_exchange(name: str, value: Any) -> None:
    back = there_and_back(name, value)
    assert back["timeZone"] == value["timeZone"]
    assert instant(back["dateTime"], back["timeZone"]) == instant(value["dateTime"], value["timeZone"])


def test_the_table_has_every_property_that_ews_can_write_and_no_other() -> None:
    assert set(FIELDS) == {name for name, prop in PROPERTIES.items() if prop.ews}


@pytest.mark.parametrize("name", [name for name in PROPERTIES if name in FIELDS])
def test_what_can_be_cleared_is_unset_and_reads_as_nothing(name: str) -> None:
    if PROPERTIES[name].clearable:
        changes = FIELDS[name].write(None, None)
        assert changes
        assert all(change.value is None for change in changes)
        assert not FIELDS[name].read(applied(changes))
    else:
        with pytest.raises(ValueError):
            FIELDS[name].write(None, None)


@pytest.mark.parametrize("name", FIELDS)
def test_an_unset_property_reads_as_nothing(name: str) -> None:
    assert FIELDS[name].read(applied([])) == ([] if name in ("categories", "attendees") else None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sensitivity", "secret"),
        ("showAs", "OOF"),
        ("importance", None),
        ("isAllDay", "true"),
        ("isReminderOn", 1),
        ("reminderMinutesBeforeStart", -1),
        ("reminderMinutesBeforeStart", 2629801),
        ("reminderMinutesBeforeStart", True),
        ("reminderMinutesBeforeStart", 1.5),
        ("body", {"contentType": "rtf", "content": "x"}),
        ("location", {"displayName": "Room", "locationEmailAddress": "room@contoso.com"}),
        ("location", {"displayName": "Room", "coordinates": {"latitude": "north"}}),
        ("location", {"displayName": "Room", "coordinates": {"latitude": float("nan")}}),
        ("start", {"dateTime": "2026-12-01T09:00:00", "timeZone": "Mars/Olympus"}),
        ("start", {"dateTime": "2026-12-01T09:00:00Z", "timeZone": "UTC"}),
        ("start", {"dateTime": "soon", "timeZone": "UTC"}),
        ("subject", "a\0b"),
        ("body", {"contentType": "text", "content": "\ud800"}),
        ("categories", ["a\x01"]),
        ("location", {"displayName": "\x0b"}),
        ("attendees", [{"type": "guest", "emailAddress": {"address": "a@b.c"}}]),
        ("attendees", [{"type": "required", "emailAddress": {"address": None, "name": "My friends"}}]),
    ],
)
def test_what_exchange_cannot_hold_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError):
        FIELDS[name].write(value, None)


def test_what_graph_says_of_an_empty_place_is_no_loss() -> None:
    plain = {"displayName": "Room", "locationType": "default", "uniqueId": "Room", "address": {"city": None}}
    assert there_and_back("location", plain) == {"displayName": "Room"}


def test_an_iana_zone_is_sent_by_its_windows_name_and_as_a_moment() -> None:
    written = FIELDS["start"].write({"dateTime": "2026-07-01T09:00:00", "timeZone": "Europe/Vienna"}, None)
    assert [change.uri for change in written] == ["calendar:StartTimeZone", "calendar:Start"]
    zone, start = (change.value for change in written)
    assert zone is not None and zone.get("Id") == "W. Europe Standard Time"
    assert start is not None and start.text == "2026-07-01T07:00:00Z"


def test_the_second_of_two_hours_is_sent_as_the_moment_that_it_is() -> None:
    value = {"dateTime": "2026-10-25T02:30:00+01:00", "timeZone": "W. Europe Standard Time"}
    zone, start = (change.value for change in FIELDS["start"].write(value, None))
    assert zone is not None and zone.get("Id") == "W. Europe Standard Time"
    assert start is not None and start.text == "2026-10-25T01:30:00Z"


@pytest.mark.parametrize(
    ("start", "zone", "expected"),
    [
        ("2026-12-01T17:00:00Z", "Pacific Standard Time", ("2026-12-01T09:00:00", "Pacific Standard Time")),
        ("2026-12-01T17:00:00.0000000Z", "Pacific Standard Time", ("2026-12-01T09:00:00", "Pacific Standard Time")),
        ("2026-12-01T09:00:00-08:00", "Pacific Standard Time", ("2026-12-01T09:00:00", "Pacific Standard Time")),
        ("2026-12-01T09:00:00", "Pacific Standard Time", ("2026-12-01T09:00:00", "Pacific Standard Time")),
        ("2026-10-25T00:30:00Z", "W. Europe Standard Time", ("2026-10-25T02:30:00", "W. Europe Standard Time")),
        ("2026-10-25T01:30:00Z", "W. Europe Standard Time", ("2026-10-25T02:30:00+01:00", "W. Europe Standard Time")),
        ("2026-12-01T17:00:00Z", "tzone://Microsoft/Utc", ("2026-12-01T17:00:00", "UTC")),
        ("2026-12-01T17:00:00Z", "Customized Time Zone", ("2026-12-01T17:00:00", "UTC", UNNAMED)),
        ("2026-12-01T17:00:00Z", None, ("2026-12-01T17:00:00", "UTC", UNTOLD)),
    ],
)
def test_a_moment_is_shown_in_the_events_own_zone(start: str, zone: str | None, expected: tuple[str, ...]) -> None:
    zone_element = None if zone is None else element("t:StartTimeZone", Id=zone)
    item = element("t:CalendarItem", element("t:Start", start), zone_element)
    assert FIELDS["start"].read(item) == dict(zip(("dateTime", "timeZone", OWN_ZONE), expected, strict=False))


def test_hours_that_begin_where_midnight_is_left_out_begin_at_one() -> None:
    zone = element("t:StartTimeZone", Id="Egypt Standard Time")
    item = element(
        "t:CalendarItem", element("t:Start", "2026-04-23T22:00:00Z"), element("t:IsAllDayEvent", "false"), zone
    )
    assert FIELDS["start"].read(item)["dateTime"] == "2026-04-24T01:00:00"


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("Egypt Standard Time", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"),
        ("Pacific SA Standard Time", "2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z"),
        ("Azores Standard Time", "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"),
    ],
    ids=["begins with no midnight", "ends with no midnight", "begins with two"],
)
@pytest.mark.parametrize(("all_day", "hours"), [("true", {"00:00:00"}), ("false", {"00:00:00", "01:00:00"})])
def test_whole_days_go_from_midnight_to_midnight_also_where_there_is_none(
    zone: str, start: str, end: str, all_day: str, hours: set[str]
) -> None:
    zones = (element("t:StartTimeZone", Id=zone), element("t:EndTimeZone", Id=zone))
    times = (element("t:Start", start), element("t:End", end))
    item = element("t:CalendarItem", *times, element("t:IsAllDayEvent", all_day), *zones)
    for name, moment in (("start", start), ("end", end)):
        value = FIELDS[name].read(item)
        assert value["dateTime"][11:] in hours
        written = FIELDS[name].write(value, None)[-1].value
        assert written is not None and written.text == moment


def test_an_end_without_a_zone_of_its_own_is_in_that_of_the_start() -> None:
    item = element(
        "t:CalendarItem",
        element("t:End", "2026-12-01T17:00:00Z"),
        element("t:StartTimeZone", Id="Pacific Standard Time"),
    )
    assert FIELDS["end"].read(item)["timeZone"] == "Pacific Standard Time"


def test_a_word_that_graph_does_not_know_is_unknown() -> None:
    item = element("t:CalendarItem", element("t:LegacyFreeBusyStatus", "Elsewhere"))
    assert FIELDS["showAs"].read(item) == "unknown"


def test_exchange_2007_has_no_zone_fields() -> None:
    assert [known("calendar:StartTimeZone", version) for version in VERSIONS[:2]] == [False, True]
    assert all(known("calendar:Start", version) for version in VERSIONS)


@needs_reference
@pytest.mark.parametrize("name", VALUES)
def test_every_element_is_valid_by_microsofts_schema(name: str) -> None:
    @given(VALUES[name])
    def valid(value: Any) -> None:
        assert_valid_body(_update(FIELDS[name].write(value, None)))

    valid()


def _update(changes: list[Change]) -> etree._Element:
    updates = element("t:Updates", *(change.render() for change in changes))
    change = element("t:ItemChange", element("t:ItemId", Id="AAMk="), updates)
    return element("m:UpdateItem", element("m:ItemChanges", change), ConflictResolution="NeverOverwrite")


@given(value=VALUES["location"] | st.just({"displayName": ""}))
def test_what_is_read_back_agrees_with_what_was_asked(value: Any) -> None:
    assert agrees("location", there_and_back("location", value), value)
