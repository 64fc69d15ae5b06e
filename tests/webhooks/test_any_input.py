"""Whatever is sent: an answer that the API knows, never a 5xx.

``FUZZ=10000`` in the environment makes it that many inputs for each test; a few hundred otherwise.
"""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.webhooks.conftest import Caller
from tests.webhooks.given import SEED, SMALLEST, TARGET, signature
from workers.settings import Settings

INPUTS = int(os.environ.get("FUZZ", "300"))
many = hypothesis_settings(
    max_examples=INPUTS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
MAPPING = {
    "target": {"mailbox": "set.subject", "event": "target.event"},
    "set": "set",
    "shift": "to_number(shift)",
    "clear": ["clear[0]", "join(',', clear)"],
    "metadata": {"any": "@", "sum": "sum(append.attendees)", "longest": "max_by(clear, &length(@))"},
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """rooms signs, too, and sends what has to be mapped."""
    hr, rooms = settings.client
    mapped = rooms.model_copy(update={"mapping": MAPPING, "webhook_secrets": hr.webhook_secrets})
    return settings.model_copy(update={"client": (hr, mapped)})


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = ["target", "set", "append", "remove", "clear", "shift", "expect", "deadline", "callbackUrl", "metadata",
           "maxRecipients", "conflictResolution"]  # fmt: skip
_PROPERTIES = ["start", "end", "subject", "attendees", "body", "recurrence", "location", "isAllDay", "id",
               "emailAddress"]  # fmt: skip
_likely = st.dictionaries(st.sampled_from(_PROPERTIES) | st.text(), _anything, max_size=4)
_bodies = st.dictionaries(st.sampled_from(_FIELDS), _anything | _likely | st.just(TARGET), max_size=6)
_header = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=300)


@st.composite
def _spoilt(draw: st.DrawFn) -> Any:
    """A right update with anything in one place of it."""
    document: Any = json.loads(json.dumps(draw(st.sampled_from([SMALLEST, SEED]))))
    node = document
    while True:
        step = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[step], dict | list) or not node[step] or draw(st.booleans()):
            break
        node = node[step]
    node[step] = draw(_anything)
    return document


@many
@given(_bodies | _anything | _spoilt())
def test_no_json_gives_a_5xx(hr: Caller, body: Any) -> None:
    response = hr.send(json.dumps(body).encode())
    assert response.status_code in (202, 400, 403, 422), response.text


@many
@given(_bodies | _anything | _spoilt())
def test_no_json_gives_a_5xx_when_it_is_mapped(hr: Caller, body: Any) -> None:
    raw = json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **signature(raw)}
    response = hr.http.post("/v1/clients/rooms/updates", data=raw, headers=headers)
    assert response.status_code in (202, 400, 403, 422), response.text


@many
@given(st.binary(max_size=300) | st.text().map(str.encode))
def test_no_bytes_give_a_5xx(hr: Caller, raw: bytes) -> None:
    assert hr.send(raw).status_code == 400


@many
@given(st.dictionaries(
    st.sampled_from(["Authorization", "Idempotency-Key", "Content-Type", "Content-Encoding", "X-Request-Id",
                     "webhook-id", "webhook-timestamp", "webhook-signature"]), _header, max_size=4
))  # fmt: skip
def test_no_headers_give_a_5xx(hr: Caller, headers: dict[str, str]) -> None:
    assert hr.send(json.dumps(SMALLEST).encode(), **headers).status_code in (202, 400, 401, 415, 422)
    signed = {"Content-Type": "application/json", **signature(b"{}"), **headers}
    assert hr.http.post("/v1/clients/hr/updates", data=b"{}", headers=signed).status_code in (400, 401, 415, 422)


_routes = st.sampled_from(["/v1/updates", "/v1/dead-letters", "/v1/clients", "/problems"])


@many
@given(_routes, st.text(max_size=60), st.text(max_size=30))
def test_no_address_gives_a_5xx(hr: Caller, route: str, path: str, query: str) -> None:
    assert hr.get(f"{route}/{quote(path, errors='replace')}?{quote(query, errors='replace')}").status_code < 500


_parameters = st.sampled_from(["state", "mailbox", "limit", "cursor", "kind", "class", "since"])


@many
@given(st.sampled_from(["/v1/updates", "/v1/dead-letters"]), st.dictionaries(_parameters, st.text(max_size=30)))
def test_no_parameter_gives_a_5xx(hr: Caller, route: str, parameters: dict[str, str]) -> None:
    query = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in parameters.items())
    assert hr.get(f"{route}?{query}").status_code in (200, 400)
