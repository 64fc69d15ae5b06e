"""Rendezvous as a client sees it: ask for an update, follow it to its end, verify the callback's signature."""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx

Json: TypeAlias = Any

PATIENCE = 60.0
"""Seconds until an answer, an update, or its callback is given up."""
TIMEOUT = 10.0


class DemoError(Exception):
    """Rendezvous did not do what it promises, as one sentence."""


@dataclass(frozen=True, slots=True)
class Api:
    """Where Rendezvous is, and the client's key."""

    url: str
    key: str

    def send(self, body: Mapping[str, Json], pause: Callable[[float], None]) -> Json:
        """POST /v1/updates under a new idempotency key. Returns the update. Raises DemoError unless it is accepted."""
        key = {"Idempotency-Key": f"demo-{secrets.token_hex(8)}"}
        answer = self._asked(pause, "POST", "/v1/updates", json=dict(body), headers=key)
        if answer.status_code != 202:
            raise DemoError(f"the update was not accepted: {answer.status_code} {answer.text}")
        return answer.json()

    def update(self, update_id: str, pause: Callable[[float], None]) -> Json:
        """GET /v1/updates/{id}."""
        answer = self._asked(pause, "GET", f"/v1/updates/{update_id}")
        if answer.status_code != 200:
            raise DemoError(f"the update cannot be read: {answer.status_code} {answer.text}")
        return answer.json()

    def follow(self, update_id: str, pause: Callable[[float], None]) -> Json:
        """The update once nothing more will happen, or as it stands after PATIENCE."""
        end = time.monotonic() + PATIENCE
        while not is_settled(update := self.update(update_id, pause)) and time.monotonic() < end:
            pause(0.1)
        return update

    def _asked(self, pause: Callable[[float], None], method: str, path: str, **request: Any) -> httpx.Response:
        """The answer, asked for until PATIENCE ends while there is none: the same key asks for the same update."""
        end = time.monotonic() + PATIENCE
        signed_in = {"Authorization": f"Bearer {self.key}"}
        with httpx.Client(base_url=self.url, headers=signed_in, timeout=TIMEOUT, trust_env=False) as client:
            while True:
                try:
                    answer = client.request(method, path, **request)
                    if answer.status_code != 503 or time.monotonic() > end:
                        return answer
                except httpx.TimeoutException:
                    if time.monotonic() > end:
                        raise
                pause(0.5)


def is_settled(update: Json) -> bool:
    """Whether the update and its callback have ended."""
    ended = update["state"] in ("succeeded", "dead", "cancelled")
    return ended and (update["callback"] is None or update["callback"]["state"] in ("delivered", "dead"))


def is_genuine(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether ``webhook-signature`` holds our own signature of id, timestamp and body.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
    digest = hmac.digest(b64decode(secret.removeprefix("whsec_")), signed, "sha256")
    ours = f"v1,{b64encode(digest).decode()}"
    return any(hmac.compare_digest(ours, theirs) for theirs in headers.get("webhook-signature", "").split())
