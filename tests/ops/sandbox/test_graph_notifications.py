"""The sandbox's subscriptions and rounds, as a client of Graph meets them. What it tells is tested end to end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ops.sandbox.control import Sandbox

WINDOW = {"startDateTime": "2026-11-01T00:00:00Z", "endDateTime": "2027-01-01T00:00:00Z"}
DELTA = "/users/anna@contoso.com/calendarView/delta"


def asked(url: str, **changes: Any) -> dict[str, Any]:
    expires = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    return {"changeType": "updated", "notificationUrl": url, "resource": "users/anna@contoso.com/events",
            "expirationDateTime": expires, "clientState": "s", **changes}  # fmt: skip


def test_an_address_that_does_not_give_the_token_back_is_refused(sandbox: Sandbox, graph: httpx.Client) -> None:
    answer = graph.post("/subscriptions", json=asked(f"{sandbox.url}/callbacks/x"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ValidationError")
    (post,) = sandbox.callbacks()
    assert "validationToken=Validation: Testing" in post.query
    assert sandbox.subscriptions() == []


@pytest.mark.parametrize("changes", [{"resource": "users/nobody@contoso.com/events"}, {"expirationDateTime": "x"}])
def test_what_makes_no_sense_is_refused(sandbox: Sandbox, graph: httpx.Client, changes: dict[str, Any]) -> None:
    assert graph.post("/subscriptions", json=asked(f"{sandbox.url}/callbacks/x", **changes)).status_code == 400


def test_a_subscription_that_is_not_there_cannot_be_renewed(graph: httpx.Client) -> None:
    body = {"expirationDateTime": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    assert graph.patch("/subscriptions/none", json=body).status_code == 404


def test_a_round_tells_what_changed_since_the_last(sandbox: Sandbox, graph: httpx.Client) -> None:
    kept, gone = (sandbox.create_event("anna@contoso.com", {"subject": name}) for name in ("Kept", "Gone"))
    first = graph.get(DELTA, params=WINDOW).json()
    assert {kept.graph_id, gone.graph_id} <= {event["id"] for event in first["value"]}
    sandbox.edit(kept.id, {"subject": "Changed"})
    sandbox.delete(gone.id)
    second = graph.get(first["@odata.deltaLink"]).json()
    assert [(event["id"], event.get("subject"), "@removed" in event) for event in second["value"]] == [
        (kept.graph_id, "Changed", False),
        (gone.graph_id, None, True),
    ]
    assert graph.get(second["@odata.deltaLink"]).json()["value"] == []


def test_a_round_from_before_a_reset_is_too_old(sandbox: Sandbox, graph: httpx.Client) -> None:
    link = graph.get(DELTA, params=WINDOW).json()["@odata.deltaLink"]
    sandbox.reset()
    answer = graph.get(link)
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "SyncStateNotFound")


def test_a_first_round_needs_a_window(graph: httpx.Client) -> None:
    assert graph.get(DELTA).status_code == 400
