"""What changed in a calendar since last time, as Graph tells it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.workers.graph.wire import Wire, backend, failure
from workers.changes.feed import CursorLost, Item
from workers.changes.watch import Watch
from workers.exchange import NotFound, Refused, Throttled, Unavailable
from workers.graph import calendar_view_delta
from workers.graph.calendar_view_delta import GraphFeed
from workers.graph.connection import Connection
from workers.graph.links import path_of

BASE = "https://graph.example/v1.0"
PATH = "/users/anna@contoso.com/calendarView/delta"
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
WATCH = Watch("wch_1", "cloud", "anna@contoso.com", "s")
END = {"@odata.deltaLink": f"{BASE}{PATH}?$deltatoken=2"}


def feed(wire: Wire) -> GraphFeed:
    return GraphFeed(Connection(backend(), httpx.MockTransport(wire)), BASE)


def page(*events: dict[str, Any], **links: str) -> dict[str, Any]:
    return {"value": list(events), **(links or END)}


def test_a_first_round_asks_for_a_window_in_immutable_ids() -> None:
    wire = Wire(page())
    feed(wire).changes(WATCH, None, NOW)
    (request,) = wire.seen
    assert request.url.path == f"/v1.0{PATH}"
    assert dict(request.url.params) == {
        "startDateTime": "2026-11-14T09:00:00.000Z",
        "endDateTime": "2027-05-20T09:00:00.000Z",
    }
    assert 'IdType="ImmutableId"' in request.headers["Prefer"]


def test_a_round_is_read_to_its_end_and_ends_with_a_cursor() -> None:
    first = page({"id": "A", "@odata.etag": 'W/"1"', "subject": "S"}, **{"@odata.nextLink": f"{BASE}{PATH}?$skip=1"})
    wire = Wire(first, page({"id": "B", "@removed": {"reason": "deleted"}}))
    found = feed(wire).changes(WATCH, f"{PATH}?$deltatoken=1", NOW)
    assert found.items == (Item("A", 'W/"1"', {"subject": "S"}), Item("B", deleted=True))
    assert found.cursor == f"{PATH}?$deltatoken=2"
    assert [request.url.query for request in wire.seen] == [b"$deltatoken=1", b"$skip=1"]


@pytest.mark.parametrize("length", [1, 2])
def test_a_round_that_goes_round_in_a_circle_is_left_at_once_and_a_walk_that_does_is_told(length: int) -> None:
    circle = [page(**{"@odata.nextLink": f"{BASE}/{number}"}) for number in (*range(length), 0)]
    with pytest.raises(CursorLost):
        feed(Wire(*circle)).changes(WATCH, "/c", NOW)
    with pytest.raises(Unavailable):
        feed(Wire(*circle)).changes(WATCH, None, NOW)


def test_a_walk_without_an_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_view_delta, "PAGES_AT_MOST", 2)
    endless = (page(**{"@odata.nextLink": f"{BASE}/{number}"}) for number in range(2))
    with pytest.raises(Unavailable):
        feed(Wire(*endless)).changes(WATCH, None, NOW)


def test_what_somebody_asked_for_besides_the_usual_is_read_where_the_page_has_it() -> None:
    event = {"id": "A", "@odata.etag": 'W/"1"', "subject": "S", "body": {"contentType": "text", "content": "B"}}
    (usual,), (more,) = (
        feed(Wire(page(event))).changes(watch, "/c", NOW).items for watch in (WATCH, replace(WATCH, learnt=("body",)))
    )
    assert (set(usual.properties or ()), set(more.properties or ())) == ({"subject"}, {"subject", "body"})


def test_a_body_that_is_stored_as_text_is_left_to_a_read_that_tells_it_as_text() -> None:
    stored = {"contentType": "html", "content": "<html><!-- converted from text --><body>B</body></html>"}
    event = {"id": "A", "@odata.etag": 'W/"1"', "subject": "S", "body": stored}
    found = feed(Wire(page(event))).changes(replace(WATCH, learnt=("body",)), "/c", NOW)
    assert found.items == (Item("A", 'W/"1"', {"subject": "S"}),)


def test_meetings_of_a_series_stand_for_the_series() -> None:
    one, other = ({"id": name, "type": "occurrence", "seriesMasterId": "M"} for name in "AB")
    master = {"id": "M", "@odata.etag": 'W/"1"', "type": "seriesMaster", "subject": "S"}
    assert feed(Wire(page(one, other))).changes(WATCH, "/c", NOW).items == (Item("M"),)
    assert feed(Wire(page(one, master, other))).changes(WATCH, "/c", NOW).items == (
        Item("M", 'W/"1"', {"subject": "S"}),
    )


def test_a_meeting_whose_series_is_not_told_stands_for_itself() -> None:
    alone = {"id": "A", "type": "occurrence"}
    assert feed(Wire(page(alone))).changes(WATCH, "/c", NOW).items == (Item("A"),)


def test_the_last_word_on_an_event_counts() -> None:
    events = ({"id": "A", "@odata.etag": 'W/"1"'}, {"id": "A", "@removed": {"reason": "deleted"}})
    assert feed(Wire(page(*events))).changes(WATCH, "/c", NOW).items == (Item("A", deleted=True),)


@pytest.mark.parametrize("answer", [failure(410, "SyncStateNotFound"), failure(404)])
def test_a_cursor_that_is_too_old_is_told_from_a_mailbox_that_is_not_there(answer: httpx.Response) -> None:
    with pytest.raises(CursorLost):
        feed(Wire(answer)).changes(WATCH, "/old", NOW)
    with pytest.raises(NotFound):
        feed(Wire(failure(404))).changes(WATCH, None, NOW)


def test_a_cursor_that_graph_refuses_is_given_up_and_a_walk_that_it_refuses_is_told() -> None:
    for code in ("SyncStateNotFound", "ErrorInvalidRequest"):
        with pytest.raises(CursorLost):
            feed(Wire(failure(400, code))).changes(WATCH, "/old", NOW)
    with pytest.raises(Refused):
        feed(Wire(failure(400))).changes(WATCH, None, NOW)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": 1, **END},
        {"value": [7], **END},
        {"value": [{}], **END},
        {"value": []},
        {"value": [], "@odata.deltaLink": "https://elsewhere.example/v1.0/x"},
        {"value": [], "@odata.nextLink": f"{BASE}.evil.example/"},
    ],
)
def test_a_page_that_cannot_be_read_is_asked_for_again(body: dict[str, Any]) -> None:
    with pytest.raises(Unavailable):
        feed(Wire(body)).changes(WATCH, "/c", NOW)


def test_an_id_is_spelled_as_graph_will_tell_it() -> None:
    wire = Wire({"value": [{"sourceId": "AAMk-1", "targetId": "AAkALg1"}]})
    assert feed(wire).spelled(WATCH.event("AAMk-1")) == "AAkALg1"
    assert feed(Wire(failure(400), failure(400))).spelled(WATCH.event("AAMk-1")) == "AAMk-1"
    assert feed(Wire()).spelled(WATCH.event("AAkALg1")) == "AAkALg1"


EWS_ID = "AAMk" + "A/+w" * 40


@pytest.mark.parametrize(("event", "path"), [("AAMk-1", "AAMk-1"), (EWS_ID, "AAMk" + "A-_w" * 40)])
def test_who_may_not_translate_reads_the_id_of_the_event_itself(event: str, path: str) -> None:
    wire = Wire(failure(403, "Authorization_RequestDenied"), {"id": "AAkALg1"})
    assert feed(wire).spelled(WATCH.event(event)) == "AAkALg1"
    _, read = wire.seen
    assert (read.method, read.url.path) == ("GET", f"/v1.0/users/anna@contoso.com/events/{path}")
    assert 'IdType="ImmutableId"' in read.headers["Prefer"]


@pytest.mark.parametrize("answer", [{"value": [{"errorDetails": {}}]}, {"value": []}])
def test_what_cannot_be_translated_is_read_and_what_cannot_be_read_stays_as_it_is(answer: dict[str, Any]) -> None:
    assert feed(Wire(answer, {"id": "AAkALg1"})).spelled(WATCH.event("AAMk-1")) == "AAkALg1"
    for no in (httpx.Response(200, json={}), failure(404, "ErrorItemNotFound")):
        assert feed(Wire(answer, no)).spelled(WATCH.event("AAMk-1")) == "AAMk-1"
    assert feed(Wire(answer)).spelled(WATCH.event("..")) == ".."


@pytest.mark.parametrize("status", [429, 503])
def test_an_id_that_graph_may_spell_later_is_not_taken_as_it_is(status: int) -> None:
    for before in ((), (failure(403),)):
        with pytest.raises((Throttled, Unavailable)):
            feed(Wire(*before, failure(status))).spelled(WATCH.event("AAMk-1"))


def test_a_link_is_followed_only_below_the_configured_address() -> None:
    assert path_of(None, BASE) is None
    assert path_of("https://GRAPH.example/v1.0/x?y", BASE + "/") == "/x?y"
    with pytest.raises(ValueError, match="away"):
        path_of("https://graph.example/beta/x", BASE)
