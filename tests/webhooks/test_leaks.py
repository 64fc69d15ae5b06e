"""Canaries in everything that is sent and configured; then a search for them wherever they must not be."""

from __future__ import annotations

import json
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask_openapi.openapi import OpenAPI
from redis import Redis
from structlog.testing import capture_logs

from tests.webhooks.conftest import Caller
from tests.webhooks.given import KEY, signature
from tests.webhooks.wire import serving
from webhooks import create_app
from workers.settings import Settings

CANARY = "c4n4ry"
SECRET = "whsec_" + b64encode(f"{CANARY} of the webhooks".encode()).decode()
NEVER = (CANARY, SECRET, SECRET.removeprefix("whsec_"), KEY)


def full(**changes: Any) -> dict[str, Any]:
    """An update with a canary in every field that is not part of a name in the store."""
    return {
        "target": {"mailbox": "anna@contoso.com", "event": "AAMk", "version": f"{CANARY}-version"},
        "set": {
            "subject": f"{CANARY} subject",
            "location": {"displayName": f"{CANARY} location", "address": {"street": f"{CANARY} street"}},
            "categories": [f"{CANARY} category"],
        },
        "append": {
            "attendees": [{"emailAddress": {"address": f"{CANARY}@contoso.com", "name": f"{CANARY} name"}}],
            "body": f"{CANARY} body",
        },
        "expect": {"sensitivity": "normal"},
        "callbackUrl": f"https://hooks.example.com/{CANARY}?token={CANARY}",
        "metadata": {f"{CANARY}-key": f"{CANARY} metadata"},
        **changes,
    }


WRONG: tuple[dict[str, Any], ...] = (
    full(callbackUrl=f"https://user:{CANARY}@example.com/"),
    full(callbackUrl=f"ftp://{CANARY}/"),
    full(deadline=f"{CANARY}"),
    full(target={"mailbox": f"{CANARY} ", "event": f"{CANARY}\n"}),
    full(target={"mailbox": f"{CANARY}@elsewhere.example", "event": "x", "backend": CANARY}),
    full(shift=CANARY),
    full(set={"subject": [CANARY], "importance": CANARY, "start": {"dateTime": CANARY, "timeZone": CANARY}}),
    full(set={"recurrence": {"pattern": {"type": CANARY}, "range": {"type": CANARY, "startDate": CANARY}}}),
    full(remove={"attendees": [CANARY, {"emailAddress": {"address": CANARY}}]}),
)


@dataclass
class Talk:
    """A conversation with the web process, and what it said."""

    http: httpx.Client
    said: list[httpx.Response] = field(default_factory=list)

    def ask(self, body: Any, **headers: str) -> httpx.Response:
        given = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": f"{CANARY}-key", **headers}
        return self.send("POST", "/v1/updates", json=body, headers=given)

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        self.said.append(self.http.request(method, path, **more))
        return self.said[-1]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def talk(store_url: str, tmp_path: Path) -> Iterator[Talk]:
    """Everybody says everything wrong that can be said, and some things right."""
    secrets = {"HQ_SECRET": f"{CANARY}-password", "HR_WEBHOOK_SECRET": SECRET}
    with (
        serving(store_url.replace("//", f"//default:{CANARY}@"), tmp_path, secrets) as wire,
        httpx.Client(base_url=f"http://127.0.0.1:{wire.port}", headers={"User-Agent": CANARY}) as http,
    ):
        talk = Talk(http)
        _say_everything(talk)
        yield talk


def _say_everything(talk: Talk) -> None:
    assert talk.ask(full()).status_code == 202
    assert talk.ask(full()).headers["Idempotent-Replayed"] == "true"
    assert talk.ask(full(metadata={CANARY: 2})).status_code == 422
    for number, body in enumerate(WRONG):
        assert talk.ask(body, **{"Idempotency-Key": f"{CANARY}-{number}"}).status_code == 422
    assert talk.ask(full(), **{"Idempotency-Key": f"{CANARY} x"}).status_code == 400
    assert talk.ask(full(), Authorization=f"Bearer {CANARY}").status_code == 401
    assert talk.ask(full(), **{"Content-Type": f"text/{CANARY}"}).status_code == 415
    raw = json.dumps(full(target={"mailbox": "anna@contoso.com", "event": "AAMk2"})).encode()
    signed = {"Content-Type": "application/json", **signature(raw, f"{CANARY}-message", secret=SECRET)}
    assert talk.send("POST", "/v1/clients/hr/updates", content=raw, headers=signed).status_code == 202
    assert talk.send("POST", f"/v1/clients/{CANARY}/updates", content=raw, headers=signed).status_code == 401
    key = {"Authorization": f"Bearer {KEY}"}
    for path in (f"/v1/updates/{CANARY}", f"/{CANARY}", f"/problems/{CANARY}"):
        assert talk.send("GET", path, headers=key).status_code == 404
    for query in ("cursor", "mailbox", "state", "limit"):
        talk.send("GET", f"/v1/updates?{query}={CANARY}", headers=key)


def found_in(text: str) -> list[str]:
    return [secret for secret in NEVER if secret in text]


def test_nothing_of_it_is_in_the_log(talk: Talk, log: Path) -> None:
    lines = log.read_text().splitlines()
    assert len([line for line in lines if json.loads(line)["event"] == "request"]) > len(talk.said)
    assert [line for line in lines if found_in(line)] == []


def test_nothing_of_it_is_in_a_problem(talk: Talk) -> None:
    problems = [answer.text for answer in talk.said if answer.status_code >= 400]
    assert len(problems) > 15
    assert [problem for problem in problems if found_in(problem)] == []


def test_nothing_of_it_is_on_a_page_that_everybody_may_read(talk: Talk) -> None:
    for path in ("/metrics", "/openapi.json", "/docs", "/problems", "/livez", "/readyz"):
        page = talk.http.get(path)
        assert page.status_code == 200
        assert found_in(page.text) == [], path


def _rung(broker: Redis) -> list[str]:
    """The messages, once there are some and for half a second no more have come: nobody waits for a bell."""
    messages: list[str] = []
    for _ in range(60):
        before, messages = messages, [str(message) for message in broker.lrange("updates", 0, -1)]
        if messages and messages == before:
            break
        time.sleep(0.5)
    return messages


def test_nothing_of_it_is_in_the_broker_or_in_a_name_in_the_store(talk: Talk, store_url: str) -> None:
    broker = Redis.from_url(store_url[:-1] + "1", decode_responses=True)
    messages = _rung(broker)
    assert len(messages) == 2, "each update has a line of its own"
    for message in messages:
        document = json.loads(message)
        assert found_in(message) == []
        assert document["headers"]["argsrepr"].endswith(
            ", anna@contoso.com, attendees+body+categories+location+subject)"
        )
        assert json.loads(b64decode(document["body"]))[0] == [document["headers"]["id"]]
    store = Redis.from_url(store_url, decode_responses=True)
    assert [name for name in map(str, store.keys("*")) if found_in(name)] == []


def test_a_store_that_is_away_does_not_make_us_talk(settings: Settings) -> None:
    away = f"redis://default:{CANARY}@127.0.0.1:9/0"
    http = create_app(settings.model_copy(update={"store_url": away, "broker_url": away})).test_client()
    with capture_logs() as lines:
        answers = [Caller(http).ask(full(target={"mailbox": "anna@contoso.com", "event": "x"})), http.get("/readyz")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert found_in(json.dumps(lines, default=str) + "".join(answer.text for answer in answers)) == []


def test_our_own_mistakes_are_logged_where_they_were_made_and_not_with_what_was_sent(
    app: OpenAPI, hr: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(document: Any) -> None:
        raise KeyError(document["set"]["subject"])

    monkeypatch.setattr("webhooks.schema.read", fails)
    with capture_logs() as lines:
        response = hr.ask(full())
    assert response.status_code == 500
    [line] = [line for line in lines if line["event"] == "request failed"]
    assert (line["error"], "test_leaks.py" in line["where"][-1]) == ("KeyError", True)
    assert found_in(json.dumps(lines, default=str) + response.text) == []
