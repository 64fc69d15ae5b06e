"""What was given up: listed, shown, brought back, let go; never another client's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis

from tests.webhooks.conftest import Caller
from tests.webhooks.given import SMALLEST, is_problem
from tests.workers.given import an_attempt, claimed, ids_of
from workers.callbacks.callback import for_update
from workers.job import ErrorClass, failure
from workers.outcome import Dead, Succeeded
from workers.store import Store

URL = "/v1/dead-letters"


def died(store: Store, update_id: str, error_class: ErrorClass = "notFound") -> None:
    end = Dead(failure(error_class, "ErrorItemNotFound", "It is not there."))
    job = store.update(update_id)
    assert job is not None
    grant = claimed(store, update_id)
    store.settle(grant, an_attempt(grant.attempts + 1, error_class), end, for_update(job))


def a_dead_update(hr: Caller, store: Store, event: str = "AAMkAGI1=", **more: Any) -> str:
    body = {**SMALLEST, "target": {**SMALLEST["target"], "event": event}, **more}
    update_id = str(hr.ask(body).get_json()["id"])
    died(store, update_id)
    return update_id


def test_a_dead_letter_is_the_update_with_its_kind_and_every_attempt(hr: Caller, store: Store) -> None:
    update_id = a_dead_update(hr, store)
    shown = hr.get(f"{URL}/{update_id}").get_json()
    assert (shown["kind"], shown["id"], shown["state"]) == ("update", update_id, "dead")
    assert shown == {"kind": "update", **hr.get(f"/v1/updates/{update_id}").get_json()}
    assert shown["error"]["code"] == "ErrorItemNotFound"
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["notFound"]
    assert hr.get(URL).get_json() == {"items": [shown], "nextCursor": None}


def test_a_replay_queues_it_again_under_its_own_id_with_time_to_spare(hr: Caller, store: Store) -> None:
    update_id = a_dead_update(hr, store)
    before = store.update(update_id)
    response = hr.post(f"{URL}/{update_id}/replay")
    assert (response.status_code, response.headers["Location"]) == (202, f"/v1/updates/{update_id}")
    assert (response.get_json()["id"], response.get_json()["state"]) == (update_id, "queued")
    after = store.update(update_id)
    assert before is not None and after is not None
    assert after.update.deadline > before.update.deadline
    assert is_problem(hr.post(f"{URL}/{update_id}/replay"), 404, "not-found")
    assert hr.get(URL).get_json()["items"] == []


def test_a_dead_callback_is_a_dead_letter_of_its_own_and_can_be_replayed(
    hr: Caller, store: Store, redis: Redis
) -> None:
    update_id = a_dead_update(hr, store, callbackUrl="https://127.0.0.1:9/x")
    job = store.update(update_id)
    assert job is not None
    [callback_id] = ids_of(redis, "msg")
    store.settle(claimed(store, callback_id), an_attempt(), Dead(failure("unavailable", "CallbackExhausted", "x")))
    [letter] = hr.get(f"{URL}?kind=callback").get_json()["items"]
    assert (letter["id"], letter["update"], letter["url"]) == (callback_id, update_id, "https://127.0.0.1:9/x")
    assert letter["target"] == hr.get(f"/v1/updates/{update_id}").get_json()["target"]
    assert letter["error"]["code"] == "CallbackExhausted"
    response = hr.post(f"{URL}/{callback_id}/replay")
    assert (response.status_code, response.get_json()["state"]) == (202, "queued")
    assert claimed(store, callback_id).tries == 0
    assert hr.get(f"/v1/updates/{update_id}").get_json()["callback"]["state"] == "waiting"


def test_who_is_replayed_has_a_callback_to_come_and_not_that_of_its_earlier_end(
    hr: Caller, store: Store, redis: Redis
) -> None:
    update_id = a_dead_update(hr, store, callbackUrl="https://127.0.0.1:9/x")
    callback_id = redis.hget(f"rdv:job:{update_id}", "callback")
    store.settle(claimed(store, str(callback_id)), an_attempt(), Succeeded(None))
    assert hr.get(f"/v1/updates/{update_id}").get_json()["callback"]["state"] == "delivered"
    replayed = hr.post(f"{URL}/{update_id}/replay").get_json()
    assert replayed["callback"] == {"url": "https://127.0.0.1:9/x", "state": "waiting", "attempts": 0}


def test_many_are_replayed_by_filter_and_a_dry_run_only_counts(hr: Caller, store: Store) -> None:
    ids = [a_dead_update(hr, store, event=f"event-{number}=") for number in range(3)]
    other = hr.ask({**SMALLEST, "target": {**SMALLEST["target"], "event": "other="}}).get_json()["id"]
    died(store, other, "conflict")
    asked = {"class": "notFound", "mailbox": "anna@contoso.com"}
    answer = hr.post(f"{URL}/replay", json={**asked, "dryRun": True})
    assert (answer.status_code, answer.get_json()) == (200, {"matched": 3, "replayed": 0, "dryRun": True})
    answer = hr.post(f"{URL}/replay", json=asked)
    assert answer.get_json() == {"matched": 3, "replayed": 3, "dryRun": False}
    assert [item["id"] for item in hr.get(URL).get_json()["items"]] == [other]
    assert {hr.get(f"/v1/updates/{update_id}").get_json()["state"] for update_id in ids} == {"queued"}


@pytest.mark.parametrize("verb", ["replay", "discard"])
def test_the_pages_can_be_worked_off_one_by_one(hr: Caller, store: Store, verb: str) -> None:
    ids = {a_dead_update(hr, store, event=f"event-{number}=") for number in range(3)}
    seen, query = set(), "limit=1"
    while True:
        page = hr.get(f"{URL}?{query}").get_json()
        for item in page["items"]:
            seen.add(item["id"])
            done = hr.post(f"{URL}/{item['id']}/replay") if verb == "replay" else hr.delete(f"{URL}/{item['id']}")
            assert done.status_code in (202, 204)
        if page["nextCursor"] is None:
            break
        query = f"limit=1&cursor={page['nextCursor']}"
    assert seen == ids


def test_a_discarded_dead_letter_is_gone_and_its_update_still_readable(hr: Caller, store: Store) -> None:
    update_id = a_dead_update(hr, store)
    gone = hr.delete(f"{URL}/{update_id}")
    assert (gone.status_code, gone.headers.get("Content-Type")) == (204, None)
    assert is_problem(hr.delete(f"{URL}/{update_id}"), 404, "not-found")
    assert is_problem(hr.get(f"{URL}/{update_id}"), 404, "not-found")
    assert hr.get(f"/v1/updates/{update_id}").get_json()["state"] == "dead"


def test_another_clients_dead_letter_is_not_there(hr: Caller, rooms: Caller, store: Store) -> None:
    update_id = a_dead_update(hr, store)
    for response in (
        rooms.get(f"{URL}/{update_id}"),
        rooms.post(f"{URL}/{update_id}/replay"),
        rooms.delete(f"{URL}/{update_id}"),
    ):
        assert is_problem(response, 404, "not-found")
    assert rooms.get(URL).get_json()["items"] == []
    assert rooms.post(f"{URL}/replay", json={}).get_json()["matched"] == 0


@pytest.mark.parametrize(
    ("query", "name"),
    [("kind=task", "kind"), ("class=none", "class"), ("since=yesterday", "since"),
     ("since=2026-11-21T09:00:00", "since"),
     ("mailbox=" + "x" * 321, "mailbox"), ("limit=0", "limit"), ("cursor=x", "cursor"), ("state=dead", "state")],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_named(hr: Caller, query: str, name: str) -> None:
    response = hr.get(f"{URL}?{query}")
    assert is_problem(response, 400, "malformed")
    assert name in response.get_json()["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"dryRun": "yes"}, "/dryRun"),
        ({"class": "none"}, "/class"),
        ({"all": True}, "/all"),
        ({"since": 5.5}, "/since"),
    ],
)
def test_a_replay_that_is_wrong_names_the_field(hr: Caller, body: dict[str, Any], pointer: str) -> None:
    assert is_problem(hr.post(f"{URL}/replay", json=body), 422, "validation", pointer)


def test_filters_in_the_url_of_a_replay_are_refused_and_do_not_bring_back_everything(hr: Caller, store: Store) -> None:
    update_id = a_dead_update(hr, store)
    response = hr.post(f"{URL}/replay?class=conflict", json={})
    assert is_problem(response, 400, "malformed")
    assert response.get_json(force=True)["detail"].startswith("The parameter class: there is no such parameter")
    for answer in (hr.post(f"{URL}/{update_id}/replay?dryRun=true"), hr.delete(f"{URL}/{update_id}?dryRun=true")):
        assert is_problem(answer, 400, "malformed")
    assert [item["id"] for item in hr.get(URL).get_json()["items"]] == [update_id]


def test_what_a_replay_may_ask_for_is_told_in_the_words_of_an_update(hr: Caller) -> None:
    answer = hr.post(f"{URL}/replay", json={"dryRun": "yes", "class": "x" * 9, "colour": 1})
    said = {one["pointer"]: one["detail"] for one in answer.get_json(force=True)["errors"]}
    assert said.pop("/class").startswith("must be 'conflict', 'refused'")
    assert said == {"/dryRun": "must be true or false", "/colour": "there is no such field"}


@pytest.mark.parametrize("name", ["upd_..%2f", "%00", "..", "upd_01%0d%0a", "%F0%9F%98%80", "x" * 300])
def test_no_id_is_a_server_error(hr: Caller, name: str) -> None:
    assert hr.get(f"{URL}/{name}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "x"), ("DELETE", "x"), ("POST", "x/replay"), ("POST", "replay"), ("GET", "replayed")]
)
def test_a_stranger_does_not_learn_what_an_id_looks_like(http: FlaskClient, method: str, path: str) -> None:
    assert is_problem(http.open(f"/v1/dead-letters/{path}", method=method), 401, "unauthorized")


def test_replay_is_nobodys_id(hr: Caller) -> None:
    assert is_problem(hr.get("/v1/dead-letters/replay"), 405, "method-not-allowed")
    assert is_problem(hr.delete("/v1/dead-letters/replay"), 405, "method-not-allowed")


def test_the_document_describes_dead_letters(hr: Caller) -> None:
    document = json.loads(hr.get("/openapi.json").text)
    assert {"get"} <= set(document["paths"][URL])
    assert set(document["paths"][f"{URL}/{{id}}"]) == {"get", "delete"}


def test_an_update_whose_stored_form_is_spoilt_is_a_dead_letter_and_no_server_error(
    hr: Caller, store: Store, redis: Redis
) -> None:
    update_id, fine = a_dead_update(hr, store, "AAMkAGI1="), a_dead_update(hr, store, "AAMkAGI2=")
    redis.hset(f"rdv:job:{update_id}", "body", "{")
    assert is_problem(hr.get(f"/v1/updates/{update_id}"), 404, "not-found")
    assert [item["id"] for item in hr.get("/v1/updates").get_json()["items"]] == [fine]
    assert {item["id"] for item in hr.get(URL).get_json()["items"]} == {update_id, fine}
    assert hr.get(f"{URL}/{update_id}").get_json()["error"]["code"] == "ErrorItemNotFound"
    assert is_problem(hr.post(f"{URL}/{update_id}/replay"), 404, "not-found")
    assert hr.post(f"{URL}/replay", json={}).get_json()["replayed"] == 1
    gone = hr.delete(f"{URL}/{update_id}")
    assert (gone.status_code, gone.headers.get("Content-Type")) == (204, None)


def test_a_callback_whose_stored_form_is_spoilt_spoils_no_list(hr: Caller, store: Store, redis: Redis) -> None:
    update_id = a_dead_update(hr, store, callbackUrl="https://127.0.0.1:9/x")
    [callback_id] = ids_of(redis, "msg")
    store.settle(claimed(store, callback_id), an_attempt(), Dead(failure("unavailable", "CallbackExhausted", "x")))
    redis.hset(f"rdv:job:{callback_id}", "body", "{")
    callback, update = hr.get(URL).get_json()["items"]
    assert (callback["id"], callback["url"], callback["type"]) == (callback_id, None, None)
    assert (callback["error"]["code"], update["id"]) == ("CallbackExhausted", update_id)
    assert hr.get(f"{URL}/{callback_id}").get_json() == callback
    assert is_problem(hr.post(f"{URL}/{callback_id}/replay"), 404, "not-found")
    assert hr.post(f"{URL}/replay", json={}).get_json() == {"matched": 1, "replayed": 1, "dryRun": False}
    assert hr.delete(f"{URL}/{callback_id}").status_code == 204
