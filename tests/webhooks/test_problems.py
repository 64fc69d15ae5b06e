from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest
from flask.testing import FlaskClient
from flask_openapi.openapi import OpenAPI
from redis import Redis

from tests.configured import configured
from tests.webhooks.conftest import Caller
from tests.webhooks.given import is_problem
from webhooks.door import Door, hang
from webhooks.problems import KINDS
from workers.settings import Settings
from workers.store import Store


def test_an_address_that_leads_nowhere_is_a_problem(http: FlaskClient) -> None:
    for path in ("/nowhere", "/v1/updates/", "//v1/updates", "/v1/updates/x/y"):
        assert is_problem(http.get(path), 404, "not-found")


def test_a_browser_that_looks_at_the_front_hears_where_the_pages_are(http: FlaskClient) -> None:
    detail = http.get("/").get_json(force=True)["detail"]
    assert "/docs" in detail and "/console" in detail


def test_a_method_that_does_nothing_is_a_problem(hr: Caller) -> None:
    response = hr.http.delete("/v1/updates", headers=hr.headers())
    assert is_problem(response, 405, "method-not-allowed")
    assert "POST" in response.headers["Allow"]


def test_a_refusal_that_is_none_of_ours_is_a_problem_under_its_own_name(http: FlaskClient) -> None:
    response = http.get("/swagger/css/swagger-ui.css", headers={"Range": "bytes=99999999-"})
    assert is_problem(response, 416, "malformed")
    assert response.get_json(force=True)["title"] == "Requested Range Not Satisfiable"


def test_our_own_mistakes_are_a_problem_that_tells_nothing(
    app: OpenAPI, hr: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr("webhooks.schema.read", fails)
    response = hr.ask()
    assert is_problem(response, 500, "internal")
    assert "s3cret" not in response.text
    assert response.get_json(force=True)["requestId"] == response.headers["X-Request-Id"]


def test_a_store_that_is_away_is_not_now(app: OpenAPI, hr: Caller, settings: Settings) -> None:
    away = settings.model_copy(update={"store_url": "redis://127.0.0.1:9/0"})
    hang(replace(cast(Door, app.extensions["rendezvous"]), store=Store.connect(away)), app.extensions)
    for response in (hr.ask(), hr.get("/v1/updates"), hr.get("/v1/updates/upd_" + "0" * 26)):
        assert is_problem(response, 503, "unavailable")
        assert int(response.headers["Retry-After"]) > 0


def test_a_store_that_is_full_is_not_now(hr: Caller, redis: Redis) -> None:
    with configured(redis, maxmemory=1):
        response = hr.ask()
    assert is_problem(response, 503, "unavailable")
    assert hr.get("/v1/updates").get_json()["items"] == []


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_type_leads_to_a_page_that_says_what_to_do(http: FlaskClient, name: str) -> None:
    page = http.get(KINDS[name].type)
    assert page.status_code == 200
    assert page.content_type.startswith("text/html")
    assert f"HTTP {KINDS[name].status}" in page.text
    assert name in http.get("/problems").text


def test_a_type_that_there_is_not_has_no_page(http: FlaskClient) -> None:
    assert is_problem(http.get("/problems/nonsense"), 404, "not-found")
