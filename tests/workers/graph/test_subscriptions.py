"""Graph is asked to tell us of changes, and kept doing so: from the bytes on the wire."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.workers.graph.wire import Wire, backend, failure
from workers.changes.feed import Subscribed
from workers.changes.watch import Watch
from workers.exchange import NotFound, Unavailable, Unknown, VersionMoved
from workers.graph.connection import Connection
from workers.graph.rich_notification import Certificate
from workers.graph.subscriptions import LIFE, GraphPush

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
WATCH = Watch("wch_1", "cloud", "anna@contoso.com", "wch_1.secret", graph_id="g/1")
MADE = {"id": "g/1", "expirationDateTime": "2026-11-28T08:50:00.0000000Z"}
ADDRESS = "https://rendezvous.example.com/v1/graph/notifications"


def push(wire: Wire) -> GraphPush:
    connection = Connection(backend(), httpx.MockTransport(wire))
    return GraphPush(connection, "https://graph.example/v1.0", "https://rendezvous.example.com/")


def test_a_subscription_is_made_with_everything_that_cannot_be_added_later() -> None:
    wire = Wire(httpx.Response(201, json=MADE))
    assert push(wire).create(WATCH, NOW) == Subscribed("g/1", datetime(2026, 11, 28, 8, 50, tzinfo=UTC))
    (request,) = wire.seen
    assert (request.method, request.url.path) == ("POST", "/v1.0/subscriptions")
    assert request.headers["Prefer"] == 'IdType="ImmutableId"'
    assert json.loads(request.content) == {
        "changeType": "created,updated,deleted",
        "notificationUrl": ADDRESS,
        "lifecycleNotificationUrl": "https://rendezvous.example.com/v1/graph/lifecycle",
        "resource": "users/anna@contoso.com/events",
        "expirationDateTime": "2026-11-28T08:50:00.000Z",
        "clientState": "wch_1.secret",
        "latestSupportedTlsVersion": "v1_2",
    }


def test_where_it_comes_to_and_whether_it_is_sealed_are_the_terms_and_not_with_which_certificate() -> None:
    def terms(url: str, certificate: Certificate | None) -> str:
        return GraphPush(Connection(backend()), "https://graph.example/v1.0", url, certificate).terms

    key = rsa.generate_private_key(65537, 2048)
    old, new = Certificate("1", "MII1", key), Certificate("2", "MII2", key)
    here = "https://a.example"
    assert terms(here, old) == terms(f"{here}/", new)
    assert len({terms(here, None), terms("https://b.example", None), terms(here, old)}) == 3


def test_the_life_asked_for_is_within_what_graph_allows() -> None:
    assert timedelta(days=6) < LIFE < timedelta(minutes=10_080)


def test_one_that_is_in_the_way_makes_place_and_others_do_not() -> None:
    listed = {
        "value": [
            {"id": "stray", "resource": "/Users/Anna@contoso.com/events", "notificationUrl": ADDRESS},
            {
                "id": "elsewhere",
                "resource": "users/anna@contoso.com/events",
                "notificationUrl": "https://other.example",
            },
            {"id": "bens", "resource": "users/ben@contoso.com/events", "notificationUrl": ADDRESS},
        ]
    }
    made = httpx.Response(201, json=MADE)
    refused, lost = Wire(failure(409), listed, httpx.Response(204), made), Wire(listed, httpx.Response(204), made)
    push(refused).create(WATCH, NOW)
    push(lost).create(replace(WATCH, asked=NOW), NOW)
    calls = [
        ("POST", "/v1.0/subscriptions"),
        ("GET", "/v1.0/subscriptions"),
        ("DELETE", "/v1.0/subscriptions/stray"),
        ("POST", "/v1.0/subscriptions"),
    ]
    assert [(request.method, request.url.path) for request in refused.seen] == calls
    assert [(request.method, request.url.path) for request in lost.seen] == calls[1:]


@pytest.mark.parametrize(
    "listed", [{}, {"value": 1}, {"value": ["stray"]}, {"value": [{"resource": "users/a/events"}]}]
)
def test_a_list_of_subscriptions_that_cannot_be_read_is_told(listed: object) -> None:
    with pytest.raises(Unavailable):
        push(Wire(httpx.Response(200, json=listed))).create(replace(WATCH, asked=NOW), NOW)


def test_a_second_refusal_is_told() -> None:
    with pytest.raises(VersionMoved):
        push(Wire(failure(409), {"value": []}, failure(409))).create(WATCH, NOW)


def test_a_renewal_asks_for_a_full_life_again() -> None:
    wire = Wire(httpx.Response(200, json=MADE))
    push(wire).renew(WATCH, NOW)
    (request,) = wire.seen
    assert (request.method, request.url.raw_path) == ("PATCH", b"/v1.0/subscriptions/g%2F1")
    assert json.loads(request.content) == {"expirationDateTime": "2026-11-28T08:50:00.000Z"}


def test_a_renewal_of_what_is_gone_says_so() -> None:
    with pytest.raises(NotFound):
        push(Wire(failure(404))).renew(WATCH, NOW)


@pytest.mark.parametrize("answer", [httpx.Response(204), failure(404)])
def test_what_is_deleted_is_gone_whoever_did_it(answer: httpx.Response) -> None:
    wire = Wire(answer)
    push(wire).delete(WATCH)
    assert wire.seen[0].method == "DELETE"


@pytest.mark.parametrize("ends", ["9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-12:00", "2026-11-29T09:00:00Z"])
def test_it_lives_no_longer_than_was_asked_for_whatever_graph_says(ends: str) -> None:
    answer = httpx.Response(200, json={**MADE, "expirationDateTime": ends})
    asked_for = Subscribed("g/1", NOW + LIFE)
    assert push(Wire(answer)).create(WATCH, NOW) == push(Wire(answer)).renew(WATCH, NOW) == asked_for


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"id": "g"},
        {**MADE, "id": ""},
        {**MADE, "id": None},
        {"id": "g", "expirationDateTime": "2026-11-28T08:50:00"},
        {"id": "g", "expirationDateTime": "2026-11-21T09:00:00Z"},
        {"id": "g", "expirationDateTime": "0001-01-01T00:00:00+01:00"},
    ],
)
def test_an_answer_that_tells_of_no_subscription_leaves_it_in_doubt(body: object) -> None:
    with pytest.raises(Unknown):
        push(Wire(httpx.Response(201, json=body))).create(replace(WATCH, graph_id=None), NOW)
