"""Which client signed this? Standard Webhooks over the raw bytes, for systems that can only be given a URL.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md. A message that was seen
before is not refused here: it is answered as the replay that it is (webhooks/clients).
"""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from workers.callbacks.signature import TOLERANCE, verify
from workers.settings import Client

_ID = re.compile(r"[!-~]{1,255}")
_NOBODYS = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
"""Stands in for secrets that are not there, so that a client that does not exist takes as long as one that does."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that somebody has sent and perhaps signed. The strings are the headers ``webhook-id``,
    ``webhook-timestamp`` and ``webhook-signature``, empty where they are missing."""

    id: str
    timestamp: str
    signature: str
    body: bytes


def signer(name: str, message: Message, clients: Mapping[str, Client], *, now: float) -> Client | None:
    """The client of this name if it signed the message within ±TOLERANCE seconds of ``now``, or None.

    As many secrets are tried for every name, known or not.
    """
    client = clients.get(name)
    live = [secret.get_secret_value() for secret in client.webhook_secrets] if client else []
    most = max([1, *(len(other.webhook_secrets) for other in clients.values())])
    tried = live + [_NOBODYS] * (most - len(live))
    right = verify(tried, message.id, message.timestamp, message.body, message.signature, now=now)
    return client if right and _ID.fullmatch(message.id) else None


def suspicion(name: str, message: Message, clients: Mapping[str, Client], *, now: float) -> str:
    """Why a message was probably refused, for our own log: the answer must not say."""
    if name not in clients:
        return "there is no such client"
    if not clients[name].webhook_secrets:
        return "the client has no webhook secret"
    if not (message.timestamp and message.signature and _ID.fullmatch(message.id)):
        return "a webhook header is missing or malformed"
    if not message.timestamp.isdecimal() or abs(now - int(message.timestamp[:12])) > TOLERANCE:
        return "the timestamp is too far from our clock"
    return "no signature fits a live secret"
