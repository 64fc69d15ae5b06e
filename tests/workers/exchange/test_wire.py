from __future__ import annotations

import gzip
import socket
import ssl
import threading
from pathlib import Path
from time import monotonic

import httpx
import pytest

from ops.sandbox import certificates
from tests.workers.ews.server import Handler, Script, Server, serving
from workers.exchange.whole_answer import whole_answer
from workers.exchange.wire import Wire, proxy_for, transport_to
from workers.tls import trust

WAIT = 5.0


def ask(
    wire: httpx.BaseTransport, url: str, content: bytes = b"?", headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    request = httpx.Request("POST", url, content=content, headers=headers)
    response, body = whole_answer(wire, httpx.Auth(), request, monotonic() + WAIT)
    return response.status_code, body


def asking(url: str, content: bytes) -> httpx.Request:
    return httpx.Request("POST", url, content=content, extensions={"deadline": monotonic() + WAIT})


def connections(server: Server) -> int:
    return len({id(request.connection) for request in server.requests})


def echo(handler: Handler) -> None:
    handler.answer(200, handler.received)


def chunked(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")


def until_the_end(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\nabcde")
    handler.drop()


def compressed(handler: Handler) -> None:
    handler.answer(200, gzip.compress(b"abcde"), Content_Encoding="gzip")


@pytest.mark.parametrize("script", [chunked, until_the_end, compressed])
def test_an_answer_is_read_to_its_end(script: Script) -> None:
    with serving(script) as server:
        assert ask(Wire(trust()), server.url) == (200, b"abcde")


def test_a_connection_is_used_again() -> None:
    wire = Wire(trust())
    with serving(echo) as server:
        answers = [ask(wire, server.url, body) for body in (b"1", b"2", b"3")]
        wire.close()
        assert (answers, connections(server)) == ([(200, b"1"), (200, b"2"), (200, b"3")], 1)


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    ],
    ids=["a header", "one more provisional answer", "the size of a chunk"],
)
def test_an_answer_that_drips_for_ever_is_given_up_in_time(first: bytes, piece: bytes) -> None:
    def drip(handler: Handler) -> None:
        handler.wfile.write(first)
        while not given_up.wait(0.02):
            handler.wfile.write(piece)

    given_up, wire = threading.Event(), Wire(trust())
    with serving(drip) as server:
        began = monotonic()
        request = httpx.Request("POST", server.url, content=b"?")
        try:
            with pytest.raises(httpx.ReadTimeout):
                whole_answer(wire, httpx.Auth(), request, began + 0.3)
        finally:
            given_up.set()
        assert monotonic() - began < WAIT


@pytest.mark.parametrize("status", ["102 Processing", "103 Early Hints"])
def test_what_comes_before_the_answer_is_not_taken_for_it(status: str) -> None:
    def early(handler: Handler) -> None:
        handler.wfile.write(f"HTTP/1.1 {status}\r\nLink: </style>\r\n\r\n".encode())
        handler.answer(200, handler.received)

    wire = Wire(trust())
    with serving(early) as server:
        answers = [ask(wire, server.url, body) for body in (b"1", b"2", b"3")]
        wire.close()
        assert (answers, connections(server)) == ([(200, b"1"), (200, b"2"), (200, b"3")], 1)


@pytest.mark.parametrize(
    "said", [b"SMTP ready\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"]
)
def test_what_is_no_http_is_an_error_of_the_transport(said: bytes) -> None:
    def babble(handler: Handler) -> None:
        handler.wfile.write(said)
        handler.drop()

    with serving(babble) as server, pytest.raises(httpx.RemoteProtocolError):
        ask(Wire(trust()), server.url)


def test_a_request_that_the_server_does_not_take_in_is_given_up_in_time() -> None:
    def once(handler: Handler) -> None:
        handler.answer(200)
        given_up.wait(WAIT)  # and reads nothing meanwhile

    given_up, wire = threading.Event(), Wire(trust())
    with serving(once) as server:
        ask(wire, server.url)
        began = monotonic()
        request = httpx.Request("POST", server.url, content=bytes(32 * 1024 * 1024))
        try:
            with pytest.raises(httpx.WriteTimeout):
                whole_answer(wire, httpx.Auth(), request, began + 0.3)
        finally:
            given_up.set()
        assert monotonic() - began < WAIT / 2


def test_an_address_at_which_nobody_answers_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def dialled(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append((address[0], round(timeout)))
        if address[0] == "192.0.2.1":
            raise TimeoutError("timed out")
        connected = socket.socket()
        connected.connect(address)
        return connected

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("192.0.2.1", "127.0.0.1")]
    monkeypatch.setattr("workers.exchange.wire.socket.getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr("workers.exchange.wire.socket.create_connection", dialled)
    with serving(echo) as server:
        assert ask(Wire(trust()), server.url, b"mine") == (200, b"mine")
    assert tried == [("192.0.2.1", 2), ("127.0.0.1", 5)]


def _closing(handler: Handler) -> None:
    handler.answer(200, b"bye")
    handler.close_connection = True


def _saying_so(handler: Handler) -> None:
    handler.answer(200, b"bye", Connection="close")


@pytest.mark.parametrize("script", [_closing, _saying_so])
def test_a_connection_that_the_server_has_closed_is_not_used_again(script: Script) -> None:
    closed = threading.Event()

    class Watched(Server):
        def shutdown_request(self, request: object) -> None:
            super().shutdown_request(request)  # type: ignore[arg-type]
            closed.set()

    wire = Wire(trust())
    with serving(script, Watched) as server:
        for _ in range(3):
            assert ask(wire, server.url) == (200, b"bye")
            assert closed.wait(WAIT)
            closed.clear()
        assert len(server.requests) == 3


def test_a_connection_that_was_idle_for_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.exchange.wire.IDLE", 0.0)
    wire = Wire(trust())
    with serving(echo) as server:
        ask(wire, server.url)
        ask(wire, server.url)
        wire.close()
        assert connections(server) == 2


def test_a_connection_with_an_answer_that_nobody_read_is_not_used_again() -> None:
    wire = Wire(trust())
    with serving(echo) as server:
        wire.handle_request(asking(server.url, b"unread")).close()
        assert ask(wire, server.url, b"mine") == (200, b"mine")
        wire.close()


def test_threads_never_hear_each_others_answers() -> None:
    wire, heard = Wire(trust()), []

    def call(number: int) -> None:
        for _ in range(20):
            heard.append(ask(wire, server.url, b"%d" % number) == (200, b"%d" % number))

    with serving(echo) as server:
        threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wire.close()
    assert heard == [True] * 160


def test_only_so_many_idle_connections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.exchange.wire.KEPT", 1)
    wire = Wire(trust())
    with serving(echo) as server:
        both = [wire.handle_request(asking(server.url, b"x")) for _ in range(2)]
        assert [answer.read() for answer in both] == [b"x", b"x"]
        ask(wire, server.url)
        ask(wire, server.url)
        wire.close()
        assert connections(server) == 2


def test_a_header_that_http_cannot_hold_is_not_sent() -> None:
    with serving(echo) as server:
        with pytest.raises(httpx.LocalProtocolError):
            ask(Wire(trust()), server.url, headers={"X-Mailbox": "a\r\nX-Evil: 1"})
        assert server.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1:1", f"{'x' * 64}.example"])
def test_where_nobody_can_be_reached_nothing_was_sent(host: str) -> None:
    with pytest.raises(httpx.ConnectError):
        ask(Wire(trust()), f"http://{host}/")


def test_over_tls_the_certificate_can_be_asked_for_and_has_to_be_of_the_host(tmp_path: Path) -> None:
    certificates.ensure(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")

    class Secure(Server):
        def get_request(self) -> tuple[ssl.SSLSocket, str]:
            connection, address = self.socket.accept()
            return context.wrap_socket(connection, server_side=True), address

    with serving(echo, Secure) as server:
        url, wire = server.url.replace("http:", "https:"), Wire(trust(tmp_path / "ca.pem"))
        answer = wire.handle_request(asking(url, b"secret"))
        shown = answer.extensions["network_stream"].get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert shown == ssl.PEM_cert_to_DER_cert((tmp_path / "server.pem").read_text())
        assert answer.read() == b"secret"
        wire.close()
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            ask(Wire(trust()), url)


def test_the_way_leads_through_the_proxy_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert proxy_for("https://graph.example/v1.0") is None
    assert isinstance(transport_to("https://graph.example/v1.0", trust()), Wire)
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "hq.example")
    assert proxy_for("https://graph.example/v1.0") == "http://proxy.example:3128"
    assert proxy_for("https://mail.hq.example/EWS/Exchange.asmx") is None
    assert proxy_for("http://graph.example/v1.0") is None
    assert isinstance(transport_to("https://graph.example/v1.0", trust()), httpx.HTTPTransport)
    monkeypatch.setenv("ALL_PROXY", "http://any.example:3128")
    assert proxy_for("http://graph.example/v1.0") == "http://any.example:3128"
    assert proxy_for("https://graph.example/v1.0") == "http://proxy.example:3128"
