"""Bodies to test with, and what a problem must look like."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.test import TestResponse

from webhooks.schema import Asked, read
from workers.callbacks.signature import sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = "hr-key-0123456789"
OTHER_KEY = "rooms-key-0123456789"

TARGET = {"mailbox": "anna@contoso.com", "event": "AAMkAGI1AAAt9AHjAAA="}
SMALLEST: dict[str, Any] = {"target": TARGET, "set": {"subject": "Moved"}}
SEED: dict[str, Any] = {
    "target": {**TARGET, "version": 'W/"DwAAABYAAAB"', "backend": "cloud"},
    "set": {
        "subject": "Team building exercise has moved!",
        "location": {"displayName": "4567 Contoso Way, Redmond, OH 33333, USA"},
    },
    "append": {
        "attendees": [
            {"type": "required", "emailAddress": {"address": "alisa@contoso.com"}},
            {"type": "resource", "emailAddress": {"address": "dlpprojector@contoso.com"}},
        ]
    },
    "conflictResolution": "alwaysOverwrite",
    "sendInvitations": "sendToAllAndSaveCopy",
    "callbackUrl": "https://hooks.example.com/calendar",
}


def with_set(**values: Any) -> dict[str, Any]:
    return {"target": TARGET, "set": values}


def at(date_time: str, zone: str = "W. Europe Standard Time") -> dict[str, str]:
    return {"dateTime": date_time, "timeZone": zone}


def is_problem(response: TestResponse, status: int, name: str, *pointers: str) -> bool:
    """Whether the answer is this problem, for exactly these fields. Fails with what it is instead."""
    body = response.get_json(force=True)
    assert response.content_type == "application/problem+json", response.text
    assert (response.status_code, body["status"], body["type"]) == (status, status, f"/problems/{name}"), response.text
    assert body["title"], response.text
    assert body["detail"], response.text
    assert [fault["pointer"] for fault in body.get("errors", [])] == list(pointers), response.text
    return True


def person(address: str, **more: Any) -> dict[str, Any]:
    """An attendee."""
    return {"emailAddress": {"address": address}, **more}


def asked(document: dict[str, Any]) -> Asked:
    """What a body that is right asks for."""
    answer = read(document)
    assert isinstance(answer, Asked), answer
    return answer


def faults(document: dict[str, Any]) -> dict[str, str]:
    """What is wrong with a body: pointer → sentence."""
    answer = read(document)
    assert isinstance(answer, tuple), answer
    return {fault.pointer: fault.detail for fault in answer}


def signature(
    raw: bytes, message_id: str = "msg_1", *, secret: str = SECRET, at: float | None = None
) -> dict[str, Any]:
    """The headers with which a system signs these bytes; ``at``: seconds since 1970, now if None."""
    timestamp = int(datetime.now(UTC).timestamp() if at is None else at)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign([secret], message_id, timestamp, raw),
    }


def soon(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
