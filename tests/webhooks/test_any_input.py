from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.webhooks.conftest import Caller
from tests.webhooks.given import TARGET

_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


_FIELDS = ["target", "set", "append", "remove", "clear", "shift", "expect", "deadline", "callbackUrl", "metadata",
           "maxRecipients", "conflictResolution"]  # fmt: skip


_PROPERTIES = [
    "start",
    "end",
    "subject",
    "attendees",
    "body",
    "recurrence",
    "location",
    "isAllDay",
    "id",
    "emailAddress",
]


_likely = st.dictionaries(st.sampled_from(_PROPERTIES) | st.text(), _anything, max_size=4)


_bodies = st.dictionaries(st.sampled_from(_FIELDS), _anything | _likely | st.just(TARGET), max_size=6)


@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_bodies | _anything)
def test_no_json_gives_a_5xx(hr: Caller, body: Any) -> None:
    response = hr.send(json.dumps(body).encode())
    assert response.status_code in (202, 400, 403, 422), response.text


@hypothesis_settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60), st.text(max_size=30))
def test_no_address_gives_a_5xx(hr: Caller, path: str, query: str) -> None:
    assert hr.get(f"/v1/updates/{quote(path, errors='replace')}?{quote(query, errors='replace')}").status_code < 500
