"""One request, with whatever it takes to sign in, and the whole of its answer, or an error, in time: a server may send
piece after piece for ever."""

from __future__ import annotations

from time import monotonic

import httpx

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


def _read(response: httpx.Response, deadline: float) -> bytes:
    body = bytearray()
    try:
        for piece in response.iter_bytes():
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise AnswerTooLarge(f"more than {LARGEST_ANSWER} bytes")
            if monotonic() > deadline:
                raise httpx.ReadTimeout("the answer did not end in time")
    finally:
        response.close()
    return bytes(body)
