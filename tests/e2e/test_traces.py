"""A caller's trace goes through everything, whether or not OpenTelemetry is installed."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.e2e.system import System
from tests.e2e.test_updates import EWS_SEED, GRAPH_SEED


@pytest.mark.parametrize("body", [EWS_SEED, GRAPH_SEED], ids=["ews", "graph"])
def test_exchange_and_the_receiver_see_the_trace_of_who_asked(system: System, body: dict[str, object]) -> None:
    trace = uuid4().hex
    system.api.headers["traceparent"] = f"00-{trace}-00f067aa0ba902b7-01"
    try:
        update = system.ask({**body, "callbackUrl": f"{system.sandbox.url}/callbacks/hr"})
    finally:
        del system.api.headers["traceparent"]
    assert trace in system.callback_of(update["id"]).headers["traceparent"]
    seen = [call for call in system.sandbox.calls() if trace in call.headers.get("traceparent", "")]
    assert {"GET", "PATCH"} <= {call.method for call in seen} or {"GetItem", "UpdateItem"} <= {
        call.operation for call in seen
    }


def test_who_sends_no_trace_gets_none(system: System) -> None:
    update = system.ask({**EWS_SEED, "callbackUrl": f"{system.sandbox.url}/callbacks/hr"})
    assert "traceparent" not in system.callback_of(update["id"]).headers
    assert not [call for call in system.sandbox.calls() if "traceparent" in call.headers]
