from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from flask.testing import FlaskClient
from flask_openapi.openapi import OpenAPI
from redis import Redis

from tests.configured import configured
from tests.webhooks.conftest import Caller
from tests.webhooks.given import is_problem
from webhooks import create_app
from webhooks.door import Door
from workers.settings import Settings
from workers.store import StoreUnavailable


def test_the_process_lives_whatever_else_is_down(settings: Settings) -> None:
    nowhere = "redis://127.0.0.1:9/0"
    app = create_app(settings.model_copy(update={"store_url": nowhere, "broker_url": nowhere}))
    assert app.test_client().get("/livez").get_json() == {"status": "ok"}


def test_it_is_ready_when_store_and_broker_answer(http: FlaskClient) -> None:
    assert http.get("/readyz").get_json() == {"status": "ok", "store": "ok", "broker": "ok"}


@pytest.mark.parametrize(("broken", "named"), [("store_url", "store"), ("broker_url", "broker")])
def test_it_is_not_ready_without_store_or_broker(settings: Settings, broken: str, named: str) -> None:
    app = create_app(settings.model_copy(update={broken: "redis://127.0.0.1:9/0"}))
    response = app.test_client().get("/readyz")
    assert is_problem(response, 503, "unavailable")
    assert named in response.get_json(force=True)["detail"]
    assert "Retry-After" in response.headers


@pytest.fixture
def forgetful(redis: Redis) -> Iterator[None]:
    with configured(redis, appendonly="no"):
        yield


@pytest.mark.usefixtures("forgetful")
def test_a_store_that_does_not_persist_is_not_ready(http: FlaskClient) -> None:
    assert is_problem(http.get("/readyz"), 503, "unavailable")


def test_what_happens_is_counted(hr: Caller) -> None:
    before = hr.get("/metrics").text
    hr.ask(key="k")
    hr.ask(key="k")
    hr.ask({})
    after = hr.get("/metrics").text

    def count(text: str, series: str) -> float:
        return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(series)), 0.0)

    for series in (
        'rendezvous_updates_accepted_total{client="hr",replayed="false"}',
        'rendezvous_updates_accepted_total{client="hr",replayed="true"}',
        'rendezvous_http_refused_total{problem="validation"}',
        'rendezvous_http_requests_total{method="POST",route="/v1/updates",status="422"}',
    ):
        assert count(after, series) - count(before, series) == 1, series


@pytest.fixture
def hung() -> Iterator[str]:
    """The URL of a server that accepts connections and never says a word, as one that was stopped."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.parametrize(("broken", "named"), [("store_url", "store"), ("broker_url", "broker")])
def test_a_server_that_hangs_makes_it_unready_without_hanging_it(
    settings: Settings, hung: str, broken: str, named: str
) -> None:
    response = create_app(settings.model_copy(update={broken: hung})).test_client().get("/readyz")
    assert is_problem(response, 503, "unavailable")
    assert f"the {named} does not answer in time" in response.get_json(force=True)["detail"]


@pytest.mark.parametrize("path", ["/v1/updates", "/v1/updates/upd_1", "/console/"])
def test_while_the_store_hangs_nobody_who_needs_it_is_kept_waiting(
    settings: Settings, hung: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(sys.modules["webhooks.health"], "READY_WITHIN", 0.1)
    app = create_app(settings.model_copy(update={"store_url": f"{hung}?socket_timeout=0.1"}))
    store = cast(Door, app.extensions["rendezvous"]).store
    with pytest.raises(StoreUnavailable):
        store.update("upd_1")
    assert store.hangs
    monkeypatch.setattr(type(store), "check", lambda _: threading.Event().wait(5))
    monkeypatch.setattr(type(store._redis), "call", lambda *_: pytest.fail("The store was asked."))
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert [app.test_client().get(other).status_code for other in ("/livez", "/docs", "/openapi.json")] == [200] * 3


def test_a_store_that_hung_and_answers_again_is_asked_again(hr: Caller, app: OpenAPI) -> None:
    store = cast(Door, app.extensions["rendezvous"]).store
    store._redis.hangs = True
    assert hr.get("/v1/updates").status_code == 200
    assert not store.hangs


@pytest.mark.usefixtures("forgetful")
def test_a_store_that_hung_and_now_keeps_nothing_can_still_be_read(hr: Caller, app: OpenAPI) -> None:
    cast(Door, app.extensions["rendezvous"]).store._redis.hangs = True
    assert hr.get("/v1/updates").status_code == 200


def test_a_scrape_tells_what_it_can_while_store_and_broker_hang(
    settings: Settings, hung: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["webhooks.health"], "TOLD_WITHIN", 0.2)
    app = create_app(settings.model_copy(update={"store_url": hung, "broker_url": hung}))
    said = app.test_client().get("/metrics").text
    assert "rendezvous_store_up 0.0" in said
    assert "rendezvous_broker_up 0.0" in said
    assert "rendezvous_broker_queue_length" not in said


def test_a_scrape_tells_how_many_bells_hang_in_each_queue(hr: Caller, rung: Callable[[], bool]) -> None:
    hr.ask()
    assert rung()
    said = hr.get("/metrics").text
    assert 'rendezvous_broker_queue_length{queue="updates"} 1.0' in said
    assert 'rendezvous_broker_queue_length{queue="callbacks"} 0.0' in said
    assert "rendezvous_broker_up 1.0" in said
