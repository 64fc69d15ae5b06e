import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.event.properties import OWN_ZONE, UNNAMED
from workers.exchange import EXCEPTIONS, MARKER_ID, MARKER_LENGTH, Patch, Refused
from workers.graph.instances import MASTER, windows_around
from workers.graph.resources import PROPERTIES, GraphEvent, Unreadable, patch_body, query, read_event

SCHEMAS = Path(__file__).resolve().parents[3] / "../shared/reference/graph/v1.0-schemas.json"

ANNA = {"emailAddress": {"address": "anna@contoso.com", "name": "Anna"}}
ALISA = {"type": "required", "emailAddress": {"address": "alisa@contoso.com", "name": "Alisa"}}
NINE = {"dateTime": "2026-12-01T09:00:00", "timeZone": "Pacific Standard Time"}
VALUES: dict[str, Any] = {
    "attendees": [ALISA],
    "body": {"contentType": "html", "content": "<p>Grüße</p>"},
    "categories": ["Red category"],
    "end": NINE,
    "hideAttendees": False,
    "importance": "high",
    "isAllDay": False,
    "isOnlineMeeting": True,
    "isReminderOn": True,
    "location": {"displayName": "4567 Contoso Way", "address": {"city": "Redmond"}},
    "locations": [{"displayName": "Room 1"}, {"displayName": "Room 2", "locationType": "conferenceRoom"}],
    "onlineMeetingProvider": "teamsForBusiness",
    "recurrence": {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
        "range": {"type": "endDate", "startDate": "2026-12-01", "endDate": "2027-12-01"},
    },
    "reminderMinutesBeforeStart": 99,
    "responseRequested": True,
    "sensitivity": "private",
    "showAs": "oof",
    "start": NINE,
    "subject": "Team building exercise has moved!",
}


STANDS = GraphEvent("AAMk1", 'W/"1"', False, (), {"subject": "old"})


def answer(**changes: Any) -> bytes:
    document = {"id": "AAMk1", "@odata.etag": 'W/"1"', "changeKey": "1", "organizer": ANNA, "attendees": []}
    return json.dumps(document | changes).encode()


def patch(changes: dict[str, Any], marker: tuple[str, ...] = ("upd_2", "upd_1")) -> Patch:
    return Patch(changes=changes, invitations="sendToAllAndSaveCopy", marker=marker)


def check_schema(body: Any) -> None:
    """The event schema, with no property that it does not name."""
    schemas = json.loads(SCHEMAS.read_text())
    jsonschema.Draft202012Validator(
        {**schemas, "$ref": "#/$defs/event", "unevaluatedProperties": False},
        format_checker=jsonschema.FormatChecker(),
    ).validate(body)


def test_the_table_is_the_documented_one() -> None:
    assert list(PROPERTIES) == list(VALUES)
    assert list(PROPERTIES) == sorted(PROPERTIES, key=str)


@pytest.mark.skipif(not SCHEMAS.is_file(), reason="the reference material is not beside this checkout")
@pytest.mark.parametrize("name", VALUES)
def test_every_property_goes_out_as_the_schema_wants_it(name: str) -> None:
    body = json.loads(patch_body(patch({name: VALUES[name]}), STANDS))
    check_schema(body)
    assert body[name] == VALUES[name]


@pytest.mark.skipif(not SCHEMAS.is_file(), reason="the reference material is not beside this checkout")
@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("attendees", []),
        ("body", {"contentType": "text", "content": ""}),
        ("categories", []),
        ("location", {"displayName": ""}),
        ("locations", []),
        ("recurrence", None),
        ("subject", ""),
    ],
)
def test_null_unsets_what_can_be_unset(name: str, wire: Any) -> None:
    body = json.loads(patch_body(patch({name: None}), STANDS))
    check_schema(body)
    assert body[name] == wire


CLEARABLE = {"attendees", "body", "categories", "location", "locations", "recurrence", "subject"}


@pytest.mark.parametrize("name", sorted(VALUES.keys() - CLEARABLE))
def test_null_is_refused_where_there_is_always_a_value(name: str) -> None:
    with pytest.raises(Refused, match=f"^PropertyNotClearable: {name}:"):
        patch_body(patch({name: None}), STANDS)


@pytest.mark.parametrize("name", ["iCalUId", "transactionId", "isCancelled", "extensions", "nonsense"])
def test_what_graph_cannot_write_is_refused_by_name(name: str) -> None:
    with pytest.raises(Refused, match=f"^PropertyNotWritable: {name}:"):
        patch_body(patch({"subject": "x", name: "y"}), STANDS)


@pytest.mark.parametrize("value", ["\ud800", float("nan")])
def test_what_json_cannot_hold_is_refused_by_name(value: Any) -> None:
    with pytest.raises(Refused, match=r"^InvalidValue: subject:"):
        patch_body(patch({"subject": value}), STANDS)


def test_attendees_go_alone_with_the_marker() -> None:
    assert json.loads(patch_body(patch({"attendees": [ALISA]}), STANDS)) == {
        "attendees": [ALISA],
        "singleValueExtendedProperties": [{"id": MARKER_ID, "value": "upd_2 upd_1"}],
    }


def test_a_zone_goes_out_under_its_windows_name() -> None:
    vienna = {"dateTime": "2026-12-01T09:00:00", "timeZone": "Europe/Vienna"}
    body = json.loads(patch_body(patch({"start": vienna, "end": vienna}), STANDS))
    assert {body["start"]["timeZone"], body["end"]["timeZone"]} == {"W. Europe Standard Time"}


def test_the_second_of_two_hours_goes_out_in_utc_because_graph_takes_a_wall_clock_for_the_first() -> None:
    twice = {"dateTime": "2026-10-25T02:30:00+01:00", "timeZone": "W. Europe Standard Time"}
    assert json.loads(patch_body(patch({"start": twice}), STANDS))["start"] == {
        "dateTime": "2026-10-25T01:30:00",
        "timeZone": "UTC",
    }


def test_what_only_we_say_of_a_time_does_not_go_out() -> None:
    told = {"dateTime": "2026-12-01T09:00:00", "timeZone": "UTC"}
    assert json.loads(patch_body(patch({"start": told | {OWN_ZONE: UNNAMED}}), STANDS))["start"] == told


def test_a_zone_that_nobody_knows_is_left_to_graph() -> None:
    odd = {"dateTime": "2026-12-01T09:00:00", "timeZone": "Greenwich Mean Time"}
    assert json.loads(patch_body(patch({"start": odd}), STANDS))["start"] == odd


def test_a_read_asks_for_no_more_than_it_needs() -> None:
    asked = parse_qs(query(["subject"]), strict_parsing=True)
    assert asked == {
        "$select": ["id,changeKey,createdDateTime,attendees,organizer,seriesMasterId,originalStart,subject"],
        "$expand": [f"singleValueExtendedProperties($filter=id eq '{MARKER_ID}')"],
    }


@pytest.mark.skipif(not SCHEMAS.is_file(), reason="the reference material is not beside this checkout")
def test_nothing_is_asked_for_that_an_event_has_not() -> None:
    definitions = json.loads(SCHEMAS.read_text())["$defs"]
    parts = (*definitions["event"]["allOf"], *definitions["outlookItem"]["allOf"], definitions["entity"])
    known = {name for part in parts for name in part.get("properties", {})}
    asked = parse_qs(query([*PROPERTIES, EXCEPTIONS, "extensions/x"]), strict_parsing=True)
    master, window = parse_qs(MASTER), parse_qs(windows_around(datetime(2026, 12, 1, tzinfo=UTC))[0].query())
    for selected in (*asked["$select"], *master["$select"], *window["$select"]):
        assert set(selected.split(",")) <= known
    assert set(re.findall(r"(\w+)\(", asked["$expand"][0])) == {
        "singleValueExtendedProperties", "extensions", EXCEPTIONS,
    }  # fmt: skip
    assert {"singleValueExtendedProperties", "extensions", EXCEPTIONS} <= known


def test_a_read_of_times_asks_for_the_own_zones() -> None:
    assert "isAllDay,originalStartTimeZone,originalEndTimeZone,recurrence,start" in query(["start"])


def test_a_query_spells_a_space_as_odata_wants_it() -> None:
    assert "+" not in query(["subject"])
    assert "id%20eq%20'String%20%7B" in query(["subject"])


def test_an_event_is_read() -> None:
    marker = {"id": MARKER_ID.replace("8f9c", "8F9C"), "value": "upd_2 upd_1"}
    event = read_event(answer(subject="x", singleValueExtendedProperties=[marker]), ["subject", "attendees"])
    assert event == GraphEvent("AAMk1", 'W/"1"', False, ("upd_2", "upd_1"), {"subject": "x", "attendees": []})


def test_when_an_event_was_created_and_was_to_start_is_read_if_graph_says_so() -> None:
    told = read_event(answer(createdDateTime="2026-11-21T09:00:00.1234567Z", originalStart="2026-12-21T09:00:00Z"), [])
    assert told.created == datetime(2026, 11, 21, 9, 0, 0, 123456, UTC)
    assert told.original == datetime(2026, 12, 21, 9, tzinfo=UTC)


@pytest.mark.parametrize("told", [None, "", "yesterday", "2026-11-21T09:00:00", 1, {}])
def test_an_event_can_be_read_though_graph_does_not_say_when_it_was_created(told: Any) -> None:
    assert read_event(answer(createdDateTime=told), []).created is None


def test_somebody_elses_extended_property_is_no_marker() -> None:
    other = {"id": "String {00000000-0000-0000-0000-000000000000} Name x", "value": "upd_1"}
    assert read_event(answer(singleValueExtendedProperties=[other]), []).marker == ()


def test_of_a_marker_that_somebody_stuffed_only_so_much_is_read_as_we_write() -> None:
    stuffed = {"id": MARKER_ID, "value": "upd_1 " * 100_000}
    assert read_event(answer(singleValueExtendedProperties=[stuffed]), []).marker == ("upd_1",) * MARKER_LENGTH


def test_an_answer_without_the_marker_keeps_the_one_that_was_written() -> None:
    assert read_event(answer(), [], ("upd_1",)).marker == ("upd_1",)


SHOUTED = {"emailAddress": {"address": ANNA["emailAddress"]["address"].upper()}}


@pytest.mark.parametrize(
    ("attendees", "is_meeting"),
    [([], False), (None, False), ([ANNA], False), ([SHOUTED], False), ([ALISA], True), ([ANNA, ALISA], True)],
)
def test_it_is_a_meeting_when_somebody_besides_the_organizer_is_invited(attendees: Any, is_meeting: bool) -> None:
    assert read_event(answer(attendees=attendees), []).is_meeting is is_meeting


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("subject", ""),
        ("body", {"contentType": "html", "content": ""}),
        ("location", {"displayName": "", "locationType": "default", "address": {}, "coordinates": {}}),
        ("location", {"displayName": "", "locationType": "default", "address": {"street": "", "city": ""}}),
        ("recurrence", None),
        ("start", None),
    ],
)
def test_what_is_not_set_is_none(name: str, wire: Any) -> None:
    assert read_event(answer(**{name: wire}), [name]).properties == {name: None}


@pytest.mark.parametrize(
    "place",
    [
        {"displayName": "", "coordinates": {"latitude": 48.2, "longitude": 16.4}},
        {"displayName": "", "locationEmailAddress": "room@contoso.com"},
    ],
)
def test_a_place_without_a_name_is_a_place(place: Any) -> None:
    assert read_event(answer(location=place), ["location"]).properties == {"location": place}


@pytest.mark.parametrize(("name", "wire"), [("categories", None), ("locations", [{"displayName": ""}])])
def test_an_empty_collection_is_empty(name: str, wire: Any) -> None:
    assert read_event(answer(**{name: wire}), [name]).properties == {name: []}


def times(zone: str | None, start: str, given: str = "UTC", **more: Any) -> Any:
    document = {"start": {"dateTime": start, "timeZone": given}, "originalStartTimeZone": zone, **more}
    return read_event(answer(**document), ["start"]).properties["start"]


@pytest.mark.parametrize(
    ("zone", "start", "wall", "named"),
    [
        ("Pacific Standard Time", "2026-12-01T17:00:00.0000000", "2026-12-01T09:00:00", "Pacific Standard Time"),
        ("America/Los_Angeles", "2026-07-01T16:00:00.1234567", "2026-07-01T09:00:00", "Pacific Standard Time"),
        ("W. Europe Standard Time", "2026-10-25T01:30:00", "2026-10-25T02:30:00+01:00", "W. Europe Standard Time"),
        (None, "2026-12-01T17:00:00.0000000", "2026-12-01T17:00:00", "UTC"),
    ],
)
def test_a_time_is_read_in_the_events_own_zone(zone: str | None, start: str, wall: str, named: str) -> None:
    assert times(zone, start) == {"dateTime": wall, "timeZone": named}


def test_a_time_in_a_zone_without_a_name_is_read_in_utc_and_says_so() -> None:
    custom, utc = "tzone://Microsoft/Custom", {"dateTime": "2026-12-01T17:00:00", "timeZone": "UTC"}
    assert times(custom, utc["dateTime"]) == utc | {OWN_ZONE: UNNAMED}
    assert times(custom, "2026-12-01T00:00:00", isAllDay=True) == utc | {"dateTime": "2026-12-01T00:00:00"}, "a date"


def test_an_answer_in_another_zone_than_asked_for_is_read_all_the_same() -> None:
    read = times("W. Europe Standard Time", "2026-12-01T09:00:00", "Pacific Standard Time")
    assert read == {"dateTime": "2026-12-01T18:00:00", "timeZone": "W. Europe Standard Time"}


def test_a_time_already_in_its_own_zone_is_left_alone_even_where_clocks_skip_it() -> None:
    skipped = {"dateTime": "2026-03-08T02:30:00", "timeZone": "Pacific Standard Time"}
    assert times("America/Los_Angeles", skipped["dateTime"], "Pacific Standard Time") == skipped


@pytest.mark.parametrize("start", ["2026-12-01T00:00:00.0000000", "2026-12-01T08:00:00.0000000"])
def test_a_whole_day_begins_at_midnight_however_graph_tells_it(start: str) -> None:
    read = times("Pacific Standard Time", start, isAllDay=True)
    assert read == {"dateTime": "2026-12-01T00:00:00", "timeZone": "Pacific Standard Time"}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>sign in</html>", b"[]", b"null", b"{}", b'{"id": 1}', b'{"id": "x"}',
        answer(**{"@odata.etag": 'W/"\n"'}), answer(attendees=7), answer(singleValueExtendedProperties=[{}]),
        answer(start={"dateTime": "noon"}), answer(start={"dateTime": "2026-12-01T09:00:00Z"}),
        answer(start={"dateTime": "0001-01-01T00:00:00"}, originalStartTimeZone="Pacific Standard Time"),
    ],
)  # fmt: skip
def test_what_is_no_event_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_event(body, ["start"])


def test_the_change_key_stands_in_for_a_missing_etag() -> None:
    assert read_event(answer(**{"@odata.etag": None}), []).version == 'W/"1"'


def test_a_property_outside_the_table_can_be_read() -> None:
    assert read_event(answer(type="seriesMaster"), ["type"]).properties == {"type": "seriesMaster"}


@given(st.lists(st.from_regex(r"upd_[0-9A-Z]{26}", fullmatch=True), min_size=1, max_size=MARKER_LENGTH))
def test_a_marker_written_is_the_marker_read(ids: list[str]) -> None:
    body = json.loads(patch_body(patch({}, tuple(ids)), STANDS))
    assert read_event(answer(**body), []).marker == tuple(ids)


_ZONES = st.sampled_from(["Pacific Standard Time", "W. Europe Standard Time", "India Standard Time", "UTC"])
_VALUES = {
    "subject": st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    "categories": st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
    "location": st.fixed_dictionaries({"displayName": st.text("abc ä", min_size=1)}),
    "attendees": st.lists(st.sampled_from([ALISA, ANNA | {"type": "optional"}])),
    "importance": st.sampled_from(["low", "normal", "high"]),
    "reminderMinutesBeforeStart": st.integers(0, 2**31 - 1),
    "isReminderOn": st.booleans(),
    "start": st.builds(
        lambda wall, zone: {"dateTime": wall.isoformat(timespec="seconds"), "timeZone": zone},
        st.datetimes().map(lambda wall: wall.replace(microsecond=0)),
        _ZONES,
    ),
}


@given(st.fixed_dictionaries({}, optional=_VALUES))
def test_what_was_written_is_what_is_read(changes: dict[str, Any]) -> None:
    wire = json.loads(patch_body(patch(changes), STANDS))
    own_zone = wire.get("start", {}).get("timeZone")
    event = read_event(answer(**{**wire, "originalStartTimeZone": own_zone}), changes)
    assert event.properties == changes
