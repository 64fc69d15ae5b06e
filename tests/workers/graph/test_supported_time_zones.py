from typing import Any

import httpx
import pytest

from tests.workers.graph.wire import ANNA, EVENT, GROUP, ME, Wire, exchange, failure
from workers.exchange import Event, Patch, Refused
from workers.graph.supported_time_zones import answer, check, new_zones, path
from workers.update import Target

NINE = "2026-12-01T09:00:00"
KNOWN = httpx.Response(200, json={"value": [{"alias": "W. Europe Standard Time"}, {"alias": "Pacific Standard Time"}]})
STANDS = {"start": {"dateTime": NINE, "timeZone": "Pacific Standard Time"}}
READ = Event("AAMk/1", 'W/"1"', False, (), STANDS)


def to(zone: str) -> Patch:
    return Patch({"start": {"dateTime": NINE, "timeZone": zone}}, "sendToNone", ("upd_2",))


@pytest.mark.parametrize(
    ("zone", "new"),
    [
        ("Pacific Standard Time", {}),
        ("America/Los_Angeles", {}),
        ("UTC", {}),
        ("Europe/Vienna", {"start": "W. Europe Standard Time"}),
        ("Nowhere", {"start": "Nowhere"}),
    ],
)
def test_only_a_zone_that_the_event_has_not_is_new(zone: str, new: Any) -> None:
    assert new_zones(STANDS, to(zone).changes) == new


def test_a_zone_that_the_server_does_not_know_is_refused_with_the_property_and_the_zone() -> None:
    with pytest.raises(Refused, match=r"end\.timeZone.*'Morocco Standard Time'"):
        check({"start": "UTC-11", "end": "Morocco Standard Time"}, frozenset({"utc-11"}))


def test_where_nobody_can_tell_the_write_decides() -> None:
    check({"start": "Nowhere"}, None)


def test_the_zone_is_checked_before_the_write_and_asked_for_once() -> None:
    wire = Wire(KNOWN, EVENT, EVENT)
    graph = exchange(wire)
    graph.write(ANNA, READ, to("Europe/Vienna"))
    graph.write(ANNA, READ, to("Europe/Berlin"))
    assert [request.url.path.rpartition("/")[2] for request in wire.seen] == ["supportedTimeZones", "1", "1"]
    assert wire.seen[0].url.path == "/v1.0/users/anna@contoso.com/outlook/supportedTimeZones"


def test_an_unknown_zone_is_not_written() -> None:
    wire = Wire(KNOWN)
    with pytest.raises(Refused, match="Tokyo Standard Time"):
        exchange(wire).write(ANNA, READ, to("Asia/Tokyo"))
    assert len(wire.seen) == 1


@pytest.mark.parametrize("no", [failure(403), failure(503), httpx.ReadTimeout("slow"), httpx.Response(200, json={})])
def test_a_list_that_cannot_be_had_does_not_stop_the_write(no: Any) -> None:
    wire = Wire(no, EVENT)
    exchange(wire).write(ANNA, READ, to("Asia/Tokyo"))
    assert [request.method for request in wire.seen] == ["GET", "PATCH"]


def test_an_event_that_stays_in_its_zone_asks_nobody() -> None:
    wire = Wire(EVENT)
    exchange(wire).write(ANNA, READ, to("America/Los_Angeles"))
    assert [request.method for request in wire.seen] == ["PATCH"]


@pytest.mark.parametrize(
    ("target", "where"),
    [
        (ANNA, "/users/anna@contoso.com/outlook/supportedTimeZones"),
        (ME, "/me/outlook/supportedTimeZones"),
    ],
)
def test_where_the_list_is(target: Target, where: str) -> None:
    assert path(target) == where


def test_a_group_has_no_list() -> None:
    wire = Wire(EVENT)
    exchange(wire).write(GROUP, READ, to("Asia/Tokyo"))
    assert [request.method for request in wire.seen] == ["PATCH"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"value": []}', b'{"value": [{}]}'])
def test_an_empty_list_is_none(body: bytes) -> None:
    assert answer(body) is None
