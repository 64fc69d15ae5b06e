from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis

from tests.webhooks.conftest import Caller
from tests.webhooks.given import KEY, SEED, SMALLEST, TARGET, is_problem
from workers.store import Store, searching


def test_the_seeds_update_is_accepted(hr: Caller, store: Store) -> None:
    response = hr.ask(SEED)
    body = response.get_json()
    assert response.status_code == 202
    assert response.content_type == "application/json"
    assert response.headers["Location"] == f"/v1/updates/{body['id']}"
    assert response.headers["Retry-After"] == "1"
    assert "Idempotent-Replayed" not in response.headers
    assert body["state"] == "queued"
    assert body["target"] == SEED["target"]
    kept = store.update(body["id"])
    assert kept is not None
    assert kept.update.client == "hr"
    assert kept.update.send_invitations == "sendToAllAndSaveCopy"
    assert kept.update.deadline - kept.update.created_at == timedelta(hours=24)


def test_what_is_accepted_is_what_is_read(hr: Caller) -> None:
    accepted = hr.ask({**SMALLEST, "metadata": {"ticket": 7}})
    assert hr.get(accepted.headers["Location"]).get_json() == accepted.get_json()
    assert accepted.get_json()["metadata"] == {"ticket": 7}


def test_the_bell_is_rung(hr: Caller, settings: Any, rung: Callable[[], bool]) -> None:
    broker = Redis.from_url(settings.broker_url, decode_responses=True)
    broker.flushdb()
    update_id = hr.ask().get_json()["id"]
    assert rung()
    ids = [json.loads(message)["headers"]["id"] for message in broker.lrange("updates", 0, -1)]
    assert ids.count(update_id) == 1, "beside late bells of the test before"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEY}"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/updates"),
        ("GET", "/v1/updates?x=1"),
        ("GET", "/v1/updates/upd_x"),
        ("POST", "/v1/updates/x/cancel"),
    ],
)
def test_a_stranger_learns_nothing(http: FlaskClient, method: str, path: str, headers: dict[str, str]) -> None:
    response = http.open(path, method=method, headers=headers, data=b"x" * 300_000)
    assert is_problem(response, 401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "identity"},
    ],
)
def test_another_media_type_is_refused(hr: Caller, headers: dict[str, str]) -> None:
    assert is_problem(hr.send(json.dumps(SMALLEST).encode(), **headers), 415, "media-type")


def test_a_charset_may_be_named_if_it_is_utf_8(hr: Caller) -> None:
    response = hr.send(json.dumps(SMALLEST).encode(), **{"Content-Type": "application/json;charset=UTF-8"})
    assert response.status_code == 202


def test_a_body_that_is_too_large_is_refused(hr: Caller) -> None:
    assert is_problem(hr.send(b'{"a": "' + b"x" * 256 * 1024 + b'"}'), 413, "too-large")


def test_a_chunked_body_that_is_too_large_is_refused(hr: Caller) -> None:
    body = io.BytesIO(json.dumps(SMALLEST).encode() + b" " * 256 * 1024)
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": "k",
        "Transfer-Encoding": "chunked",
        **hr.headers(),
    }
    response = hr.http.post(
        "/v1/updates", input_stream=body, headers=headers, environ_overrides={"wsgi.input_terminated": True}
    )
    assert is_problem(response, 413, "too-large")


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff\xfe{}", b"[" * 3000, b'{"a":' * 21 + b"1" + b"}" * 21],
)
def test_a_body_that_is_not_our_json_is_malformed(hr: Caller, raw: bytes) -> None:
    assert is_problem(hr.send(raw), 400, "malformed")


def test_an_invalid_update_names_every_field(hr: Caller) -> None:
    response = hr.ask({"target": TARGET, "set": {"subject": 5, "organizer": {}}, "colour": "red"})
    assert is_problem(response, 422, "validation", "/set/subject", "/set/organizer", "/colour")


def test_another_clients_update_is_not_there(hr: Caller, rooms: Caller) -> None:
    update_id = hr.ask().get_json()["id"]
    assert is_problem(rooms.get(f"/v1/updates/{update_id}"), 404, "not-found")
    assert is_problem(rooms.post(f"/v1/updates/{update_id}/cancel"), 404, "not-found")
    assert rooms.get("/v1/updates").get_json() == {"items": [], "nextCursor": None}


@pytest.mark.parametrize(
    "update_id",
    [
        "x",
        "upd_",
        "upd_" + "0" * 26,
        "..",
        "%2e%2e",
        "..%2f..",
        "%00",
        "%0d%0ax: y",
        "*",
        "%ff",
        "a" * 5000,
        "%F0%9F%92%A9",
        "rdv:due",
    ],
)
def test_an_id_that_is_none_is_not_found(hr: Caller, update_id: str) -> None:
    assert is_problem(hr.get(f"/v1/updates/{update_id}"), 404, "not-found")
    assert is_problem(hr.post(f"/v1/updates/{update_id}/cancel"), 404, "not-found")


def test_the_list_is_newest_first_in_pages(hr: Caller) -> None:
    ids = [hr.ask().get_json()["id"] for _ in range(5)]
    first = hr.get("/v1/updates?limit=3").get_json()
    second = hr.get(f"/v1/updates?limit=3&cursor={first['nextCursor']}").get_json()
    assert sorted([item["id"] for item in first["items"] + second["items"]]) == sorted(ids)
    assert second["nextCursor"] is None


def test_a_page_has_twenty_unless_another_number_is_asked_for(hr: Caller) -> None:
    for _ in range(21):
        hr.ask()
    page = hr.get("/v1/updates").get_json()
    assert len(page["items"]) == 20 and page["nextCursor"]


def test_the_list_is_filtered(hr: Caller) -> None:
    anna = hr.ask().get_json()["id"]
    bob = hr.ask({**SMALLEST, "target": {"mailbox": "bob@contoso.com", "event": "x"}}).get_json()["id"]
    hr.post(f"/v1/updates/{anna}/cancel")

    def ids(query: str) -> list[str]:
        return [item["id"] for item in hr.get(f"/v1/updates?{query}").get_json()["items"]]

    assert ids("mailbox=BOB@contoso.com") == [bob]
    assert ids("state=cancelled") == [anna]
    assert ids("state=queued&mailbox=anna@contoso.com") == []


def test_a_filter_that_matches_little_gives_pages_in_bounded_time(hr: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled, *_ = [hr.ask().get_json()["id"] for _ in range(4)]
    hr.post(f"/v1/updates/{cancelled}/cancel")
    monkeypatch.setattr(searching, "LOOKED_AT", 3)
    first = hr.get("/v1/updates?state=cancelled").get_json()
    assert first["items"] == [] and first["nextCursor"]
    second = hr.get(f"/v1/updates?state=cancelled&cursor={first['nextCursor']}").get_json()
    assert ([item["id"] for item in second["items"]], second["nextCursor"]) == ([cancelled], None)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("colour=red", "colour"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1e1", "limit"),
        ("limit=", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=%D9%A5", "limit"),
        ("state=happy", "state"),
        ("mailbox=", "mailbox"),
        ("mailbox=%00", "mailbox"),
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_a_wrong_parameter_is_named(hr: Caller, query: str, named: str) -> None:
    response = hr.get(f"/v1/updates?{query}")
    assert is_problem(response, 400, "malformed")
    assert named in response.get_json(force=True)["detail"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("colour=red", "The parameter colour: there is no such parameter."),
        ("limit=101", "The parameter limit: it must be at most 100."),
        ("limit=many", "The parameter limit: it must be a positive whole number."),
        ("limit=-1", "The parameter limit: it must be a positive whole number."),
        ("state=happy", "The parameter state: it must be 'queued', 'running', 'retrying', 'succeeded', 'dead' or"
                        " 'cancelled'."),
        ("mailbox=%00", "The parameter mailbox: it must be visible ASCII characters."),
    ],
)  # fmt: skip
def test_what_a_parameter_may_be_is_told(hr: Caller, query: str, said: str) -> None:
    assert hr.get(f"/v1/updates?{query}").get_json(force=True)["detail"] == said
