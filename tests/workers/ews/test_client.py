from __future__ import annotations

import socket
import threading
from base64 import b64encode

import httpx
import pytest

from tests.workers.ews.server import Handler, Script, backend, serving
from workers.ews.client import Client
from workers.ews.errors import Reply
from workers.exchange import Away, ExchangeError, Refused, Unavailable, Unknown
from workers.exchange.doubt import Phase


def post(url: str, phase: Phase = "write", mailbox: str | None = "anna@hq.example", timeout: float = 5.0) -> Reply:
    client = Client(backend(url, timeout=timeout))
    try:
        return client.post("UpdateItem", b"<envelope/>", mailbox, phase)
    finally:
        client.close()


def test_a_reply_is_status_headers_and_body() -> None:
    with serving(lambda handler: handler.answer(500, b"body", Request_Id="r-1")) as server:
        reply = post(server.url)
    assert (reply.status, reply.body, reply.request_id) == (500, b"body", "r-1")


def test_a_request_says_what_it_is_and_who_sends_it() -> None:
    with serving(lambda handler: handler.answer(200)) as server:
        post(server.url)
        (request,) = server.requests
    assert request.received == b"<envelope/>"
    assert request.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert request.headers["SOAPAction"] == '"http://schemas.microsoft.com/exchange/services/2006/messages/UpdateItem"'
    assert request.headers["User-Agent"].startswith("Rendezvous/")
    assert request.headers["X-AnchorMailbox"] == "anna@hq.example"
    assert request.headers["client-request-id"]
    assert request.headers["return-client-request-id"] == "true"
    assert request.headers["Authorization"] == "Basic " + b64encode(b"HQ\\svc:secret").decode()


def test_without_an_address_there_is_no_anchor() -> None:
    with serving(lambda handler: handler.answer(200)) as server:
        post(server.url, mailbox=None)
        post(server.url, mailbox="ännä@hq.example")
    assert [request.headers.get("X-AnchorMailbox") for request in server.requests] == [None, None]


def _never(handler: Handler) -> None:
    handler.connection.recv(1)  # returns when the client gives up


def _half(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<s:Env")
    handler.drop()


def _trickle(handler: Handler) -> None:
    """A piece now and then, for ever: no single wait is long."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    pause = threading.Event()
    while not pause.wait(0.02):
        handler.wfile.write(b"1\r\nx\r\n")


def _nonsense(handler: Handler) -> None:
    handler.wfile.write(b"220 smtp.hq.example ESMTP\r\n")
    handler.drop()


def _bad_gzip(handler: Handler) -> None:
    handler.answer(200, b"no gzip", Content_Encoding="gzip")


@pytest.mark.parametrize("script", [Handler.drop, _half, _never, _trickle, _nonsense, _bad_gzip])
@pytest.mark.parametrize(("phase", "expected"), [("read", Away), ("write", Unknown)])
def test_a_lost_reply_is_unknown_to_a_write(script: Script, phase: Phase, expected: type[ExchangeError]) -> None:
    with serving(script) as server, pytest.raises(ExchangeError) as caught:
        post(server.url, phase, timeout=0.3)
    assert type(caught.value) is expected
    assert caught.value.request_id


def test_nothing_is_sent_twice() -> None:
    with serving(Handler.drop) as server:
        with pytest.raises(Unknown):
            post(server.url)
        assert len(server.requests) == 1


@pytest.mark.parametrize("phase", ["read", "write"])
def test_a_refused_connection_was_not_applied(phase: Phase) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(Unavailable) as caught:
            post(url, phase)
    assert type(caught.value) is Away


def test_a_tls_failure_was_not_applied() -> None:
    with serving(_nonsense) as server, pytest.raises(Unavailable):
        post(server.url.replace("http:", "https:"))


def test_a_slow_connection_was_not_applied() -> None:
    def connect_timeout(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("too slow", request=request)

    client = Client(backend("https://mail.hq.example/"), httpx.MockTransport(connect_timeout))
    with pytest.raises(Unavailable):
        client.post("UpdateItem", b"", None, "write")


def test_a_redirect_is_not_followed() -> None:
    with serving(lambda handler: handler.answer(302, Location="/elsewhere")) as server:
        assert post(server.url).status == 302
        assert len(server.requests) == 1


def test_a_header_that_cannot_be_sent_is_refused() -> None:
    with serving(lambda handler: handler.answer(200)) as server:
        with pytest.raises(Refused):
            post(server.url, mailbox="anna@hq.example\r\nX-Evil: 1")
        assert server.requests == []


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.exchange.whole_answer.LARGEST_ANSWER", 1000)
    with serving(lambda handler: handler.answer(200, b"x" * 1001)) as server, pytest.raises(Unknown) as caught:
        post(server.url)
    assert caught.value.code == "AnswerTooLarge"


def test_threads_share_a_client() -> None:
    with serving(lambda handler: handler.answer(200, handler.received)) as server:
        client = Client(backend(server.url))
        bodies: list[bytes] = []

        def call(body: bytes) -> None:
            bodies.append(client.post("GetItem", body, None, "read").body)

        threads = [threading.Thread(target=call, args=(str(number).encode(),)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.close()
    assert sorted(bodies) == sorted(str(number).encode() for number in range(20))
