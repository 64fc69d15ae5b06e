from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.graph.wire import ANNA, EVENT, PATCH, STANDS, Wire, exchange, failure
from workers.exchange import Event, NotFound, Patch, Refused, Unavailable
from workers.graph.instances import Instance, Series, at, moment, read
from workers.graph.resources import Unreadable
from workers.update import Occurrence, Target

DAILY = {
    "pattern": {"type": "daily", "interval": 1},
    "range": {"type": "noEnd", "startDate": "2026-12-01", "recurrenceTimeZone": "Pacific Standard Time"},
}
MASTER = {"id": "M", "recurrence": DAILY, "originalStartTimeZone": "Pacific Standard Time"}


def target(**which: Any) -> Target:
    return Target(backend="cloud", event="M", mailbox="anna@contoso.com", occurrence=Occurrence(**which))


def instance(identifier: str, original: str | None, start: str | None = None) -> dict[str, Any]:
    start = start or str(original)
    return {
        "id": identifier,
        "originalStart": original,
        "start": {"dateTime": start.rstrip("Z") + ".0000000", "timeZone": "UTC"},
    }


FIRST = instance("o1", "2026-12-01T17:00:00Z")
MOVED = instance("o2", "2026-12-02T17:00:00Z", "2026-12-20T08:00:00Z")
THIRD = instance("o3", "2026-12-03T17:00:00Z")


def page(*instances: Any, following: str | None = None) -> dict[str, Any]:
    return {"value": list(instances), **({"@odata.nextLink": following} if following else {})}


def seen(wire: Wire) -> list[str]:
    return [request.url.path.removeprefix("/v1.0/users/anna@contoso.com/events/") for request in wire.seen]


def test_it_is_found_by_the_moment_at_which_it_was_to_start() -> None:
    wire = Wire(page(FIRST, THIRD), EVENT | {"id": "o3"})
    event = exchange(wire).read(target(start="2026-12-03T18:00:00+01:00"), ["subject"])
    assert (event.id, seen(wire)) == ("o3", ["M/instances", "o3"])
    asked = wire.seen[0].url.params
    assert (asked["startDateTime"], asked["endDateTime"]) == ("2026-12-02T17:00:00Z", "2026-12-04T17:00:00Z")
    assert asked["$select"] == "id,originalStart,start"


def test_a_moment_may_be_spelled_in_small_letters() -> None:
    wire = Wire(page(FIRST, THIRD), EVENT | {"id": "o3"})
    exchange(wire).read(target(start="2026-12-03t17:00:00z"), ["subject"])
    assert seen(wire) == ["M/instances", "o3"]


def test_one_that_was_moved_is_still_found_by_its_old_moment() -> None:
    wire = Wire(page(FIRST, THIRD), page(FIRST, THIRD, MOVED), EVENT)
    exchange(wire).read(target(start="2026-12-02T17:00:00Z"), [])
    assert seen(wire) == ["M/instances", "M/instances", "o2"]
    assert wire.seen[1].url.params["endDateTime"] > "2027-12-02"


def test_where_exchange_tells_no_original_moment_the_start_counts() -> None:
    wire = Wire(page(instance("o1", None, "2026-12-01T17:00:00")), EVENT)
    exchange(wire).read(target(start="2026-12-01T17:00:00Z"), [])
    assert seen(wire)[-1] == "o1"


def test_none_at_that_moment_is_not_found() -> None:
    with pytest.raises(NotFound, match="none that was to start at 2026-12-09T17:00:00Z"):
        exchange(Wire(page(FIRST), page(FIRST))).read(target(start="2026-12-09T17:00:00Z"), [])


@pytest.mark.parametrize("start", ["noon", "2026-12-01T09:00:00", ""])
def test_a_moment_without_an_offset_is_refused_before_anything_is_sent(start: str) -> None:
    wire = Wire()
    with pytest.raises(Refused, match=r"target\.occurrence\.start"):
        exchange(wire).read(target(start=start), [])
    assert wire.seen == []


def test_it_is_found_by_its_number_in_the_order_in_which_they_were_to_be() -> None:
    wire = Wire(MASTER, page(FIRST, THIRD, following="https://elsewhere.example/x?$skip=2"), page(MOVED), EVENT)
    exchange(wire).read(target(index=2), [])
    assert seen(wire) == ["M", "M/instances", "M/instances", "o2"]
    assert {request.url.host for request in wire.seen} == {"graph.example"}
    assert wire.seen[2].url.params["$skip"] == "2"


def test_a_cancelled_one_keeps_its_number() -> None:
    cancelled = MASTER | {"cancelledOccurrences": ["OID.M.2026-12-02", "?"]}
    wire = Wire(cancelled, page(FIRST, THIRD), EVENT)
    exchange(wire).read(target(index=3), [])
    assert seen(wire)[-1] == "o3"
    with pytest.raises(NotFound, match="number 2 was cancelled"):
        exchange(Wire(cancelled, page(FIRST, THIRD))).read(target(index=2), [])


def test_a_number_that_there_is_not_is_not_found() -> None:
    with pytest.raises(NotFound, match="only 1 occurrences"):
        exchange(Wire(MASTER, page(FIRST))).read(target(index=2), [])


def test_a_meeting_of_what_is_no_series_is_refused() -> None:
    with pytest.raises(Refused, match="names no series") as refused:
        exchange(Wire(MASTER | {"recurrence": None})).read(target(index=2), [])
    assert refused.value.code == "NotASeries"


def test_numbers_begin_with_one() -> None:
    with pytest.raises(Refused, match="number 1"):
        exchange(Wire()).read(target(index=0), [])


def test_a_series_without_end_in_pages_is_not_read_for_ever() -> None:
    again = page(FIRST, following="https://graph.example/?$skip=1")
    wire = Wire(MASTER, *[again] * 200)
    with pytest.raises(Refused, match="too long"):
        exchange(wire).read(target(index=2), [])
    assert len(wire.seen) < 150


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, content=b"?"), page({}), failure(503), {"value": [{"id": "x"}]}]
)
def test_an_answer_that_cannot_be_read_is_asked_for_again_later(answer: Any) -> None:
    with pytest.raises(Unavailable):
        exchange(Wire(answer)).read(target(start="2026-12-01T17:00:00Z"), [])


def test_a_write_goes_to_the_occurrence_that_was_read() -> None:
    wire = Wire(EVENT)
    read_before = Event("o2", 'W/"1"', True, (), {"subject": "old"})
    exchange(wire).write(target(index=2), read_before, Patch({"subject": "new"}, "sendToNone", ("upd_2",)))
    assert [(request.method, path) for request, path in zip(wire.seen, seen(wire), strict=True)] == [("PATCH", "o2")]


@pytest.mark.parametrize(
    ("meant", "finding"), [(replace(ANNA, event="o1"), []), (target(index=1), [MASTER, page(FIRST)])]
)
def test_what_graph_says_of_a_changed_occurrence_is_looked_up(meant: Target, finding: list[Any]) -> None:
    """It has answered 200 with the new value and kept the old one."""
    stands = EVENT | {"id": "o1", "seriesMasterId": "M", "@odata.etag": 'W/"1"', "subject": "old"}
    said = stands | {"@odata.etag": 'W/"2"', "subject": "new"}
    graph = exchange(wire := Wire(*finding, stands, said, stands))
    written = graph.write(meant, graph.read(meant, ["subject"]), PATCH)
    assert ([request.method for request in wire.seen[-2:]], seen(wire)[-1]) == (["PATCH", "GET"], "o1")
    assert written.event is not None
    assert (written.version, written.event.version) == ('W/"2"', 'W/"1"')
    assert (written.event.properties, written.event.marker) == ({"subject": "old"}, ())


@pytest.mark.parametrize("recurrence", [None, DAILY])
def test_single_meetings_and_whole_series_cost_no_third_call(recurrence: Any) -> None:
    stands = EVENT | {"seriesMasterId": None, "recurrence": recurrence}
    graph = exchange(wire := Wire(stands, stands))
    graph.write(ANNA, graph.read(ANNA, ["subject"]), PATCH)
    assert [request.method for request in wire.seen] == ["GET", "PATCH"]


def test_an_occurrence_has_no_recurrence_of_its_own() -> None:
    wire = Wire()
    with pytest.raises(Refused, match=r"^OccurrenceHasNoRecurrence: recurrence:"):
        exchange(wire).write(target(index=2), STANDS, Patch({"recurrence": DAILY}, "sendToNone", ("upd_2",)))
    assert wire.seen == []


def series(kind: str, interval: int = 1, **more: Any) -> Series:
    days = {"daysOfWeek": more.pop("days")} if "days" in more else {}
    span = {"type": "noEnd", "startDate": "2026-01-31", **more}
    return Series({"pattern": {"type": kind, "interval": interval, **days}, "range": span}, (), "UTC")


@pytest.mark.parametrize(
    ("recurrence", "index", "last"),
    [
        (series("daily"), 3, date(2026, 2, 2)),
        (series("weekly", 2, days=["monday", "friday"]), 4, date(2026, 2, 27)),
        (series("weekly", 2, days=["monday", "friday"]), 5, date(2026, 3, 9)),
        (series("absoluteMonthly"), 12, date(2026, 12, 31)),
        (series("relativeMonthly", 3), 4, date(2026, 10, 31)),
        (series("absoluteYearly"), 3, date(2028, 1, 31)),
        (series("relativeYearly", 2), 2, date(2028, 2, 5)),
    ],
)
def test_the_window_reaches_from_before_the_first_to_behind_the_one_that_is_meant(
    recurrence: Series, index: int, last: date
) -> None:
    window = recurrence.window(index)
    assert window.begin.date() < date(2026, 1, 31)
    assert last < window.end.date()
    assert window.end.date() - last < timedelta(days=1600)


def test_the_window_ends_with_the_series() -> None:
    ended = series("daily", type="endDate", endDate="2026-02-10").window(10**9)
    assert ended.end.date() == date(2026, 2, 11)


@given(
    st.sampled_from(["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"]),
    st.integers(1, 10**6),
    st.integers(1, 10**9),
)
def test_no_number_is_too_large_for_a_window(kind: str, interval: int, index: int) -> None:
    window = series(kind, interval, days=["monday"]).window(index)
    assert window.begin < window.end
    assert len(window.query()) < 300


@pytest.mark.parametrize("recurrence", [{}, {"pattern": {"type": "hourly"}, "range": {}}, [], {"pattern": 1}])
def test_a_recurrence_that_nobody_knows_is_unreadable(recurrence: Any) -> None:
    with pytest.raises(Unreadable):
        Series(recurrence, (), "UTC").window(1)


def test_days_are_counted_where_the_series_is() -> None:
    evening = [Instance("a", datetime(2026, 12, 2, 4, tzinfo=UTC)), Instance("c", datetime(2026, 12, 4, 4, tzinfo=UTC))]
    there = Series(DAILY, (date(2026, 12, 2),), "Pacific Standard Time")
    assert (there.numbered(1, evening), there.numbered(3, evening)) == ("a", "c")
    assert Series(DAILY, (), "tzone://Microsoft/Custom").numbered(1, evening) == "a"


WHOLE_DAYS = {
    "id": "M",
    "isAllDay": True,
    "originalStartTimeZone": "UTC",
    "cancelledOccurrences": ["OID.M.2026-12-02"],
    "recurrence": {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "noEnd", "startDate": "2026-12-01", "recurrenceTimeZone": "W. Europe Standard Time"},
    },
}
DAYS = page(
    instance("day 1", "2026-11-30T23:00:00Z", "2026-12-01T00:00:00"),
    instance("day 3", "2026-12-02T23:00:00Z", "2026-12-03T00:00:00"),
    instance("day 4", "2026-12-03T23:00:00Z", "2026-12-04T00:00:00"),
)


@pytest.mark.parametrize(("index", "day"), [(1, "day 1"), (3, "day 3"), (4, "day 4")])
def test_whole_days_are_numbered_by_the_days_of_the_series_whatever_zone_graph_tells_them_in(
    index: int, day: str
) -> None:
    wire = Wire(WHOLE_DAYS, DAYS, EVENT)
    exchange(wire).read(target(index=index), [])
    assert seen(wire)[-1] == day


@pytest.mark.parametrize("start", ["2026-12-04T00:00:00Z", "2026-12-04T01:00:00+01:00"])
def test_a_whole_day_is_found_by_midnight_in_utc_as_graph_tells_it(start: str) -> None:
    wire = Wire(WHOLE_DAYS, DAYS, EVENT)
    exchange(wire).read(target(start=start), [])
    assert seen(wire) == ["M", "M/instances", "day 4"]


def test_a_day_before_the_calendar_is_not_found() -> None:
    with pytest.raises(NotFound):
        exchange(Wire(WHOLE_DAYS, DAYS, DAYS)).read(target(start="0001-01-01T00:00:00Z"), [])


def test_a_whole_day_is_found_by_the_moment_at_which_it_was_to_start() -> None:
    wire = Wire(DAYS, EVENT)
    exchange(wire).read(target(start="2026-12-04T00:00:00+01:00"), [])
    assert seen(wire) == ["M/instances", "day 4"]


def test_a_meeting_at_midnight_in_utc_is_no_whole_day() -> None:
    wire = Wire(MASTER, page(instance("o1", "2026-12-02T00:00:00Z")), EVENT)
    exchange(wire).read(target(start="2026-12-02T00:00:00Z"), [])
    assert seen(wire)[-1] == "o1"


def without_zone(**changes: Any) -> dict[str, Any]:
    return WHOLE_DAYS | {"recurrence": DAILY | {"range": {"type": "noEnd", "startDate": "2026-12-01"}}} | changes


def test_whole_days_in_a_zone_that_nobody_tells_are_not_counted() -> None:
    with pytest.raises(Refused, match=r"target\.occurrence\.index: Graph does not tell the zone"):
        exchange(Wire(without_zone(), DAYS)).read(target(index=1), [])
    wire = Wire(without_zone(originalStartTimeZone="W. Europe Standard Time"), DAYS, EVENT)
    exchange(wire).read(target(index=1), [])
    assert seen(wire)[-1] == "day 1"


def test_whole_days_in_a_zone_that_nobody_tells_are_found_by_their_moment() -> None:
    wire = Wire(without_zone(), page(instance("o1", "2026-12-02T00:00:00Z")), EVENT)
    exchange(wire).read(target(start="2026-12-02T00:00:00Z"), [])
    assert seen(wire)[-1] == "o1"


def test_moments_are_compared_in_whole_minutes() -> None:
    one = Instance("a", datetime(2026, 12, 1, 17, 0, tzinfo=UTC))
    assert at(moment("2026-12-01T17:00:29Z"), [one]) == one
    assert at(moment("2026-12-01T17:01:00Z"), [one]) is None


def test_a_page_without_a_next_one_is_the_last() -> None:
    assert read(b'{"value": []}') == ([], None)
