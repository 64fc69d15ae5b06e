"""The public keys that an authority signs its tokens with, fetched when they are needed and kept for a day.

https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-tokens. The only I/O that checking a rich
notification needs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx
import jwt

from workers.exchange import Unavailable
from workers.exchange.memory import DAY
from workers.exchange.whole_answer import answered
from workers.settings import GraphBackend
from workers.tls import trust

AT_MOST_EVERY = 60.0
"""Seconds between two fetches, however many unknown keys are named to us and whether or not a fetch succeeds."""
_NO_KEYS = (httpx.HTTPError, httpx.InvalidURL, jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError)


class SigningKeys:
    """Shared by threads. ``transport`` replaces the network in tests."""

    def __init__(self, backend: GraphBackend, transport: httpx.BaseTransport | None = None):
        self._url = f"{(backend.authority or '').rstrip('/')}/v2.0/.well-known/openid-configuration"
        self._trust = trust(backend.ca_file)
        self._timeout = backend.timeout
        self._transport = transport
        self._keys: Mapping[str, Any] = {}
        self._fetched = -DAY
        self._asked = -AT_MOST_EVERY
        self._failure: str | None = None
        """Why the last fetch failed."""
        self._lock = threading.Lock()

    def find(self, key_id: str) -> Any:
        """The key of this id, None where there is none. Raises Unavailable where the authority does not answer."""
        with self._lock:
            now = time.monotonic()
            if now - self._fetched > DAY:
                self._keys = {}
            if key_id not in self._keys and now - self._asked > AT_MOST_EVERY:
                self._fetch()
            if key_id not in self._keys and self._failure is not None:
                raise Unavailable("SigningKeys", f"the authority does not tell its keys: {self._failure}")
            return self._keys.get(key_id)

    def _fetch(self) -> None:
        try:
            keys = jwt.PyJWKSet.from_dict(self._get(self._get(self._url)["jwks_uri"])).keys
        except _NO_KEYS as error:
            self._failure = str(error)
        else:
            self._keys, self._failure = {str(one.key_id): one.key for one in keys}, None
            self._fetched = time.monotonic()
        # Counted from the end, or whoever waited for the lock would fetch again at once.
        self._asked = time.monotonic()

    def _get(self, url: str) -> Any:
        request = httpx.Request("GET", url)
        return answered(request, self._trust, self._timeout, self._transport).raise_for_status().json()
