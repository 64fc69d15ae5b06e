"""Whether a rich notification is genuine: the tokens it came with and what is sealed in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from workers.graph.rich_notification import Certificate, KeyOf, NotGenuine, check_token, opened
from workers.settings import GraphBackend


class Prover:
    """For one backend; shared by threads. Raises what ``key_of`` raises, and NotGenuine."""

    def __init__(
        self, backend: GraphBackend, certificates: Sequence[Certificate], key_of: KeyOf, clock: Callable[[], datetime]
    ):
        self._audience = backend.client_id or ""
        self._issuers = ("https://sts.windows.net/{tid}/", "https://login.microsoftonline.com/{tid}/v2.0",
                         f"{(backend.authority or '').rstrip('/')}/v2.0")  # fmt: skip
        self._certificates = certificates
        self._key_of = key_of
        self._clock = clock

    def check(self, event: str, proof: str) -> None:
        """``proof``: ``{"tokens": […], "content": {…}}``, as it came. What is sealed has to be of this event."""
        told = json.loads(proof)
        if not told["tokens"]:
            raise NotGenuine("token", "there is no token")
        for token in told["tokens"]:
            check_token(str(token), self._key_of, audience=self._audience, issuers=self._issuers, now=self._clock())
        try:
            sealed = json.loads(opened(told["content"], self._certificates))
        except (ValueError, RecursionError) as error:
            raise NotGenuine("content", "what is sealed is not JSON") from error
        if not isinstance(sealed, dict) or sealed.get("id", event) != event:
            raise NotGenuine("event", "what is sealed is another event")
