"""The proxy hurts connections as it says, and is not there otherwise."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.chaos.proxy import Mode, Proxy


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy before a server that says everything back."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        proxy = Proxy(server.getsockname()[1])
        yield proxy
        proxy.close()


def _echo(server: socket.socket) -> None:
    while True:
        try:
            peer, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_repeat, args=(peer,), daemon=True).start()


def _repeat(peer: socket.socket) -> None:
    with peer, suppress(ConnectionResetError):
        while data := peer.recv(1000):
            peer.sendall(data)


def _connected(proxy: Proxy, timeout: float = 20.0) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout)


def _heard(client: socket.socket, length: int) -> bytes:
    heard = b""
    while len(heard) < length:
        heard += client.recv(length)
    return heard


@pytest.mark.parametrize("mode", ["pass", "drip", "late"])
def test_everything_arrives_in_full_however_slowly(proxy: Proxy, mode: Mode) -> None:
    proxy.become(mode)
    with _connected(proxy) as client:
        client.sendall(b"x" * 100)
        assert _heard(client, 100) == b"x" * 100


def test_cut_resets_open_connections_and_new_ones(proxy: Proxy) -> None:
    with _connected(proxy) as client:
        client.sendall(b"there?")
        assert _heard(client, 6) == b"there?"
        proxy.become("cut")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionResetError), _connected(proxy) as late:
        late.recv(1)


def test_what_a_blackhole_swallowed_never_arrives(proxy: Proxy) -> None:
    proxy.become("blackhole")
    with _connected(proxy, timeout=0.2) as client:
        client.sendall(b"there?")
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(20)
        proxy.become("pass")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with _connected(proxy) as later:
        later.sendall(b"there?")
        assert _heard(later, 6) == b"there?"
