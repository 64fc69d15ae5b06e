"""Whether a rich notification is genuine: the tokens it came with and what is sealed in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from workers.graph.rich_notification import Certificate, KeyOf, NotGenuine, check_token, opened
from workers.settings import GraphBackend


class Prover:
    """For one backend; shared by threads. Raises what ``key_of`` raises, and NotGenuine. ``beside``: those of all our
    backends, for Graph puts what it tells several applications and tenants at one address into one collection."""

    def __init__(
        self,
        backend: GraphBackend,
        certificates: Sequence[Certificate],
        key_of: KeyOf,
        clock: Callable[[], datetime],
        beside: Collection[Prover] = (),
    ):
        self._audience = backend.client_id or ""
        tenant = backend.tenant or "{tid}"
        self._issuers = (f"https://sts.windows.net/{tenant}/", f"https://login.microsoftonline.com/{tenant}/v2.0",
                         f"{(backend.authority or '').rstrip('/')}/v2.0")  # fmt: skip
        self._certificates = certificates
        self._key_of = key_of
        self._clock = clock
        self._beside = beside

    def check(self, event: str, proof: str) -> None:
        """``proof``: ``{"tokens": […], "content": {…}}``, as it came. What is sealed has to be of this event."""
        told = json.loads(proof)
        self._check_tokens([str(token) for token in told["tokens"]])
        try:
            sealed = json.loads(opened(told["content"], self._certificates))
        except (ValueError, RecursionError) as error:
            raise NotGenuine("content", "what is sealed is not JSON") from error
        if not isinstance(sealed, dict) or sealed.get("id", event) != event:
            raise NotGenuine("event", "what is sealed is another event")

    def doubt(self, token: str) -> NotGenuine | None:
        """Why the token does not vouch for this backend; None where it does."""
        try:
            check_token(token, self._key_of, audience=self._audience, issuers=self._issuers, now=self._clock())
        except NotGenuine as error:
            return error
        return None

    def _check_tokens(self, tokens: Sequence[str]) -> None:
        """Each token has to vouch for one of our backends, and one of them for this one."""
        doubts = [self.doubt(token) for token in tokens]
        for token, doubt in zip(tokens, doubts, strict=True):
            if doubt is not None and all(other.doubt(token) for other in self._beside):
                raise doubt
        if None not in doubts:
            raise next(filter(None, doubts), NotGenuine("token", "there is no token"))
