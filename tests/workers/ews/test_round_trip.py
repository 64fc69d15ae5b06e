"""Any event and any valid change, through a whole Exchange: what was asked is so, and nothing else has changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.sandbox.control import Sandbox
from tests.workers.ews.test_attendees import people
from tests.workers.ews.test_fields import VALUES
from tests.workers.ews.test_location import places
from tests.workers.ews.test_recurrence import patterns
from workers.event.agreement import agrees
from workers.event.patch import Changes, plan
from workers.event.properties import EXTENDED, TIMES
from workers.ews.exchange import EwsExchange
from workers.ews.fields import FIELDS
from workers.exchange import Event, Patch
from workers.update import Intent, Target

OTTO = "otto@hq.example"
GUID = "8f9c2d5e-6c1b-4f0a-9d3b-5a7e1c0b4d26"
EXTRAS: dict[str, st.SearchStrategy[Any]] = {
    f"{EXTENDED}String {{{GUID}}} Name cost-centre": st.none() | st.text("abc 123", min_size=1, max_size=8),
    f"{EXTENDED}Integer {{00062002-0000-0000-c000-000000000046}} Id 0x8214": st.none() | st.integers(-9, 9).map(str),
    f"{EXTENDED}Boolean 0x1234": st.none() | st.sampled_from(["true", "false"]),
}
ZONES = ["Pacific Standard Time", "W. Europe Standard Time", "India Standard Time", "UTC"]
ALL = (*FIELDS, *EXTRAS)


@st.composite
def occasions(draw: st.DrawFn) -> dict[str, Any]:
    """Start, end, whether it is all day, and how it repeats: they mean something only together."""
    zone, all_day = draw(st.sampled_from(ZONES)), draw(st.booleans())
    start = draw(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(microsecond=0)))
    length = timedelta(minutes=draw(st.integers(200, 5000)))
    if all_day:
        start, length = start.replace(hour=0, minute=0, second=0), timedelta(days=draw(st.integers(1, 3)))
    times = {"start": start, "end": start + length}
    return {
        **{name: {"dateTime": at.isoformat(), "timeZone": zone} for name, at in times.items()},
        "isAllDay": all_day,
        "recurrence": draw(st.none() | series(start.date())),
    }


def series(first: date) -> st.SearchStrategy[Any]:
    day = {"startDate": first.isoformat()}
    spans = st.sampled_from([
        {"type": "noEnd", **day},
        {"type": "numbered", "numberOfOccurrences": 7, **day},
        {"type": "endDate", "endDate": (first + timedelta(days=90)).isoformat(), **day},
    ])  # fmt: skip
    return st.fixed_dictionaries({"pattern": patterns, "range": spans})


plain = VALUES | EXTRAS | {"location": st.none() | places, "attendees": people}
del plain["isAllDay"]
whole = st.builds(lambda values, when: values | when, st.fixed_dictionaries(plain), occasions())
some = st.builds(
    lambda values, when: values | when, st.fixed_dictionaries({}, optional=plain), st.just({}) | occasions()
)


def changed(ours: EwsExchange, target: Target, changes: Mapping[str, Any]) -> tuple[Event, Event]:
    """The event before and after."""
    before = ours.read(target, ALL)
    planned = plan(Intent(set=changes), before.properties, None, "autoResolve")
    assert isinstance(planned, Changes)
    if planned.values:
        marker = ("upd_1", *before.marker)
        written = ours.write(target, before, Patch(planned.values, "sendToNone", marker))
        assert written.event is not None
        assert all(agrees(name, written.event.properties[name], value) for name, value in planned.values.items())
        assert written.event.marker == marker
    return before, ours.read(target, ALL)


def kept(value: Any) -> Any:
    """A series is shown in the zone of its start, which may be what changed."""
    if isinstance(value, dict) and "range" in value:
        return value | {
            "range": {name: inner for name, inner in value["range"].items() if name != "recurrenceTimeZone"}
        }
    return value


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=whole, changes=some)
def test_what_was_asked_is_so_and_nothing_else_has_changed(
    sandbox: Sandbox, ours: EwsExchange, event: dict[str, Any], changes: dict[str, Any]
) -> None:
    target = Target(backend="hq", event=sandbox.create_event(OTTO).id, mailbox=OTTO)
    for asked in (event, changes):
        before, after = changed(ours, target, asked)
        for name in ALL:
            if name in asked:
                assert agrees(name, after.properties[name], asked[name]), name
            else:
                assert kept(after.properties[name]) == kept(before.properties[name]), name


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=whole)
def test_what_is_so_already_is_no_change(sandbox: Sandbox, ours: EwsExchange, event: dict[str, Any]) -> None:
    target = Target(backend="hq", event=sandbox.create_event(OTTO).id, mailbox=OTTO)
    changed(ours, target, event)
    before, after = changed(ours, target, event)
    assert after.version == before.version


def test_a_place_with_details_is_what_graph_shows(sandbox: Sandbox, ours: EwsExchange) -> None:
    target = Target(backend="hq", event=sandbox.create_event(OTTO).id, mailbox=OTTO)
    place = {"displayName": "Office", "address": {"city": "Wien"}, "coordinates": {"latitude": 48.25}}
    changed(ours, target, {"location": place})
    assert sandbox.event(target.event).properties["location"] == place


def test_a_graph_id_names_the_same_event(sandbox: Sandbox, ours: EwsExchange) -> None:
    seen = sandbox.create_event(OTTO, {"subject": "Lunch"})
    event = ours.read(Target(backend="hq", event=seen.graph_id, mailbox=OTTO), ["subject"])
    assert (event.id, event.properties["subject"]) == (seen.id, "Lunch")


@pytest.mark.parametrize(
    ("wall", "zone", "expected"),
    [
        ("2027-03-28T02:30:00", "Europe/Vienna", "2027-03-28T03:30:00"),
        ("2026-10-25T02:30:00", "Europe/Vienna", "2026-10-25T02:30:00"),
        ("2027-03-14T02:30:00", "Pacific Standard Time", "2027-03-14T03:30:00"),
    ],
)
def test_a_time_that_never_happens_or_happens_twice_is_one_moment(
    sandbox: Sandbox, ours: EwsExchange, wall: str, zone: str, expected: str
) -> None:
    target = Target(backend="hq", event=sandbox.create_event(OTTO).id, mailbox=OTTO)
    times = {name: {"dateTime": wall, "timeZone": zone} for name in TIMES}
    _, after = changed(ours, target, times)
    assert after.properties["start"]["dateTime"] == expected
    assert all(agrees(name, after.properties[name], value) for name, value in times.items())


FILLED_IN = {"month": 0, "dayOfMonth": 0, "daysOfWeek": [], "index": "first", "firstDayOfWeek": "sunday"}
NINE = {"dateTime": "2026-12-01T09:00:00", "timeZone": "W. Europe Standard Time"}
TEN = {"dateTime": "2026-12-01T10:00:00", "timeZone": "W. Europe Standard Time"}


def a_series(sandbox: Sandbox, ours: EwsExchange) -> Target:
    target = Target(backend="hq", event=sandbox.create_event(OTTO).id, mailbox=OTTO)
    span = {"type": "noEnd", "startDate": "2026-12-01", "endDate": "0001-01-01", "recurrenceTimeZone": "Europe/Vienna"}
    daily = {"pattern": FILLED_IN | {"type": "daily", "interval": 1}, "range": span}
    changed(ours, target, {"start": NINE, "end": TEN, "recurrence": daily})
    before, after = changed(ours, target, {"recurrence": daily})
    assert after.version == before.version
    return target


def test_a_series_as_graph_fills_it_in_is_what_was_asked(sandbox: Sandbox, ours: EwsExchange) -> None:
    a_series(sandbox, ours)


def test_a_time_in_utc_moves_a_series_and_leaves_it_in_its_zone(sandbox: Sandbox, ours: EwsExchange) -> None:
    target = a_series(sandbox, ours)
    times = {"start": "2026-12-01T23:00:00", "end": "2026-12-02T00:00:00"}
    _, after = changed(ours, target, {name: {"dateTime": at, "timeZone": "UTC"} for name, at in times.items()})
    assert after.properties["start"] == NINE | {"dateTime": "2026-12-02T00:00:00"}
    assert after.properties["end"] == TEN | {"dateTime": "2026-12-02T01:00:00"}
    assert after.properties["recurrence"]["range"] == {
        "type": "noEnd", "startDate": "2026-12-02", "recurrenceTimeZone": "W. Europe Standard Time"
    }  # fmt: skip
