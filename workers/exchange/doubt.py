"""Whether a call to Exchange that went wrong may have been applied: only a write may, and only what was sent.

Pure, and the same for every backend. Not here: what an answer means (ews/errors, graph/errors).
"""

from __future__ import annotations

from typing import Literal

import httpx

from workers.exchange import Away, ExchangeError, Refused, Unavailable, Unknown

Phase = Literal["read", "write"]

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
"""Failures before the first byte of the request left us; a failed TLS handshake is a ConnectError."""


def in_phase(kind: type[ExchangeError], phase: Phase) -> type[ExchangeError]:
    """The error as it is for a read or a write: a read changes nothing, so it is never in doubt."""
    return Unavailable if phase == "read" and issubclass(kind, Unknown) else kind


def may_be_foreign(status: int) -> bool:
    """Whether a refusal without Exchange's own words may have taken the place of its answer, as proxies do that inspect
    answers. Who asks for a sign-in does so before anything is applied."""
    return 400 <= status < 500 and status not in (401, 407)


def unanswered(error: httpx.HTTPError, phase: Phase, said: str, request_id: str | None = None) -> ExchangeError:
    """The error when no answer came. ``said``: what happened, in words."""
    if isinstance(error, httpx.LocalProtocolError):
        return Refused("LocalProtocolError", f"the request cannot be sent: {error}", request_id=request_id)
    kind = Away if phase == "read" or isinstance(error, NOT_SENT) else Unknown
    return kind(type(error).__name__, said, request_id=request_id)
