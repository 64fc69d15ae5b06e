"""What Graph posts: the handshake, what is believed, what is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from flask_openapi.openapi import OpenAPI
from redis import Redis

from tests.webhooks.given import is_problem
from tests.workers.given import claimed, ids_of
from tests.workers.store.test_watching import a_subscription
from webhooks import create_app
from webhooks.watching.notifications import BYTES_AT_MOST, DROPPED, ITEMS_AT_MOST
from workers.changes.notification import Notification
from workers.changes.watch import Watch
from workers.settings import Settings
from workers.store import Store

URL = "/v1/graph/notifications"
LIFECYCLE = "/v1/graph/lifecycle"
TENANT = "84bd8158-6d4d-4958-8b9f-9d6445542f95"


@pytest.fixture
def watch(store: Store) -> Watch:
    store.begin(a_subscription())
    found = store.watch(a_subscription().watch)
    assert found is not None
    store.keep(found, {"graph_id": "g-1"}, began=store.time())
    return found


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The backend tells its tenant by its id."""
    cloud, hq = settings.backend
    authority = f"https://login.microsoftonline.com/{TENANT}"
    return settings.model_copy(update={"backend": (cloud.model_copy(update={"authority": authority}), hq)})


def an_item(watch: Watch, **changes: Any) -> dict[str, Any]:
    data = {"@odata.type": "#Microsoft.Graph.Event", "@odata.etag": 'W/"1"', "id": "E"}
    item = {
        "subscriptionId": "g-1", "clientState": watch.secret, "changeType": "updated", "tenantId": TENANT,
        "resource": "Users/u/Events/E", "resourceData": data,
    }  # fmt: skip
    return {**item, **changes}


def post(http: FlaskClient, *items: Any, url: str = URL) -> int:
    return http.post(url, json={"value": list(items)}).status_code


def jobs(redis: Redis) -> list[str]:
    return ids_of(redis, "ntf")


def dropped(reason: str) -> float:
    return float(DROPPED.labels(reason)._value.get())


@pytest.mark.parametrize("url", [URL, LIFECYCLE])
@pytest.mark.parametrize(
    "token", ["abc", "Validation: Testing client application reachability for subscription Request-Id: 1", "+&%=/ü<b>"]
)
def test_the_handshake_gives_the_token_back_to_the_byte(http: FlaskClient, url: str, token: str) -> None:
    answer = http.post(f"{url}?validationToken={quote(token, safe='')}", content_type="text/plain; charset=utf-8")
    assert (answer.status_code, answer.data) == (200, token.encode())
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_plus_in_the_token_is_a_space(http: FlaskClient) -> None:
    assert http.post(f"{URL}?other=1&validationToken=a+b%2Bc").data == b"a b+c"


@pytest.mark.parametrize("token", ["", "x" * 10_000, "a%00b", "a%0d%0ab", "%ff", "%1b[2J"])
def test_what_no_graph_would_send_is_not_given_back(http: FlaskClient, token: str) -> None:
    answer = http.post(f"{URL}?validationToken={token}")
    assert is_problem(answer, 400, "malformed")


def test_the_handshake_needs_no_store(settings: Settings) -> None:
    app: OpenAPI = create_app(settings.model_copy(update={"store_url": "redis://127.0.0.1:9/0"}))
    assert app.test_client().post(f"{URL}?validationToken=abc").data == b"abc"


def test_a_change_is_kept_as_a_job_before_it_is_answered(
    http: FlaskClient, redis: Redis, store: Store, watch: Watch
) -> None:
    assert post(http, an_item(watch)) == 202
    (job,) = jobs(redis)
    assert Notification.from_json(claimed(store, job).body) == Notification(watch.id, "E", "updated", 'W/"1"')


def test_the_same_change_three_times_is_one_job(http: FlaskClient, redis: Redis, watch: Watch) -> None:
    assert post(http, an_item(watch), an_item(watch, id="other")) == 202
    assert post(http, an_item(watch)) == 202
    assert len(jobs(redis)) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"clientState": "forged"}, "clientState"),
        ({"clientState": None}, "malformed"),
        ({"clientState": 7}, "malformed"),
        ({"clientState": "wch_unknown.x"}, "clientState"),
        ({"subscriptionId": "g-2"}, "subscription"),
        ({"tenantId": "00000000-0000-0000-0000-000000000000"}, "tenant"),
        ({"resourceData": None}, "malformed"),
        ({"resourceData": {"id": "a\r\nb"}}, "malformed"),
        ({"resourceData": {"id": "x" * 2000}}, "malformed"),
        ({"changeType": "exploded"}, "changeType"),
        ({"changeType": ["updated"]}, "changeType"),
        ({"lifecycleEvent": "exploded"}, "lifecycleEvent"),
        ({"lifecycleEvent": {"missed": True}}, "lifecycleEvent"),
    ],
)
def test_a_bad_item_is_dropped_and_counted_and_the_good_one_beside_it_kept(
    http: FlaskClient, redis: Redis, watch: Watch, changes: dict[str, Any], reason: str
) -> None:
    before = dropped(reason)
    assert post(http, an_item(watch, **changes), an_item(watch)) == 202
    assert len(jobs(redis)) == 1
    assert dropped(reason) == before + 1


@pytest.mark.parametrize("item", [None, 7, "x", [], {}])
def test_what_is_no_item_is_dropped(http: FlaskClient, redis: Redis, watch: Watch, item: Any) -> None:
    assert post(http, item, an_item(watch)) == 202
    assert len(jobs(redis)) == 1


def test_of_a_thousand_invented_states_none_is_looked_for(http: FlaskClient, redis: Redis, watch: Watch) -> None:
    def looks() -> int:
        return int(redis.info("commandstats").get("cmdstat_hgetall", {"calls": 0})["calls"])

    before = looks()
    invented = [{"clientState": f"{state}{number}"} for state in ("", "wch_", f"{watch.id}0.") for number in range(333)]
    assert post(http, *invented, an_item(watch), an_item(watch)) == 202
    assert looks() == before + 1
    assert len(jobs(redis)) == 1


def test_more_items_than_graph_ever_sends_are_refused(http: FlaskClient, watch: Watch) -> None:
    assert post(http, an_item(watch), *[None] * (ITEMS_AT_MOST - 1)) == 202
    assert is_problem(http.post(URL, json={"value": [None] * (ITEMS_AT_MOST + 1)}), 413, "too-large")


def test_the_right_watch_with_the_wrong_secret_is_not_believed(http: FlaskClient, redis: Redis, watch: Watch) -> None:
    assert post(http, an_item(watch, clientState=f"{watch.id}.{'x' * 43}")) == 202
    assert jobs(redis) == []


def test_graph_is_believed_while_its_subscription_is_being_made(
    http: FlaskClient, redis: Redis, store: Store, watch: Watch
) -> None:
    store.keep(watch, {"graph_id": None}, began=store.time())
    assert post(http, an_item(watch, subscriptionId="g-9")) == 202
    assert len(jobs(redis)) == 1


@pytest.mark.parametrize("url", [URL, LIFECYCLE])
def test_a_lifecycle_event_has_its_watch_looked_at(http: FlaskClient, store: Store, watch: Watch, url: str) -> None:
    item = an_item(watch, lifecycleEvent="missed")
    del item["changeType"], item["resourceData"]
    assert post(http, item, url=url) == 202
    noted = store.watch(watch.id)
    assert noted is not None and noted.missed is not None


class TestSealed:
    """A backend whose Graph has to seal what it tells."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        cloud, hq = settings.backend
        sealing = cloud.model_copy(update={"notification_certificate_files": (Path("ours.pem"),)})
        return settings.model_copy(update={"backend": (sealing, hq)})

    def test_what_vouches_for_an_item_is_kept_with_it(
        self, http: FlaskClient, redis: Redis, store: Store, watch: Watch
    ) -> None:
        item = an_item(watch, encryptedContent={"data": "x"})
        assert http.post(URL, json={"value": [item], "validationTokens": ["t"]}).status_code == 202
        (job,) = jobs(redis)
        proof = Notification.from_json(claimed(store, job).body).proof
        assert json.loads(proof or "") == {"tokens": ["t"], "content": {"data": "x"}}

    @pytest.mark.parametrize("tokens", [None, "t", ["t"] * 99])
    def test_without_tokens_nothing_is_kept(self, http: FlaskClient, redis: Redis, watch: Watch, tokens: Any) -> None:
        assert http.post(URL, json={"value": [an_item(watch)], "validationTokens": tokens}).status_code == 202
        assert jobs(redis) == []


def test_what_cannot_be_kept_is_to_be_sent_again(settings: Settings, watch: Watch) -> None:
    app = create_app(settings.model_copy(update={"store_url": "redis://127.0.0.1:9/0"}))
    assert post(app.test_client(), an_item(watch)) == 503


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"value": 1}', b'{"value": [], "value": []}', b"\xff"])
def test_what_is_no_collection_is_refused(http: FlaskClient, body: bytes) -> None:
    assert is_problem(http.post(URL, data=body, content_type="application/json"), 400, "malformed")


def test_a_body_may_be_a_mebibyte_and_no_more(http: FlaskClient) -> None:
    body = b'{"value": [], "x": "' + b"x" * (BYTES_AT_MOST - 22) + b'"}'
    assert len(body) == BYTES_AT_MOST
    assert http.post(URL, data=body).status_code == 202
    assert is_problem(http.post(URL, data=body + b" "), 413, "too-large")


def test_a_get_never_happens(http: FlaskClient) -> None:
    assert http.get(URL).status_code == 405
