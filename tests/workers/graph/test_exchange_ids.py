import json

import httpx
import pytest

from tests.workers.graph.wire import ANNA, EVENT, GROUP, STANDS, Wire, exchange, failure
from workers.event.item_ids import is_ews_spelling
from workers.exchange import Patch
from workers.graph.exchange_ids import answer, is_immutable, respelled
from workers.update import Target

EWS = "AAMk" + "ADk+Xm/+jXRIyi/JP8AA" * 6
REST = "AAMk" + "ADk_Xm-_jXRIyi-JP8AA" * 6
IMMUTABLE = "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0AUxoQAA"
ASKED = Target(backend="cloud", event=EWS, mailbox="anna@contoso.com")


def translated(to: str | None) -> httpx.Response:
    return httpx.Response(200, json={"value": [{"sourceId": EWS, "targetId": to}]})


def events(wire: Wire) -> list[str]:
    return [str(request.url.path).rpartition("/")[2] for request in wire.seen]


@pytest.mark.parametrize(
    ("identifier", "ews"),
    [
        (EWS, True),
        (EWS.replace("AAMk", "AQMk"), True),
        (EWS.replace("+", "A"), True),
        (EWS.replace("/", "A"), True),
        (REST, False),
        ("AAMk" + "A" * 120, False),
        (IMMUTABLE, False),
        ("AAMkAA==", False),
        ("AAMk/123", False),
        (f"xxxx{EWS}", False),
        (f"{EWS}....", False),
        ("a/b", False),
        ("AAMk/1", False),
        ("https://x/+", False),
    ],
)
def test_an_ews_id_is_told_from_graphs_own(identifier: str, ews: bool) -> None:
    assert is_ews_spelling(identifier) is ews


def test_the_rule_by_which_ids_are_respelled() -> None:
    assert respelled("Xm+jXRIyi/JP8") == "Xm_jXRIyi-JP8"


def test_an_ews_id_is_translated_by_graph_and_only_once() -> None:
    wire = Wire(translated("AAMkTRANSLATED"), EVENT, EVENT, EVENT)
    graph = exchange(wire)
    graph.read(ASKED, [])
    graph.write(ASKED, STANDS, Patch({"subject": "new"}, "sendToNone", ("upd_2",)))
    graph.read(ASKED, [])
    assert events(wire) == ["translateExchangeIds", *["AAMkTRANSLATED"] * 3]
    assert wire.seen[0].url.path == "/v1.0/users/anna@contoso.com/translateExchangeIds"
    assert json.loads(wire.seen[0].content) == {"inputIds": [EWS], "sourceIdType": "ewsId", "targetIdType": "restId"}


@pytest.mark.parametrize(
    ("no", "asked_again"),
    [
        (failure(403), False),
        (failure(404), False),
        (failure(400), False),
        (translated(None), False),
        (httpx.Response(200, content=b"?"), False),
        (failure(429), True),
        (httpx.ReadTimeout("slow"), True),
    ],
)
def test_where_graph_does_not_translate_the_rule_does(no: httpx.Response | Exception, asked_again: bool) -> None:
    wire = Wire(no, EVENT, *([no] if asked_again else []), EVENT)
    graph = exchange(wire)
    graph.read(ASKED, [])
    graph.read(ASKED, [])
    assert [one for one in events(wire) if one != "translateExchangeIds"] == [REST, REST]
    assert (events(wire).count("translateExchangeIds") == 2) is asked_again


def test_a_groups_ids_are_respelled_without_asking() -> None:
    wire = Wire(EVENT)
    exchange(wire).read(Target(backend="cloud", event=EWS, group=GROUP.group), [])
    assert events(wire) == [REST]


def test_a_graph_id_is_left_alone() -> None:
    wire = Wire(EVENT)
    exchange(wire).read(Target(backend="cloud", event=REST, mailbox="anna@contoso.com"), [])
    assert events(wire) == [REST]


def test_an_immutable_id_is_kept_and_answered_with_such_ids() -> None:
    wire = Wire(EVENT, EVENT)
    graph = exchange(wire)
    target = Target(backend="cloud", event=IMMUTABLE, mailbox="anna@contoso.com")
    graph.read(target, [])
    graph.write(target, STANDS, Patch({"subject": "new"}, "sendToNone", ("upd_2",)))
    assert events(wire) == [IMMUTABLE, IMMUTABLE]
    assert all('IdType="ImmutableId"' in request.headers["Prefer"] for request in wire.seen)
    assert is_immutable(IMMUTABLE)
    assert not is_immutable(ANNA.event)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"value": []}',
        b'{"value": [{}]}',
        b'{"value": [{"targetId": 7}]}',
        b'{"value": [{"targetId": ""}]}',
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_what_is_no_translation_is_none(body: bytes) -> None:
    assert answer(body) is None
