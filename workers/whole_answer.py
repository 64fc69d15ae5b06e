"""The whole body of an answer, or an error: httpx bounds the wait for each piece, and pieces may come for ever."""

from __future__ import annotations

from time import monotonic

import httpx

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes. Exchange itself stops at 35 MB (https://learn.microsoft.com/office365/servicedescriptions, message limits)."""


class AnswerTooLarge(httpx.TransportError):
    """More bytes than an answer may have."""


def whole_answer(response: httpx.Response, deadline: float) -> bytes:
    """Read it to its end. ``deadline``: by ``time.monotonic``. Raises AnswerTooLarge, httpx.ReadTimeout."""
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise AnswerTooLarge(f"more than {LARGEST_ANSWER} bytes")
        if monotonic() > deadline:
            raise httpx.ReadTimeout("the answer did not end in time")
    return bytes(body)
