"""When two values of a property are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.events import VALUES, at, attendee, events
from workers.event.agreement import agrees, normal_form
from workers.event.properties import (
    OWN_ZONE,
    UNNAMED,
    UNTOLD,
    asks_for_no_zone,
)
from workers.update import Json


def html(content: str) -> Json:
    return {"contentType": "html", "content": content}


def weekly(interval: int, first: str, *days: str) -> Json:
    on = {"daysOfWeek": [*(days or ("friday", "monday"))], "firstDayOfWeek": first}
    return {"pattern": {"type": "weekly", "interval": interval, **on}}


@given(events, st.sampled_from(sorted(VALUES)))
def test_every_value_agrees_with_itself(event: dict[str, Json], name: str) -> None:
    assert agrees(name, event[name], event[name])


@given(events, st.sampled_from(["attendees", "categories", "locations"]), st.randoms())
def test_the_order_of_members_says_nothing(event: dict[str, Json], name: str, random: st.DataObject) -> None:
    shuffled = list(event[name])
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert agrees(name, event[name], shuffled)


@pytest.mark.parametrize(
    ("name", "stands", "asked"),
    [
        ("subject", None, ""),
        ("subject", "", None),
        ("body", None, {"contentType": "text", "content": " \r\n"}),
        ("body", {"contentType": "html", "content": "<html><body></body></html>"}, None),
        ("body", html("<div></div>"), {"contentType": "text", "content": None}),
        ("body", {"contentType": "text", "content": "a\r\nb\r\n"}, {"contentType": "text", "content": "a\nb"}),
        ("body", html("<div>a<br>\r\n<br>\r\nb  c</div>"), {"contentType": "text", "content": "a\n\nb c\r\n"}),
        ("categories", None, []),
        ("attendees", [], None),
        ("attendees", [attendee("Ann", status={"response": "accepted"})], [attendee("ANN")]),
        ("location", {"displayName": "A", "locationType": "default", "uniqueId": "A"}, {"displayName": "A"}),
        ("location", {"displayName": "A"}, {"displayName": "A", "locationType": "conferenceRoom"}),
        (
            "location",
            {"displayName": "A", "locationType": "default"},
            {"displayName": "A", "locationType": "conferenceRoom"},
        ),
        ("location", {"displayName": "", "address": {}}, None),
        ("location", None, {"displayName": ""}),
        ("location", {"displayName": "A", "address": {}}, {"displayName": "A", "address": {"city": None}}),
        ("locations", [{"displayName": " a ", "uniqueId": "x"}], [{"displayName": " a "}]),
        ("start", at(9), {"dateTime": "2026-11-23T09:00:00.0000000", "timeZone": "Europe/Berlin"}),
        ("start", at(9), {"dateTime": "2026-11-23T08:00:00", "timeZone": "UTC"}),
        ("start", at(8, zone="UTC") | {OWN_ZONE: UNTOLD}, at(9)),
        ("start", None, None),
        ("start", at(9, zone="Nowhere"), at(9, zone="Nowhere")),
        ("recurrence", weekly(1, "sunday"), weekly(1, "monday")),
        ("recurrence", weekly(2, "sunday", "friday"), weekly(2, "monday", "friday")),
        ("recurrence", {"range": {"type": "noEnd"}}, {"range": {"type": "noEnd", "recurrenceTimeZone": "Asia/Tokyo"}}),
        (
            "recurrence",
            {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday", "friday"], "month": 0}},
            {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["friday", "monday"]}},
        ),
    ],
)  # fmt: skip
def test_what_exchange_adds_or_respells_is_no_difference(name: str, stands: Json, asked: Json) -> None:
    assert agrees(name, stands, asked)


@pytest.mark.parametrize(
    ("name", "stands", "asked"),
    [
        ("subject", "A", "a"),
        ("subject", "A", None),
        ("isReminderOn", True, False),
        ("isReminderOn", None, False),
        ("reminderMinutesBeforeStart", 15, 0),
        ("reminderMinutesBeforeStart", None, 0),
        ("body", {"contentType": "html", "content": "<p>a</p>"}, {"contentType": "html", "content": "<p>b</p>"}),
        ("body", {"contentType": "text", "content": "a"}, None),
        ("body", html("<p>a</p><p>b</p>"), {"contentType": "text", "content": "a b"}),
        ("body", html('<a href="https://x.example">a</a>'), {"contentType": "text", "content": "a"}),
        ("categories", ["red"], ["red", "blue"]),
        ("categories", ["red", "blue"], ["red"]),
        ("attendees", [attendee("Ann")], [attendee("Ann", "optional")]),
        ("attendees", [attendee("Ann")], None),
        ("location", {"displayName": "A"}, {"displayName": "A", "address": {"city": "Wien"}}),
        ("location", {"displayName": "A"}, {}),
        ("location", {"displayName": "A", "address": {"city": "Wien"}}, {"displayName": "A", "address": {}}),
        ("recurrence", weekly(2, "sunday"), weekly(2, "monday")),
        ("start", at(8, zone="UTC") | {OWN_ZONE: UNTOLD}, at(8)),
        ("start", at(8, zone="UTC") | {OWN_ZONE: UNNAMED}, at(9)),
        ("start", at(8, zone="UTC"), at(9)),
        ("start", at(9), at(9, zone="Pacific Standard Time")),
        ("start", {"dateTime": "2026-11-23T08:00:00", "timeZone": "UTC"}, at(9)),
        ("start", at(9), None),
        ("start", at(9), {"dateTime": "2026-11-23T09:00:00", "timeZone": "Nowhere"}),
        ("recurrence", None, {"pattern": {"type": "daily", "interval": 1}}),
        ("recurrence", {"pattern": {"type": "daily", "interval": 1}}, None),
        (
            "recurrence",
            {"range": {"type": "noEnd", "recurrenceTimeZone": "Pacific Standard Time"}},
            {"range": {"type": "noEnd", "recurrenceTimeZone": "Europe/Vienna"}},
        ),
        (
            "recurrence",
            {"range": {"type": "noEnd", "recurrenceTimeZone": "Nowhere"}},
            {"range": {"type": "noEnd", "recurrenceTimeZone": "Elsewhere"}},
        ),
        ("recurrence", {"pattern": {"daysOfWeek": ["monday"]}}, {"pattern": {"daysOfWeek": ["monday", "friday"]}}),
    ],
)
def test_what_a_person_would_call_a_change_is_one(name: str, stands: Json, asked: Json) -> None:
    assert not agrees(name, stands, asked)


@pytest.mark.parametrize(
    ("stands", "asked"),
    [
        (None, None),
        ({}, {}),
        ({"a": 1, "b": [True, {"c": ""}]}, {"b": [True, {"c": ""}], "a": 1.0}),
        ({"a": 1}, {"a": 1, "b": None}),
        ({"a": 1, "b": None}, {"a": 1}),
        ({"a": "2016-07-30T11:00:00Z"}, {"a": "2016-07-30T11:00:00.000Z"}),
        ({"a": "2016-07-30T11:00:00Z"}, {"a": "2016-07-30T13:00:00+02:00"}),
    ],
)
def test_an_open_extension_that_stands_already_is_no_change(stands: Json, asked: Json) -> None:
    assert agrees("extensions/com.contoso.x", stands, asked)


@pytest.mark.parametrize(
    ("stands", "asked"),
    [
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": 1, "b": None}),
        ({"a": 1}, {"a": 1, "b": ""}),
        (None, {}),
        (None, {"a": ""}),
        ({"a": ""}, None),
        ({}, None),
        ({"a": 0}, {"a": False}),
        ({"a": [1]}, {"a": [True]}),
        ({"a": [1, 2]}, {"a": [1]}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}),
        ({"a": {}}, {"a": []}),
        ({"a": "2016-07-30T11:00:00Z"}, {"a": "2016-07-30T11:00:00"}),
        ({"a": "2016-07-30T11:00:00Z"}, {"a": "2016-07-30T11:00:01Z"}),
        ({"a": "2016-07-30"}, {"a": "20160730"}),
    ],
)
def test_whatever_an_open_extension_would_lose_or_gain_is_a_change(stands: Json, asked: Json) -> None:
    assert not agrees("extensions/com.contoso.x", stands, asked)


FILLED_IN = {"month": 0, "dayOfMonth": 0, "daysOfWeek": [], "firstDayOfWeek": "sunday", "index": "first"}
WITHOUT_END = {"endDate": "0001-01-01", "numberOfOccurrences": 0, "recurrenceTimeZone": "W. Europe Standard Time"}


PATTERNS: list[Json] = [
    {"type": "daily", "interval": 2},
    {"type": "weekly", "interval": 1, "daysOfWeek": ["monday", "friday"], "firstDayOfWeek": "monday"},
    {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 7},
    {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday"], "index": "last"},
    {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 7, "month": 12},
    {"type": "relativeYearly", "interval": 1, "daysOfWeek": ["monday"], "index": "last", "month": 12},
]
SPANS: list[Json] = [
    {"type": "noEnd"},
    {"type": "endDate", "endDate": "2027-12-01"},
    {"type": "numbered", "numberOfOccurrences": 7},
]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("span", SPANS)
def test_what_graph_fills_into_a_recurrence_is_no_difference(pattern: Json, span: Json) -> None:
    bare = {"pattern": pattern, "range": {**span, "startDate": "2026-12-01", "recurrenceTimeZone": "Europe/Vienna"}}
    filled = {"pattern": FILLED_IN | pattern, "range": {"startDate": "2026-12-01"} | WITHOUT_END | span}
    assert agrees("recurrence", filled, bare)
    assert agrees("recurrence", bare, filled)
    assert normal_form("recurrence", filled) == normal_form("recurrence", bare)


OTHERWISE = {"interval": 3, "daysOfWeek": ["tuesday"], "dayOfMonth": 8, "month": 11, "index": "second"}
OTHERWISE |= {"startDate": "2026-12-08", "endDate": "2027-12-08", "numberOfOccurrences": 8}


@pytest.mark.parametrize(
    ("pattern", "span", "part", "name"),
    [
        (pattern, {**span, "startDate": "2026-12-01"}, part, name)
        for pattern in PATTERNS
        for span in SPANS
        for part, said in (("pattern", pattern), ("range", {**span, "startDate": "2026-12-01"}))
        for name in sorted(said.keys() & OTHERWISE.keys())
    ],
)
def test_what_is_said_otherwise_of_a_recurrence_is_a_change(pattern: Json, span: Json, part: str, name: str) -> None:
    one = {"pattern": pattern, "range": span}
    other = {**one, part: {**one[part], name: OTHERWISE[name]}}
    assert not agrees("recurrence", one, other)
    assert normal_form("recurrence", one) != normal_form("recurrence", other)


def test_what_a_recurrence_leaves_out_means_graphs_default() -> None:
    pattern = {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday"]}
    for left_out in (pattern, pattern | {"index": None}):
        assert agrees("recurrence", {"pattern": left_out}, {"pattern": pattern | {"index": "first"}})
    assert not agrees("recurrence", {"pattern": pattern | {"index": "last"}}, {"pattern": pattern})


def test_who_does_not_say_on_which_day_the_week_begins_does_not_mind() -> None:
    pattern = {"type": "weekly", "interval": 2, "daysOfWeek": ["monday", "friday"]}
    monday, sunday = ({"pattern": pattern | {"firstDayOfWeek": day}} for day in ("monday", "sunday"))
    assert agrees("recurrence", {"pattern": pattern}, sunday) and not agrees("recurrence", {"pattern": pattern}, monday)
    assert agrees("recurrence", monday, {"pattern": pattern})


@pytest.mark.parametrize("name", ["UTC", "utc", "Etc/UTC", "GMT", "Zulu", "tzone://Microsoft/Utc"])
def test_a_moment_in_utc_asks_for_no_zone_whatever_utc_is_called(name: str) -> None:
    assert asks_for_no_zone(at(8, zone=name))
    assert agrees("start", at(9), at(8, zone=name))


def test_the_time_of_london_is_no_utc_even_in_winter() -> None:
    assert not asks_for_no_zone(at(8, zone="Europe/London"))
    assert not agrees("start", at(9), at(8, zone="GMT Standard Time"))
