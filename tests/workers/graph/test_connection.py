"""What a server can do to us over a real socket. See test_client for what it answers."""

import socket
from itertools import count

import pytest

from tests.workers.graph.test_exchange import Signed, listening
from tests.workers.graph.wire import ANNA, EVENT, PATCH, STANDS, Wire, backend, exchange
from workers.exchange import Unavailable, Unknown
from workers.graph.connection import Connection
from workers.graph.exchange import GraphExchange


def _drip(server: socket.socket) -> None:
    server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    waiting = iter(count())
    try:
        while next(waiting) < 10_000:
            server.sendall(b"{")
            server.settimeout(0.02)
            try:
                if server.recv(1) == b"":
                    return
            except TimeoutError:
                continue
    except OSError:
        return


def test_a_server_that_drips_is_not_waited_for_for_ever() -> None:
    with listening(_drip) as url:
        connection = Connection(backend(base_url=url, timeout=0.3), Signed())
        graph = GraphExchange(connection)
        with pytest.raises(Unknown, match="did not end in time"):
            graph.write(ANNA, STANDS, PATCH)
        connection.close()


def test_an_answer_that_is_too_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.exchange.whole_answer.LARGEST_ANSWER", 1000)
    with pytest.raises(Unavailable, match="more than 1000 bytes"):
        exchange(Wire({"id": "x" * 1000})).read(ANNA, [])
    with pytest.raises(Unknown, match="more than 1000 bytes"):
        exchange(Wire({"id": "x" * 1000})).write(ANNA, STANDS, PATCH)


def test_a_base_url_may_end_with_a_slash() -> None:
    wire = Wire(EVENT)
    exchange(wire, base_url="https://graph.example/v1.0/").read(ANNA, [])
    assert wire.seen[0].url.path.startswith("/v1.0/users/")


def test_a_redirect_is_not_followed() -> None:
    def elsewhere(server: socket.socket) -> None:
        server.sendall(b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")

    with listening(elsewhere) as url:
        connection = Connection(backend(base_url=url, timeout=5), Signed())
        graph = GraphExchange(connection)
        with pytest.raises(Unknown, match="307"):
            graph.write(ANNA, STANDS, PATCH)
        connection.close()
