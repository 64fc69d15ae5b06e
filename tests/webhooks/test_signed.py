"""POST /v1/clients/{client}/updates: who may, and how often a message counts."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from standardwebhooks import Webhook
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from tests.webhooks.conftest import Caller
from tests.webhooks.given import SECRET, SMALLEST, is_problem, signature, with_set
from workers.settings import Settings

OTHER_SECRET = "whsec_" + b64encode(b"another secret of 24 byt").decode()
RAW = json.dumps(SMALLEST).encode()
UNSIGNED: dict[str, Any] = {"webhook-signature": None}


def key(value: str | None) -> dict[str, Any]:
    return {"Idempotency-Key": value}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """hr has two live secrets; rooms has none."""
    hr, rooms = settings.client
    secrets = (SecretStr(OTHER_SECRET), SecretStr(SECRET))
    return settings.model_copy(update={"client": (hr.model_copy(update={"webhook_secrets": secrets}), rooms)})


def post(http: FlaskClient, raw: bytes = RAW, client: str = "hr", **headers: Any) -> TestResponse:
    """Signed as it should be, but for the headers given; None leaves one out."""
    sent = {"Content-Type": "application/json", **signature(raw), **headers}
    return http.post(
        f"/v1/clients/{client}/updates", data=raw, headers={k: v for k, v in sent.items() if v is not None}
    )


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_a_message_signed_with_any_live_secret_is_an_update(http: FlaskClient, hr: Caller, secret: str) -> None:
    response = post(http, **signature(RAW, secret=secret))
    assert response.status_code == 202
    assert hr.get(response.headers["Location"]).get_json() == response.get_json()


def test_what_the_published_package_signs_is_taken(http: FlaskClient) -> None:
    now = datetime.now(UTC)
    signed = Webhook(SECRET).sign("msg_2", now, RAW.decode())
    headers: dict[str, Any] = {
        "webhook-id": "msg_2",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signed,
    }
    assert post(http, **headers).status_code == 202


def _strange() -> dict[str, dict[str, Any]]:
    now = datetime.now(UTC).timestamp()
    return {
        "no signature": {"webhook-signature": None},
        "no id": {"webhook-id": None},
        "no timestamp": {"webhook-timestamp": None},
        "another id": {"webhook-id": "msg_2"},
        "another time": {"webhook-timestamp": str(int(now) - 1)},
        "too old": signature(RAW, at=now - 302),
        "too early": signature(RAW, at=now + 302),
        "another secret": signature(RAW, secret="whsec_" + b64encode(b"x" * 24).decode()),
        "another body": signature(RAW + b" "),
        "garbage": {"webhook-signature": "v1,abc  v1a, \xff"},
        "a timestamp that is none": {"webhook-timestamp": "\xb2"},
        "an id too long": signature(RAW, "m" * 256),
        "an id of two words": signature(RAW, "msg 1"),
        "an id beyond ASCII": signature(RAW, "msg_\xe9"),
        "a client without secrets": {"client": "rooms"},
        "no such client": {"client": "nobody"},
        "a name that is none": {"client": "%00..%0d%0a"},
    }


@pytest.mark.parametrize("strange", _strange())
def test_a_stranger_gets_one_answer_whatever_is_wrong(http: FlaskClient, hr: Caller, strange: str) -> None:
    response = post(http, **_strange()[strange])
    assert is_problem(response, 401, "unauthorized")
    expected = post(http, **UNSIGNED)
    assert _but_the_request_id(response) == _but_the_request_id(expected)
    assert set(response.headers.keys()) == set(expected.headers.keys())
    assert hr.get("/v1/updates").get_json()["items"] == []


def _but_the_request_id(response: TestResponse) -> dict[str, Any]:
    return {**response.get_json(force=True), "requestId": None}


@pytest.mark.parametrize(
    ("strange", "suspicion"),
    [
        ("no such client", "no such client"),
        ("a client without secrets", "no webhook secret"),
        ("no signature", "header is missing"),
        ("too old", "too far from our clock"),
        ("another secret", "no signature fits"),
    ],
)
def test_our_log_says_what_it_probably_was(http: FlaskClient, strange: str, suspicion: str) -> None:
    with capture_logs() as lines:
        post(http, **_strange()[strange])
    assert suspicion in lines[-1]["suspicion"]


def test_as_many_secrets_are_tried_for_a_client_that_there_is_not(
    http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def verify(secrets: list[str], *_: object, **__: object) -> bool:
        tried.append(len(secrets))
        return False

    monkeypatch.setattr("webhooks.signed.verify", verify)
    for client in ("hr", "rooms", "nobody"):
        post(http, client=client)
    assert tried == [2, 2, 2]


@pytest.mark.parametrize("drift", [-299, 299])
def test_a_clock_may_be_five_minutes_off(http: FlaskClient, drift: int) -> None:
    assert post(http, **signature(RAW, at=datetime.now(UTC).timestamp() + drift)).status_code == 202


def test_an_api_key_is_no_signature_and_a_signature_is_no_api_key(http: FlaskClient, hr: Caller) -> None:
    assert post(http, **dict[str, Any](hr.headers()), **UNSIGNED).status_code == 401
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k", **signature(RAW)}
    assert http.post("/v1/updates", data=RAW, headers=headers).status_code == 401


def test_the_message_id_is_the_idempotency_key(http: FlaskClient, hr: Caller) -> None:
    first, again = post(http), post(http, **signature(RAW, at=datetime.now(UTC).timestamp() - 60))
    assert again.status_code == 202
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.get_json() == first.get_json()
    assert hr.ask(SMALLEST, key="msg_1").get_json()["id"] == first.get_json()["id"]
    assert len(hr.get("/v1/updates").get_json()["items"]) == 1


def test_a_key_that_is_given_goes_before_the_message_id(http: FlaskClient, hr: Caller) -> None:
    first = post(http, **key('"k1"'))
    assert hr.ask(SMALLEST, key="k1").get_json()["id"] == first.get_json()["id"]
    another_message = post(http, **signature(RAW, "msg_2"), **key("k1"))
    assert another_message.get_json()["id"] == first.get_json()["id"]


@pytest.mark.parametrize("first", [None, "k1"])
@pytest.mark.parametrize("then", [None, "k2"])
def test_who_captured_a_message_has_nothing_done_twice(
    http: FlaskClient, hr: Caller, first: str | None, then: str | None
) -> None:
    """The Idempotency-Key is not signed: another one, or none, must not make another update of the same message."""
    original, replay = post(http, **key(first)), post(http, **key(then))
    assert replay.headers["Idempotent-Replayed"] == "true"
    assert replay.get_json()["id"] == original.get_json()["id"]
    assert len(hr.get("/v1/updates").get_json()["items"]) == 1


def test_one_message_id_for_two_bodies_is_refused(http: FlaskClient) -> None:
    post(http)
    raw = json.dumps(with_set(subject="Other")).encode()
    assert is_problem(post(http, raw), 422, "key-reused")


def test_a_key_that_is_none_is_refused(http: FlaskClient) -> None:
    assert is_problem(post(http, **key("two words")), 400, "key-malformed")


@pytest.mark.parametrize(
    ("raw", "headers", "status", "name"),
    [
        (b"x" * (256 * 1024 + 1), {}, 413, "too-large"),
        (RAW, {"Content-Type": "text/plain"}, 415, "media-type"),
        (RAW, {"Content-Encoding": "gzip"}, 415, "media-type"),
        (b"", {}, 400, "malformed"),
        (b'{"a": 1, "a": 2}', {}, 400, "malformed"),
        (b'{"a": NaN}', {}, 400, "malformed"),
        ("{}".encode("utf-16"), {}, 400, "malformed"),
        (b"[" * 3000, {}, 400, "malformed"),
    ],
)
def test_a_signed_body_is_read_as_strictly_as_any(
    http: FlaskClient, raw: bytes, headers: dict[str, Any], status: int, name: str
) -> None:
    assert is_problem(post(http, raw, **headers), status, name)


def test_a_signed_update_goes_through_the_same_admission(http: FlaskClient) -> None:
    elsewhere = json.dumps({**SMALLEST, "target": {"mailbox": "anna@elsewhere.example", "event": "x"}}).encode()
    assert is_problem(post(http, elsewhere), 422, "validation", "/target/mailbox")
    nothing = json.dumps({"target": SMALLEST["target"], "set": {"subject": 5}}).encode()
    assert is_problem(post(http, nothing), 422, "validation", "/set/subject")


def test_a_message_is_too_old_by_our_own_clock(http: FlaskClient, later: Callable[[timedelta], None]) -> None:
    later(timedelta(seconds=310))
    assert is_problem(post(http), 401, "unauthorized")
