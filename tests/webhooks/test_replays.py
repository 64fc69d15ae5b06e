from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from flask_openapi.openapi import OpenAPI
from prometheus_client import REGISTRY
from redis import Redis

from tests.webhooks.conftest import Caller
from tests.webhooks.given import SEED, SMALLEST, is_problem, soon, with_set
from tests.workers.given import claimed
from workers.store import Store


def test_the_same_key_and_body_again_is_the_same_update(hr: Caller) -> None:
    first = hr.ask(SEED, key="k1")
    reordered = dict(reversed(SEED.items()))
    again = hr.send(json.dumps(reordered, indent=2).encode(), **{"Idempotency-Key": '"k1"'})
    assert again.status_code == 202
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert len(hr.get("/v1/updates").get_json()["items"]) == 1


def test_a_replay_shows_the_update_as_it_stands_now(hr: Caller, store: Store) -> None:
    update_id = hr.ask(key="k1").get_json()["id"]
    claimed(store, update_id)
    assert hr.ask(key="k1").get_json()["state"] == "running"


def test_the_same_key_with_another_body_is_refused(hr: Caller) -> None:
    hr.ask(key="k1")
    assert is_problem(hr.ask(with_set(subject="Other"), key="k1"), 422, "key-reused")
    assert len(hr.get("/v1/updates").get_json()["items"]) == 1


def test_a_key_whose_update_is_no_longer_kept_is_refused_and_not_counted_as_accepted(hr: Caller, redis: Redis) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("rendezvous_updates_accepted_total", {"client": "hr", "replayed": "true"}) or 0

    update_id, before = hr.ask(key="k1").get_json()["id"], counted()
    redis.delete(f"rdv:job:{update_id}")
    response = hr.ask(key="k1")
    assert is_problem(response, 422, "key-reused")
    assert "no longer kept" in response.get_json(force=True)["detail"]
    assert counted() == before


def test_keys_belong_to_one_client(hr: Caller, rooms: Caller) -> None:
    body = {**SMALLEST, "target": {"mailbox": "room-1@contoso.com", "event": "AAMk"}}
    mine, theirs = hr.ask(body, key="k1"), rooms.ask(body, key="k1")
    assert theirs.status_code == 202
    assert mine.get_json()["id"] != theirs.get_json()["id"]


def test_twenty_at_once_with_one_key_are_one_update(app: OpenAPI, hr: Caller) -> None:
    def ask(_: int) -> tuple[int, str, str | None]:
        response = Caller(app.test_client()).ask(SEED, key="k1")
        return response.status_code, response.get_json()["id"], response.headers.get("Idempotent-Replayed")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))
    assert {status for status, _, _ in answers} == {202}
    assert len({update_id for _, update_id, _ in answers}) == 1
    assert [replayed for _, _, replayed in answers].count(None) == 1
    assert len(hr.get("/v1/updates").get_json()["items"]) == 1


def test_what_was_refused_does_not_use_up_its_key(hr: Caller) -> None:
    assert is_problem(hr.ask(with_set(subject=5), key="k1"), 422, "validation", "/set/subject")
    assert hr.ask(SMALLEST, key="k1").status_code == 202


def test_an_update_needs_a_key(hr: Caller) -> None:
    response = hr.http.post("/v1/updates", json=SMALLEST, headers=hr.headers())
    assert is_problem(response, 400, "key-missing")


def test_a_key_that_is_none_is_refused(hr: Caller) -> None:
    assert is_problem(hr.ask(key="two words"), 400, "key-malformed")


def test_a_replay_is_answered_although_its_deadline_has_passed(hr: Caller, later: Callable[[timedelta], None]) -> None:
    body = {**SMALLEST, "deadline": soon(1)}
    first = hr.ask(body, key="k1")
    later(timedelta(hours=2))
    again = hr.ask(body, key="k1")
    assert (again.status_code, again.get_json()["id"]) == (202, first.get_json()["id"])
    assert is_problem(hr.ask(body, key="k2"), 422, "validation", "/deadline")
    assert is_problem(hr.ask({**body, "set": {"subject": "x"}}, key="k1"), 422, "key-reused")
