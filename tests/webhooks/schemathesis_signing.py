"""Loaded by schemathesis itself (``SCHEMATHESIS_HOOKS``): signs what it sends to the signed route."""

from __future__ import annotations

from uuid import uuid4

import schemathesis
from requests import PreparedRequest
from requests.auth import AuthBase

from tests.webhooks.given import signature


class Signing(AuthBase):
    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        raw = request.body or b""
        request.headers.update(signature(raw if isinstance(raw, bytes) else str(raw).encode(), uuid4().hex))
        return request


schemathesis.auth.set_from_requests(Signing()).apply_to(method="POST", path="/v1/clients/{client}/updates")  # type: ignore[attr-defined]
