"""The door, hung on a real store; a broker that nobody listens to."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from flask.testing import FlaskClient
from flask_openapi.openapi import OpenAPI
from werkzeug.test import TestResponse

from tests.webhooks.given import KEY, OTHER_KEY, SMALLEST
from webhooks import create_app
from webhooks.door import Door, hang
from workers.settings import Settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The two clients, each with an API key that the tests know and no rate limit that they could reach."""
    hr, rooms = settings.client
    unlimited = {"rate_limit": "99999999/minute"}
    clients = (
        hr.model_copy(update={**unlimited, "api_key_sha256": (hashlib.sha256(KEY.encode()).hexdigest().upper(),)}),
        rooms.model_copy(update={**unlimited, "api_key_sha256": (hashlib.sha256(OTHER_KEY.encode()).hexdigest(),)}),
    )
    return settings.model_copy(update={"client": clients})


@pytest.fixture
def app(settings: Settings) -> Iterator[OpenAPI]:
    app = create_app(settings)
    yield app
    door = cast(Door, app.extensions["rendezvous"])
    door.bell.flush(30)  # a late bell would ring in the next test's broker
    door.store.close()


@pytest.fixture
def http(app: OpenAPI) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def rung(app: OpenAPI) -> Callable[[], bool]:
    """Waits until the bells that were asked for have been rung."""
    return lambda: cast(Door, app.extensions["rendezvous"]).bell.flush(30)


@pytest.fixture
def later(app: OpenAPI) -> Callable[[timedelta], None]:
    """Moves the door's clock forward."""

    def move(by: timedelta) -> None:
        door = cast(Door, app.extensions["rendezvous"])

        def clock() -> datetime:
            return door.clock() + by

        hang(replace(door, clock=clock), app.extensions)

    return move


@dataclass
class Caller:
    """Somebody who asks for updates."""

    http: FlaskClient
    api_key: str = KEY
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}", **more}

    def ask(self, body: Any = SMALLEST, key: str | None = None) -> TestResponse:
        """POST /v1/updates; without a key, with one that is new."""
        key = key or f"key-{next(self._numbers)}"
        return self.http.post("/v1/updates", json=body, headers=self.headers(**{"Idempotency-Key": key}))

    def send(self, raw: bytes, **headers: str) -> TestResponse:
        """POST /v1/updates with exactly these bytes."""
        given = {"Content-Type": "application/json", "Idempotency-Key": "k", **self.headers(), **headers}
        return self.http.post("/v1/updates", data=raw, headers=given)

    def get(self, path: str) -> TestResponse:
        return self.http.get(path, headers=self.headers())

    def post(self, path: str, json: Any = None) -> TestResponse:
        return self.http.post(path, headers=self.headers(), json=json)

    def delete(self, path: str) -> TestResponse:
        return self.http.delete(path, headers=self.headers())


@pytest.fixture
def hr(http: FlaskClient) -> Caller:
    """May touch every mailbox."""
    return Caller(http)


@pytest.fixture
def rooms(http: FlaskClient) -> Caller:
    """May touch room-*@contoso.com."""
    return Caller(http, OTHER_KEY)
