from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import cast

from flask_openapi.openapi import OpenAPI
from redis import Redis

from tests.webhooks.conftest import Caller
from tests.webhooks.given import SMALLEST, is_problem
from tests.workers.given import claimed
from webhooks.door import Door, hang
from workers.job import Attempt
from workers.outcome import Succeeded
from workers.store import Store


def test_a_waiting_update_is_cancelled_and_stays_so(hr: Caller) -> None:
    update_id = hr.ask().get_json()["id"]
    response = hr.post(f"/v1/updates/{update_id}/cancel")
    assert (response.status_code, response.get_json()["state"]) == (200, "cancelled")
    assert is_problem(hr.post(f"/v1/updates/{update_id}/cancel"), 409, "not-cancellable")
    assert hr.get(f"/v1/updates/{update_id}").get_json()["finishedAt"] is not None


def test_cancelling_tells_the_caller_once(hr: Caller, redis: Redis) -> None:
    update_id = hr.ask({**SMALLEST, "callbackUrl": "https://127.0.0.1:9/x"}).get_json()["id"]
    cancelled = [hr.post(f"/v1/updates/{update_id}/cancel").get_json() for _ in range(2)]
    assert cancelled[0]["callback"] == {"url": "https://127.0.0.1:9/x", "state": "waiting", "attempts": 0}
    assert len(redis.keys("rdv:job:msg_*")) == 1
    [job] = redis.keys("rdv:job:msg_*")
    told = json.loads(json.loads(str(redis.hget(job, "body")))["text"])
    assert told["type"] == "calendar.update.cancelled"
    assert (told["data"]["id"], told["data"]["state"]) == (update_id, "cancelled")
    assert (
        told["data"]["finishedAt"]
        == cancelled[0]["finishedAt"]
        == hr.get(f"/v1/updates/{update_id}").get_json()["finishedAt"]
    )


def test_a_running_update_cannot_be_cancelled(hr: Caller, store: Store) -> None:
    update_id = hr.ask().get_json()["id"]
    claimed(store, update_id)
    assert is_problem(hr.post(f"/v1/updates/{update_id}/cancel"), 409, "not-cancellable")


def test_an_update_that_goes_while_it_is_being_cancelled_is_not_there(
    hr: Caller, app: OpenAPI, store: Store, redis: Redis
) -> None:
    update_id = hr.ask().get_json()["id"]
    door = cast(Door, app.extensions["rendezvous"])

    def meanwhile() -> datetime:
        redis.delete(f"rdv:job:{update_id}")
        return door.clock()

    hang(replace(door, clock=meanwhile), app.extensions)
    assert is_problem(hr.post(f"/v1/updates/{update_id}/cancel"), 404, "not-found")


def test_an_update_that_has_ended_cannot_be_cancelled(hr: Caller, store: Store) -> None:
    update_id = hr.ask().get_json()["id"]
    moment = "2026-11-21T09:00:00.000Z"
    store.settle(claimed(store, update_id), Attempt(1, moment, moment, "succeeded"), Succeeded(None, "done"))
    assert is_problem(hr.post(f"/v1/updates/{update_id}/cancel"), 409, "not-cancellable")
