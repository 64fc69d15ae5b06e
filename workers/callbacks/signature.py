"""Standard Webhooks signatures (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).

Pure: secrets, id, timestamp and raw bytes in, header out - or a yes or no that never raises, whatever a stranger sent.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256

TOLERANCE = 300
"""Seconds that a timestamp may lie in the past or the future."""


def sign(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` header: one ``v1,…`` for each secret (``whsec_`` and base64), in their order."""
    content = f"{message_id}.{timestamp}.".encode(errors="surrogatepass") + body
    return " ".join(f"v1,{b64encode(_mac(secret, content)).decode()}" for secret in secrets)


def verify(secrets: Sequence[str], message_id: str, timestamp: str, body: bytes, signature: str, *, now: float) -> bool:
    """Whether any of the signatures was made with any of the secrets, and not too long ago."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now - int(timestamp)) > TOLERANCE:
        return False
    expected = [part.encode() for part in sign(secrets, message_id, int(timestamp), body).split()]
    given = [part.encode(errors="replace") for part in signature.split(" ") if part.startswith("v1,")]
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in given]
    return any(matches)


def _mac(secret: str, content: bytes) -> bytes:
    return hmac.digest(b64decode(secret.removeprefix("whsec_")), content, sha256)
