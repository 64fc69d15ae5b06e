"""How much a client may ask for, and how much may wait."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import pytest
from flask.testing import FlaskClient
from flask_openapi.openapi import OpenAPI
from redis import Redis

from tests.configured import configured
from tests.webhooks.conftest import Caller
from tests.webhooks.given import SMALLEST, is_problem, signature
from webhooks import rates
from webhooks.door import Door, hang
from webhooks.rates import READS, Rates
from workers.settings import Client, Settings
from workers.store import Store

ROOM: dict[str, Any] = {**SMALLEST, "target": {"mailbox": "room-1@contoso.com", "event": "AAMk"}}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """hr may ask for three updates an hour; rooms may have two waiting, one of them in a mailbox."""
    hr, rooms = settings.client
    few = hr.model_copy(update={"rate_limit": "3/hour"})
    little = rooms.model_copy(update={"max_backlog": 2, "max_backlog_per_mailbox": 1})
    return settings.model_copy(update={"client": (few, little)})


def _with_rate(settings: Settings, rate: str) -> Client:
    return settings.clients["hr"].model_copy(update={"rate_limit": rate})


def test_who_asks_too_often_is_told_when_to_come_again(hr: Caller) -> None:
    assert [hr.ask().status_code for _ in range(3)] == [202] * 3
    response = hr.ask()
    assert is_problem(response, 429, "rate-limited")
    assert 0 < int(response.headers["Retry-After"]) <= 3600
    assert "3 updates per hour" in response.get_json(force=True)["detail"]


def test_what_is_refused_counts_too_and_so_does_a_replay(hr: Caller) -> None:
    assert [hr.ask({}).status_code, hr.ask(key="k").status_code, hr.ask(key="k").status_code] == [422, 202, 202]
    assert is_problem(hr.ask(key="k"), 429, "rate-limited")


def test_ten_times_as_much_may_be_read_also_by_who_has_asked_for_too_much(hr: Caller) -> None:
    assert [hr.ask().status_code for _ in range(4)] == [202, 202, 202, 429]
    assert {hr.get("/v1/updates").status_code for _ in range(3 * READS)} == {200}
    response = hr.get("/v1/updates")
    assert is_problem(response, 429, "rate-limited")
    assert "30 reads per hour" in response.get_json(force=True)["detail"]


def test_who_has_read_too_much_may_still_ask(hr: Caller) -> None:
    assert {hr.get("/v1/updates").status_code for _ in range(3 * READS + 1)} == {200, 429}
    assert hr.ask().status_code == 202


def test_one_client_does_not_use_up_what_another_may(hr: Caller, rooms: Caller) -> None:
    for _ in range(4):
        hr.ask()
    assert rooms.ask(ROOM).status_code == 202


def test_all_web_processes_count_together(settings: Settings) -> None:
    here, there = Rates(settings.store_url), Rates(settings.store_url)
    client = settings.clients["hr"]
    assert [rates.spend(client, "updates") for rates in (here, there, here)] == [None] * 3
    assert there.spend(client, "updates") is not None


def test_of_a_large_budget_the_store_is_told_in_sums(
    settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "TOLD_EVERY", 3600.0)
    client, ours = _with_rate(settings, "60000/minute"), Rates(settings.store_url)
    told = []
    for _ in range(62):
        assert ours.spend(client, "updates") is None
        [key] = redis.keys("rdv:rate*")
        told.append(int(redis.get(key) or 0))
    assert told == [1] * 61 + [62], "a thousandth of 60,000 at a time, and nothing is forgotten"


def test_the_store_is_told_of_small_change_after_a_moment(
    settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "TOLD_EVERY", 0.0)
    client, ours = _with_rate(settings, "60000/minute"), Rates(settings.store_url)
    for _ in range(3):
        ours.spend(client, "updates")
    assert [redis.get(key) for key in redis.keys("rdv:rate*")] == ["3"]


def test_a_large_budget_ends_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "TOLD_EVERY", 3600.0)
    client, ours = _with_rate(settings, "1000/hour"), Rates(settings.store_url)
    allowed = [ours.spend(client, "updates") is None for _ in range(1010)]
    assert allowed == [True] * 1000 + [False] * 10


def test_signed_requests_are_counted_with_the_others(http: FlaskClient, hr: Caller) -> None:
    for _ in range(3):
        hr.ask()
    raw = json.dumps(SMALLEST).encode()
    headers = {"Content-Type": "application/json", **signature(raw)}
    assert is_problem(http.post("/v1/clients/hr/updates", data=raw, headers=headers), 429, "rate-limited")


def test_strangers_use_up_nobodys_rate(http: FlaskClient, hr: Caller) -> None:
    for _ in range(10):
        assert http.post("/v1/clients/hr/updates", data=b"{}").status_code == 401
        assert http.post("/v1/updates", headers={"Authorization": "Bearer x"}).status_code == 401
    assert hr.ask().status_code == 202


def test_nobody_is_held_up_by_counters_that_cannot_be_written(app: OpenAPI, hr: Caller, redis: Redis) -> None:
    """Reading and cancelling go on when the store is full, and when only the counters are away so does asking."""
    update_id = hr.ask().get_json()["id"]
    with configured(redis, maxmemory=1):
        assert hr.get("/v1/updates").status_code == 200
        assert hr.post(f"/v1/updates/{update_id}/cancel").status_code == 200
    hang(replace(cast(Door, app.extensions["rendezvous"]), rates=Rates("redis://127.0.0.1:9/0")), app.extensions)
    assert [hr.ask().status_code for _ in range(4)] == [202] * 4


@pytest.mark.parametrize("rate", ["", "10", "0/minute", "1e3/minute", "10/day", "10 per minute", "-1/minute"])
def test_a_rate_that_is_none_is_refused_in_the_configuration(rate: str) -> None:
    with pytest.raises(ValueError, match="rate_limit"):
        Client.model_validate({"name": "hr", "rate_limit": rate})


def test_a_mailbox_has_a_bounded_backlog(rooms: Caller) -> None:
    assert rooms.ask(ROOM).status_code == 202
    response = rooms.ask(ROOM)
    assert is_problem(response, 429, "backlog-full")
    assert "mailbox" in response.get_json(force=True)["detail"]
    assert int(response.headers["Retry-After"]) > 0


def _in_room(number: int) -> dict[str, Any]:
    return {**SMALLEST, "target": {"mailbox": f"room-{number}@contoso.com", "event": "AAMk"}}


def test_a_client_has_a_bounded_backlog(rooms: Caller) -> None:
    assert [rooms.ask(_in_room(number)).status_code for number in (1, 2)] == [202, 202]
    response = rooms.ask(_in_room(3))
    assert is_problem(response, 429, "backlog-full")
    assert "your client" in response.get_json(force=True)["detail"]


def test_what_was_accepted_is_replayed_however_much_waits(rooms: Caller) -> None:
    first = rooms.ask(ROOM, key="k")
    assert is_problem(rooms.ask(ROOM), 429, "backlog-full")
    assert rooms.ask(ROOM, key="k").get_json()["id"] == first.get_json()["id"]


def test_what_was_refused_is_taken_under_its_key_when_there_is_room_again(rooms: Caller, store: Store) -> None:
    update_id = rooms.ask(ROOM).get_json()["id"]
    assert is_problem(rooms.ask(ROOM, key="k"), 429, "backlog-full")
    rooms.post(f"/v1/updates/{update_id}/cancel")
    assert rooms.ask(ROOM, key="k").status_code == 202
