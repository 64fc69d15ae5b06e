import json
from typing import Any

import httpx
import pytest

from tests.workers.graph.wire import ANNA, EVENT, Wire, exchange, failure
from workers.event.properties import EXTENSION
from workers.exchange import ExchangeError, Patch, Refused, Throttled, Unknown, VersionMoved
from workers.graph.open_extension import among, call, expand, value

DEAL, TRIP = EXTENSION + "com.contoso.deal", EXTENSION + "com.contoso.trip"
STORED = {
    "@odata.type": "#microsoft.graph.openTypeExtension",
    "id": "Microsoft.OutlookServices.OpenTypeExtension.Com.Contoso.Deal",
    "extensionName": "Com.Contoso.Deal",
    "dealValue": 500,
    "tags@odata.type": "#Collection(String)",
    "tags": ["a"],
}
WITH_DEAL = EVENT | {"extensions": [STORED]}
HERE = "/v1.0/users/anna%40contoso.com/events/AAMk%2F1".replace("%40", "@")


def patch(**changes: Any) -> Patch:
    names = {"deal": DEAL, "trip": TRIP}
    return Patch({names.get(name, name): value for name, value in changes.items()}, "sendToNone", ("upd_2",))


def sent(wire: Wire) -> list[tuple[str, str]]:
    return [
        (request.method, request.url.raw_path.decode().partition("?")[0].removeprefix(HERE)) for request in wire.seen
    ]


def test_it_is_found_by_its_name_in_any_case_and_stripped_of_what_graph_adds() -> None:
    assert among(WITH_DEAL, "com.contoso.DEAL") == {"dealValue": 500, "tags": ["a"]}
    assert among({"extensions": [{**STORED, "extensionName": None}]}, "com.contoso.deal") == value(STORED)
    assert among(WITH_DEAL, "com.contoso.trip") is None
    assert among({}, "com.contoso.deal") is None


def test_a_quote_in_a_name_cannot_end_the_filter() -> None:
    assert expand("a'b") == "extensions($filter=id eq 'a''b')"


@pytest.mark.parametrize(
    ("stands", "wanted", "method", "path"),
    [
        (None, {"x": 1}, "POST", "/extensions"),
        ({"x": 2}, {"x": 1}, "PATCH", "/extensions/a%2Fb"),
        ({"x": 2}, None, "DELETE", "/extensions/a%2Fb"),
    ],
)
def test_it_is_created_replaced_or_deleted(stands: Any, wanted: Any, method: str, path: str) -> None:
    made = call(ANNA, "a/b", stands, wanted)
    assert (made.method, made.path) == (method, "/users/anna@contoso.com/events/AAMk%2F1" + path)
    expected = {"@odata.type": "microsoft.graph.openTypeExtension", "extensionName": "a/b", "x": 1} if wanted else None
    assert (json.loads(made.body) if made.body else None) == expected


@pytest.mark.parametrize("wanted", ["x", [], {"id": 1}, {"extensionName": "y"}, {"@odata.type": "z"}, {"x": "\ud800"}])
def test_what_is_no_extension_is_refused_before_anything_is_sent(wanted: Any) -> None:
    wire = Wire(EVENT)
    graph = exchange(wire)
    event = graph.read(ANNA, [DEAL])
    with pytest.raises(Refused, match=r"extensions/com\.contoso\.deal"):
        graph.write(ANNA, event, patch(deal=wanted))
    assert len(wire.seen) == 1


def test_the_first_is_read_with_the_event_and_the_others_by_themselves() -> None:
    wire = Wire(WITH_DEAL, failure(404, "ErrorItemNotFound"))
    event = exchange(wire).read(ANNA, [TRIP, DEAL, "subject"])
    assert event.properties == {DEAL: {"dealValue": 500, "tags": ["a"]}, TRIP: None, "subject": "new"}
    assert "extensions($filter=id eq 'com.contoso.deal')" in wire.seen[0].url.params["$expand"]
    assert sent(wire)[1] == ("GET", "/extensions/com.contoso.trip")


def test_an_extension_alone_is_written_without_touching_the_event() -> None:
    wire = Wire(EVENT, httpx.Response(201, json=STORED), WITH_DEAL)
    graph = exchange(wire)
    written = graph.write(ANNA, graph.read(ANNA, [DEAL]), patch(deal={"dealValue": 500}))
    assert sent(wire) == [("GET", ""), ("POST", "/extensions"), ("GET", "")]
    assert written.event is not None
    assert (written.version, written.event.properties[DEAL]) == ('W/"2"', {"dealValue": 500, "tags": ["a"]})


def test_with_other_changes_it_goes_first_and_the_rest_against_the_version_that_it_made() -> None:
    moved = WITH_DEAL | {"@odata.etag": 'W/"3"'}
    wire = Wire(WITH_DEAL, httpx.Response(204), moved, EVENT, EVENT)
    graph = exchange(wire)
    graph.write(ANNA, graph.read(ANNA, [DEAL, "subject"]), patch(deal=None, subject="newer"))
    assert sent(wire)[1:4] == [("DELETE", "/extensions/com.contoso.deal"), ("GET", ""), ("PATCH", "")]
    assert wire.seen[3].headers["If-Match"] == 'W/"3"'
    assert b"deal" not in wire.seen[3].content


def test_a_refusal_of_the_rest_says_that_the_extension_is_changed() -> None:
    moved = WITH_DEAL | {"@odata.etag": 'W/"3"'}
    wire = Wire(WITH_DEAL, httpx.Response(204), moved, failure(400))
    graph = exchange(wire)
    event = graph.read(ANNA, [DEAL, "subject"])
    with pytest.raises(Refused, match=r"Already changed: extensions/com\.contoso\.deal\."):
        graph.write(ANNA, event, patch(deal=None, subject="newer"))


def test_a_refusal_of_the_second_extension_says_that_the_first_is_changed() -> None:
    wire = Wire(EVENT, failure(404), httpx.Response(201, json=STORED), failure(400))
    graph = exchange(wire)
    event = graph.read(ANNA, [DEAL, TRIP, "subject"])
    with pytest.raises(Refused, match=r"Already changed: extensions/com\.contoso\.deal\.$"):
        graph.write(ANNA, event, patch(deal={"x": 1}, trip={"y": 2}, subject="newer"))
    assert "PATCH" not in [method for method, _ in sent(wire)]


def test_a_refusal_of_the_first_extension_claims_no_change() -> None:
    wire = Wire(EVENT, failure(404), failure(400))
    graph = exchange(wire)
    event = graph.read(ANNA, [DEAL, TRIP])
    with pytest.raises(Refused) as caught:
        graph.write(ANNA, event, patch(deal={"x": 1}, trip={"y": 2}))
    assert "Already changed" not in caught.value.detail


BUSY = failure(429, "ApplicationThrottled", **{"retry-after": "7"})


@pytest.mark.parametrize("then", [[BUSY], [EVENT, BUSY], [EVENT, httpx.ConnectError("nobody there")]])
def test_who_is_sent_away_after_an_extension_was_written_is_in_doubt(then: list[Any]) -> None:
    wire = Wire(EVENT, httpx.Response(201, json=STORED), *then)
    graph = exchange(wire)
    event = graph.read(ANNA, [DEAL, "subject"])
    with pytest.raises(Unknown, match=r"Already changed: extensions/com\.contoso\.deal\.") as caught:
        graph.write(ANNA, event, patch(deal={"x": 1}, subject="newer"))
    assert caught.value.retry_after == (7 if then[-1] is BUSY else None)


def test_who_is_sent_away_at_the_first_extension_is_in_no_doubt() -> None:
    wire = Wire(EVENT, BUSY)
    graph = exchange(wire)
    event = graph.read(ANNA, [DEAL, "subject"])
    with pytest.raises(Throttled):
        graph.write(ANNA, event, patch(deal={"x": 1}, subject="newer"))


def test_somebody_elses_change_in_between_is_not_written_over() -> None:
    wire = Wire(EVENT, httpx.Response(201, json=STORED), EVENT | {"subject": "theirs"})
    graph = exchange(wire)
    with pytest.raises(VersionMoved):
        graph.write(ANNA, graph.read(ANNA, [DEAL, "subject"]), patch(deal={"x": 1}, subject="ours"))
    assert "PATCH" not in [method for method, _ in sent(wire)]


def test_deleting_what_is_gone_is_done() -> None:
    wire = Wire(WITH_DEAL, failure(404), EVENT)
    graph = exchange(wire)
    written = graph.write(ANNA, graph.read(ANNA, [DEAL]), patch(deal=None))
    assert written.event is not None
    assert written.event.properties[DEAL] is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [(failure(404), VersionMoved), (failure(409), VersionMoved), (httpx.ReadTimeout("slow"), Unknown)],
)
def test_what_became_of_a_change_is_found_out_by_reading(answer: Any, error: type[ExchangeError]) -> None:
    wire = Wire(WITH_DEAL, answer)
    graph = exchange(wire)
    event = graph.read(ANNA, [DEAL])
    with pytest.raises(ExchangeError) as caught:
        graph.write(ANNA, event, patch(deal={"dealValue": 1}))
    assert type(caught.value) is error
