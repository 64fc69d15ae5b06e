"""Which client is this? API keys, of which the configuration knows only the SHA-256.

Not here: what a client may touch (webhooks/targets), signed requests (webhooks/signed).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from workers.settings import Client


def client_of(authorization: str | None, clients: Iterable[Client]) -> Client | None:
    """The client whose key ``Authorization: Bearer <key>`` carries, or None.

    Every key of every client is compared, in constant time: how long it takes says nothing.
    """
    scheme, _, key = (authorization or "").partition(" ")
    offered = hashlib.sha256(key.strip().encode("utf-8", "replace")).hexdigest()
    matches = [
        client for client in clients for known in client.api_key_sha256 if hmac.compare_digest(offered, known.lower())
    ]
    return matches[0] if matches and scheme.lower() == "bearer" and key.strip() else None
