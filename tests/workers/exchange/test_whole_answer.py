from __future__ import annotations

import gzip
from time import monotonic

import httpx
import pytest

from tests.served import dripping
from tests.workers.ews.server import Handler, serving
from workers.exchange.whole_answer import answered, whole_answer
from workers.exchange.wire import Wire
from workers.tls import trust


def test_a_small_answer_cannot_become_one_that_fills_the_memory() -> None:
    def script(handler: Handler) -> None:
        handler.answer(200, gzip.compress(gzip.compress(bytes(1000))), Content_Encoding="gzip, gzip")

    with serving(script) as server, pytest.raises(httpx.DecodingError, match="more than once"):
        request = httpx.Request("POST", server.url, content=b"?")
        whole_answer(Wire(trust()), httpx.Auth(), request, monotonic() + 5)


def test_who_is_asked_seldom_answers_as_everybody_does() -> None:
    def script(handler: Handler) -> None:
        handler.answer(403, gzip.compress(b'{"error": 1}'), Content_Encoding="gzip", Retry_After="7")

    with serving(script) as server:
        answer = answered(httpx.Request("POST", server.url, data={"a": "b"}), trust(), 5)
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (403, {"error": 1}, "7")


def test_who_is_asked_seldom_has_to_answer_in_time_too() -> None:
    drip = httpx.MockTransport(lambda _: httpx.Response(200, content=dripping(100)))
    with pytest.raises(httpx.ReadTimeout):
        answered(httpx.Request("GET", "https://login.example/"), trust(), 0.05, drip)
