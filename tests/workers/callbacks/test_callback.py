"""Callbacks: composed from an update that has ended, signed, delivered, tried again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from tests.workers.given import an_update
from tests.workers.receiver import OK, Behaviour, Receiver, answering, receiving
from workers.callbacks.callback import (
    LONGEST_RETRY_AFTER,
    SAID_AT_MOST,
    SCHEDULE,
    Deliverer,
    Delivery,
    for_update,
    judge,
)
from workers.callbacks.egress import Answer
from workers.job import CallbackState, State, UpdateJob
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.public import public
from workers.settings import Client
from workers.tls import trust

NEW, OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
HERE = ip_network("127.0.0.1/32")
TRUST = trust()
SUCCEEDED = UpdateJob(
    an_update(callback_url="https://Hooks.Example.com:8443/x?y"),
    State.SUCCEEDED,
    finished_at="2026-11-21T09:00:01.000Z",
)


def a_client(**changes: Any) -> Client:
    return Client.model_validate({"name": "hr", "webhook_secrets": [NEW, OLD], "callback_networks": [HERE], **changes})


def delivered(url: str, attempts: int = 0, client: Client | None = None, text: str = '{"type":"x"}') -> Outcome:
    deliverer = Deliverer({"hr": client or a_client()}, TRUST, TRUST)
    return deliverer.deliver("msg_1", Delivery("hr", url, text).to_json(), attempts, 0.0)


def test_a_callback_names_its_update_and_one_about_a_change_has_none() -> None:
    callback = for_update(SUCCEEDED)
    assert callback is not None and Delivery.from_json(callback.body).update == SUCCEEDED.update.id
    changed = '{"type": "calendar.event.changed", "data": {"id": "chg_1"}}'
    assert Delivery("hr", "https://hooks.example.com/", changed).update is None


def headers(receiver: Receiver) -> Mapping[str, str]:
    lines = receiver.heads[-1].split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def test_nobody_asked_nobody_is_called() -> None:
    assert for_update(replace(SUCCEEDED, update=an_update())) is None


@pytest.mark.parametrize("state", ["succeeded", "dead", "cancelled"])
def test_the_body_is_the_contracts(state: str) -> None:
    job = replace(SUCCEEDED, state=State(state))
    made = for_update(job)
    assert made is not None
    delivery = Delivery.from_json(made.body)
    assert (delivery.client, delivery.url) == ("hr", "https://Hooks.Example.com:8443/x?y")
    body = json.loads(delivery.text)
    assert body.keys() == {"type", "timestamp", "data"}
    assert (body["type"], body["timestamp"]) == (f"calendar.update.{state}", "2026-11-21T09:00:01.000Z")
    assert {**body["data"], "callback": None} == {**public(job), "callback": None}


def test_callbacks_of_one_event_to_one_url_stand_in_one_line_and_those_of_one_client_to_one_host_in_one_lane() -> None:
    made, again = for_update(SUCCEEDED), for_update(replace(SUCCEEDED, callback=CallbackState("u", "waiting", 0)))
    assert made is not None
    assert again is not None
    assert (made.line, made.lane) == (again.line, again.lane)
    assert made.lane == "callback/hr@hooks.example.com:8443"
    assert made.id != again.id
    assert made.id.startswith("msg_")


@given(st.builds(Delivery, st.text(), st.text(), st.text()))
def test_a_delivery_is_stored_and_read_back(delivery: Delivery) -> None:
    assert Delivery.from_json(delivery.to_json()) == delivery


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_a_receiver_with_any_live_secret_can_verify_it(secret: str) -> None:
    with receiving(answering(OK)) as receiver:
        outcome = delivered(receiver.url, text='{"type":"calendar.update.succeeded","é":1}')
    assert outcome == Succeeded(None, "HTTP 200")
    assert Webhook(secret).verify(receiver.bodies[0], dict(headers(receiver)))
    assert receiver.bodies[0] == '{"type":"calendar.update.succeeded","é":1}'.encode()
    assert headers(receiver)["webhook-id"] == "msg_1"
    assert headers(receiver)["content-type"] == "application/json"


def test_nothing_is_sent_without_a_signature() -> None:
    with receiving(answering(OK)) as receiver:
        outcome = delivered(receiver.url, client=a_client(webhook_secrets=()))
    assert receiver.bodies == []
    assert isinstance(outcome, Dead)
    assert outcome.failure.code == "NoSecret"


def test_a_client_that_is_gone_is_called_no_more() -> None:
    deliverer = Deliverer({}, TRUST, TRUST)
    outcome = deliverer.deliver("msg_1", Delivery("hr", "https://x.example/", "{}").to_json(), 0, 0.0)
    assert isinstance(outcome, Dead)
    assert outcome.failure.code == "ClientGone"


def test_what_may_not_be_dialled_is_a_dead_letter_at_once() -> None:
    with receiving(answering(OK)) as receiver:
        outcome = delivered(f"https://localhost:{receiver.port}/", client=a_client(callback_networks=()))
    assert isinstance(outcome, Dead)
    assert (outcome.failure.error_class, outcome.failure.code) == ("refused", "blocked")
    assert receiver.heads == []


@pytest.mark.parametrize("url", ["https://a..b/", "http://nowhere.invalid/", "http://127.0.0.1:1/"])
def test_a_receiver_that_is_not_there_is_tried_again(url: str) -> None:
    assert isinstance(delivered(url), Retry)


@pytest.mark.parametrize("behaviour", [answering(b""), answering(b"garbage\r\n\r\n")], ids=["hangs up", "garbage"])
def test_a_receiver_that_speaks_no_http_is_tried_again(behaviour: Behaviour) -> None:
    with receiving(behaviour) as receiver:
        assert isinstance(delivered(receiver.url), Retry)


def test_of_what_a_receiver_says_only_so_much_is_kept() -> None:
    with receiving(answering(b"\xff" * 50_000 + b"\r\n\r\n")) as receiver:
        outcome = delivered(receiver.url)
    assert isinstance(outcome, Retry) and "illegal status line" in outcome.detail
    assert len(outcome.detail) == SAID_AT_MOST


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(status: int) -> None:
    assert isinstance(judge(Answer(status, (), b""), 0, 0.0), Succeeded)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 304, 400, 401, 404, 429, 500, 503, 999])
def test_everything_else_is_tried_again(status: int) -> None:
    outcome = judge(Answer(status, (("Location", "https://elsewhere.example/"),), b""), 0, 0.0)
    assert isinstance(outcome, Retry)
    assert outcome.detail == f"HTTP {status}"


def test_410_ends_it() -> None:
    outcome = judge(Answer(410, (), b""), 0, 0.0)
    assert isinstance(outcome, Dead)
    assert "410 Gone" in outcome.failure.detail


def waits(dice: float) -> list[timedelta]:
    outcomes = [judge(Answer(500, (), b""), attempts, dice) for attempts in range(len(SCHEDULE) - 1)]
    return [outcome.after for outcome in outcomes if isinstance(outcome, Retry)]


def test_there_are_ten_attempts_over_about_three_days() -> None:
    assert waits(0.0) == list(SCHEDULE[1:])
    assert len(SCHEDULE) == 10
    assert timedelta(days=2.5) < sum(SCHEDULE, timedelta()) < timedelta(days=3.5)
    last = judge(Answer(500, (), b""), len(SCHEDULE) - 1, 0.0)
    assert isinstance(last, Dead)
    assert last.failure.code == "CallbackExhausted"


@given(st.floats(0, 1, exclude_max=True))
def test_jitter_is_only_added_and_never_much(dice: float) -> None:
    for planned, waited in zip(SCHEDULE[1:], waits(dice), strict=True):
        assert planned <= waited <= planned * 1.1 + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("120", timedelta(seconds=120), timedelta(seconds=120)),
        ("3", SCHEDULE[1], SCHEDULE[1]),
        ("999999999999999999999", LONGEST_RETRY_AFTER, LONGEST_RETRY_AFTER),
        ("1e300", LONGEST_RETRY_AFTER, LONGEST_RETRY_AFTER),
        ("Fri, 31 Dec 2100 23:59:59 GMT", LONGEST_RETRY_AFTER, LONGEST_RETRY_AFTER),
        ("Fri, 31 Dec 1999 23:59:59 GMT", SCHEDULE[1], SCHEDULE[1]),
        ("-5", SCHEDULE[1], SCHEDULE[1]),
        ("soon", SCHEDULE[1], SCHEDULE[1]),
        ("nan", SCHEDULE[1], SCHEDULE[1]),
        ("", SCHEDULE[1], SCHEDULE[1]),
    ],
)
def test_retry_after_is_honoured_within_reason(value: str, least: timedelta, most: timedelta) -> None:
    outcome = judge(Answer(503, (("Retry-After", value),), b""), 0, 0.0)
    assert isinstance(outcome, Retry)
    assert least <= outcome.after <= most


@given(st.text(max_size=30), st.integers(0, 8))
def test_no_retry_after_breaks_anything(value: str, attempts: int) -> None:
    assert isinstance(judge(Answer(503, (("retry-after", value),), b""), attempts, 0.9), Retry)
