"""A client that sends JSON of its own, and what its mapping makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.webhooks.conftest import Caller
from tests.webhooks.given import SMALLEST, is_problem, signature
from workers.settings import Settings
from workers.store import Store

MAPPING: dict[str, Any] = {
    "target": {"mailbox": "requester.email", "event": "fields.exchange_id"},
    "set": {"subject": "join(' ', ['Moved:', title])", "location": "room", "importance": "urgency"},
    "metadata": {"ticket": "id"},
}
TICKET: dict[str, Any] = {
    "id": 4711,
    "requester": {"email": "anna@contoso.com"},
    "fields": {"exchange_id": "AAMk"},
    "title": "Review",
    "unrelated": [{"x": None}],
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    hr, rooms = settings.client
    return settings.model_copy(update={"client": (hr.model_copy(update={"mapping": MAPPING}), rooms)})


def post(http: FlaskClient, body: Any, message_id: str = "msg_1") -> TestResponse:
    raw = json.dumps(body, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", **signature(raw, message_id)}
    return http.post("/v1/clients/hr/updates", data=raw, headers=headers)


def test_a_ticket_becomes_an_update(http: FlaskClient, store: Store) -> None:
    response = post(http, TICKET)
    assert response.status_code == 202
    assert response.get_json()["metadata"] == {"ticket": 4711}
    kept = store.update(response.get_json()["id"])
    assert kept is not None
    assert (kept.update.target.owner, kept.update.target.event) == ("anna@contoso.com", "AAMk")
    assert kept.update.intent.set == {"subject": "Moved: Review"}


def test_the_same_ticket_again_is_a_replay_and_another_under_its_id_is_refused(http: FlaskClient) -> None:
    first, again = post(http, TICKET), post(http, TICKET)
    assert (again.headers["Idempotent-Replayed"], again.get_json()) == ("true", first.get_json())
    assert is_problem(post(http, {**TICKET, "unrelated": 1}), 422, "key-reused")


def test_a_fault_points_into_the_update_and_names_the_expression(http: FlaskClient) -> None:
    response = post(http, {**TICKET, "fields": {}, "urgency": 3, "room": {"displayName": 7}})
    assert is_problem(response, 422, "validation", "/target/event", "/set/importance", "/set/location/displayName")
    told = {fault["pointer"]: fault["detail"] for fault in response.get_json(force=True)["errors"]}
    assert told["/target/event"].startswith("this field is required")
    assert "fields.exchange_id" in told["/target/event"]
    assert "'urgency'" in told["/set/importance"]
    assert "'room'" in told["/set/location/displayName"]


def test_a_mailbox_without_a_backend_names_the_expression_that_it_came_from(http: FlaskClient) -> None:
    response = post(http, {**TICKET, "requester": {"email": "anna@elsewhere.example"}})
    assert is_problem(response, 422, "validation", "/target/mailbox")
    assert "requester.email" in response.get_json(force=True)["errors"][0]["detail"]


def test_an_expression_that_fails_names_itself_and_the_value(http: FlaskClient) -> None:
    response = post(http, {**TICKET, "title": 5})
    assert is_problem(response, 422, "validation", "/set/subject")
    [fault] = response.get_json(force=True)["errors"]
    assert "join(" in fault["detail"]
    assert "fails on 5" in fault["detail"]


@pytest.mark.parametrize("value", ["1e999", "nan"])
def test_what_a_mapping_makes_is_read_as_strictly_as_what_is_sent(
    http: FlaskClient, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setitem(MAPPING, "metadata", {"ticket": "to_number(id)"})
    assert is_problem(post(http, {**TICKET, "id": value}), 422, "validation", "")


def test_what_a_mapping_blows_up_is_refused(http: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MAPPING, "metadata", {str(copy): "text" for copy in range(20)})
    assert is_problem(post(http, {**TICKET, "text": "x" * 100_000}), 422, "validation", "")


def test_letters_of_every_script_count_in_what_a_mapping_makes_as_they_were_sent(
    http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MAPPING, "append", {"body": "text"})
    assert post(http, {**TICKET, "text": "ж" * 100_000}).status_code == 202


def test_half_a_character_from_an_expression_is_refused(http: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MAPPING, "append", {"body": r'`"\ud800"`'})
    assert is_problem(post(http, TICKET), 422, "validation", "")


def test_a_mapping_is_for_signed_requests_only(hr: Caller) -> None:
    assert hr.ask(SMALLEST).status_code == 202
    assert hr.ask(TICKET).status_code == 422
