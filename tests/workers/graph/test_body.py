"""Bodies of online meetings, and bodies that are text, through the client."""

import json
from typing import Any

import pytest

from tests.workers.graph.test_join_block import NEW_TEAMS, URL, document
from tests.workers.graph.wire import ANNA, EVENT, Wire, exchange
from workers.event.agreement import agrees
from workers.exchange import Patch
from workers.graph.join_block import html_of

ONLINE = EVENT | {"isOnlineMeeting": True, "onlineMeeting": {"joinUrl": URL}}
AGENDA = {"contentType": "html", "content": "<p>Agenda</p>"}
TEXT = {"contentType": "text", "content": "Agenda\n\n1 < 2"}
CONVERTED = (
    '<html><head><meta name="Generator" content="Microsoft Exchange Server"><!-- converted from text --></head>'
    '<body><div class="PlainText">Agenda<br><br>1 &lt; 2</div></body></html>'
)


def html(content: str) -> dict[str, str]:
    return {"contentType": "html", "content": content}


def patch(body: Any) -> Patch:
    return Patch({"body": body}, "sendToNone", ("upd_2",))


def written(wire: Wire) -> Any:
    return json.loads(next(request.content for request in wire.seen if request.method == "PATCH"))["body"]


def test_callers_see_an_online_meetings_body_without_its_join_block() -> None:
    event = exchange(Wire(ONLINE | {"body": html(document(NEW_TEAMS))})).read(ANNA, ["body"])
    assert agrees("body", event.properties["body"], AGENDA)
    assert event.join_block == NEW_TEAMS


def test_a_meeting_that_is_not_online_keeps_its_body_whole() -> None:
    event = exchange(Wire(EVENT | {"body": html(document(NEW_TEAMS))})).read(ANNA, ["body"])
    assert event.properties["body"]["content"] == document(NEW_TEAMS)


@pytest.mark.parametrize("asked", [html("<p>New</p>"), {"contentType": "text", "content": "New"}, None])
def test_a_new_body_keeps_the_join_block_and_is_verified_without_it(asked: Any) -> None:
    stored = document(NEW_TEAMS, "<p>New</p>" if asked and asked["contentType"] == "html" else "New" if asked else "")
    wire = Wire(ONLINE | {"body": html(document(NEW_TEAMS))}, ONLINE | {"body": html(stored)})
    graph = exchange(wire)
    after = graph.write(ANNA, graph.read(ANNA, ["body"]), patch(asked)).event
    assert written(wire)["contentType"] == "html"
    assert written(wire)["content"].endswith(NEW_TEAMS)
    assert "text" not in wire.seen[1].headers["Prefer"]
    assert after is not None
    assert agrees("body", after.properties["body"], asked)


def test_the_join_block_stands_where_it_is_read_also_behind_a_comment_that_holds_an_end_of_the_body() -> None:
    asked = html("<html><body><p>New</p></BODY ></html><!-- was: </body> -->")
    wire = Wire(ONLINE | {"body": html(document(NEW_TEAMS))}, ONLINE)
    graph = exchange(wire)
    graph.write(ANNA, graph.read(ANNA, ["body"]), patch(asked))
    assert written(wire)["content"] == asked["content"].replace("</BODY >", NEW_TEAMS + "</BODY >")


def test_a_body_that_brings_its_own_join_block_is_written_as_it_is() -> None:
    asked = html(document(NEW_TEAMS, "<p>New</p>"))
    wire = Wire(ONLINE | {"body": html(document(NEW_TEAMS))}, ONLINE | {"body": asked})
    graph = exchange(wire)
    after = graph.write(ANNA, graph.read(ANNA, ["body"]), patch(asked)).event
    assert written(wire) == asked
    assert after is not None
    assert agrees("body", after.properties["body"], asked)


def test_a_block_that_cannot_be_told_from_the_rest_is_replaced_by_one_that_leads_there_too() -> None:
    wire = Wire(ONLINE | {"body": html(f"<p>join at {URL}</p>")}, ONLINE)
    graph = exchange(wire)
    graph.write(ANNA, graph.read(ANNA, ["body"]), patch(AGENDA))
    assert written(wire)["content"].startswith('<p>Agenda</p><div class="me-email-text"><a ')


@pytest.mark.parametrize(
    ("online", "told"),
    [({"joinUrl": URL}, 0), (None, 1), ({"joinUrl": URL + "x"}, 1)],
    ids=["kept", "gone", "another one"],
)
def test_a_lost_join_link_is_told(online: Any, told: int) -> None:
    graph = exchange(Wire(ONLINE | {"body": AGENDA}, ONLINE | {"body": AGENDA, "onlineMeeting": online}))
    written = graph.write(ANNA, graph.read(ANNA, ["body"]), patch(AGENDA))
    assert len(written.notices) == told
    assert URL not in str(written.notices)


def test_the_block_is_asked_for_only_with_the_body() -> None:
    wire = Wire(EVENT, EVENT)
    graph = exchange(wire)
    graph.read(ANNA, ["body"])
    graph.read(ANNA, ["subject"])
    assert ["onlineMeeting" in request.url.params["$select"] for request in wire.seen] == [True, False]


def test_a_body_stored_as_text_is_read_as_text() -> None:
    wire = Wire(EVENT | {"body": html(CONVERTED)}, EVENT | {"body": TEXT})
    event = exchange(wire).read(ANNA, ["body"])
    assert agrees("body", event.properties["body"], TEXT)
    assert ["body-content-type" in request.headers["Prefer"] for request in wire.seen] == [False, True]


def test_a_body_that_exchange_tells_as_text_is_read_once() -> None:
    wire = Wire(EVENT | {"body": TEXT})
    assert exchange(wire).read(ANNA, ["body"]).properties["body"] == TEXT


def test_a_text_body_goes_out_and_comes_back_as_text() -> None:
    wire = Wire(EVENT | {"body": AGENDA}, EVENT | {"body": TEXT})
    graph = exchange(wire)
    after = graph.write(ANNA, graph.read(ANNA, ["body"]), patch(TEXT)).event
    assert written(wire) == TEXT
    assert 'outlook.body-content-type="text"' in wire.seen[1].headers["Prefer"]
    assert after is not None
    assert agrees("body", after.properties["body"], TEXT)


def test_what_a_write_left_of_a_text_in_an_online_meeting_is_what_the_next_read_tells() -> None:
    stored = ONLINE | {"body": html(document(NEW_TEAMS, html_of(TEXT["content"])))}
    graph = exchange(Wire(ONLINE | {"body": html(document(NEW_TEAMS))}, stored, stored))
    stood = graph.read(ANNA, ["body"])
    after = graph.write(ANNA, stood, patch(TEXT)).event
    assert after is not None
    assert agrees("body", after.properties["body"], TEXT)
    assert after.properties == graph.read(ANNA, ["body"]).properties


def test_what_a_write_left_of_a_body_stored_as_text_is_what_the_next_read_tells() -> None:
    as_html, as_text = EVENT | {"body": html(CONVERTED)}, EVENT | {"body": TEXT}
    graph = exchange(Wire(as_html, as_text, as_html, as_html, as_text))
    stood = graph.read(ANNA, ["subject", "body"])
    after = graph.write(ANNA, stood, Patch({"subject": "new"}, "sendToNone", ("upd_2",))).event
    assert after is not None
    assert {**stood.properties, **after.properties} == graph.read(ANNA, ["subject", "body"]).properties
