"""One request, with whatever it takes to sign in, and the whole of its answer, or an error, in time: a server may send
piece after piece for ever."""

from __future__ import annotations

import ssl
from time import monotonic

import httpx

from workers.exchange.wire import transport_to

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes. Exchange itself stops at 35 MB (https://learn.microsoft.com/office365/servicedescriptions, message limits)."""


class AnswerTooLarge(httpx.TransportError):
    """More bytes than an answer may have."""


def whole_answer(
    transport: httpx.BaseTransport, auth: httpx.Auth, request: httpx.Request, deadline: float
) -> tuple[httpx.Response, bytes]:
    """The last answer and its body. What httpx's client does beside it - redirects, cookies, defaults to be merged -
    is not wanted here and cost as much as the rest. ``deadline``: by ``time.monotonic``. Raises httpx's RequestErrors,
    AnswerTooLarge among them, and what ``auth`` raises."""
    steps = auth.sync_auth_flow(request)
    try:
        step = next(steps)
        while True:
            step.extensions["deadline"] = deadline
            response = transport.handle_request(step)
            body = _read(response, deadline)
            try:
                step = steps.send(response)
            except StopIteration:
                return response, body
    finally:
        steps.close()


def answered(
    request: httpx.Request, trust: ssl.SSLContext, timeout: float, transport: httpx.BaseTransport | None = None
) -> httpx.Response:
    """The answer, read, of a server that is asked so rarely that no connection to it is kept. ``timeout``: seconds for
    all of it; ``transport`` replaces the network in tests. Raises httpx's RequestErrors."""
    request.extensions["timeout"] = httpx.Timeout(timeout).as_dict()
    with transport or transport_to(str(request.url), trust) as way:
        response, body = whole_answer(way, httpx.Auth(), request, monotonic() + timeout)
    headers = [(name, value) for name, value in response.headers.multi_items() if name != "content-encoding"]
    return httpx.Response(response.status_code, headers=headers, content=body, request=request)


def _read(response: httpx.Response, deadline: float) -> bytes:
    body = bytearray()
    try:
        if "," in response.headers.get("content-encoding", ""):
            # Of one coding a piece holds a thousand times its length at most, of two the square of that.
            raise httpx.DecodingError("the answer is encoded more than once")
        for piece in response.iter_bytes():
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise AnswerTooLarge(f"more than {LARGEST_ANSWER} bytes")
            if monotonic() > deadline:
                raise httpx.ReadTimeout("the answer did not end in time")
    finally:
        response.close()
    return bytes(body)
