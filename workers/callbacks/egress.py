"""The one HTTP client for what goes out to callers: it dials only judged addresses and keeps its deadline.

Built on httpcore's network backend, the seam at which both can be enforced. Redirects are not followed, proxies from
the environment are not used, at most ``ANSWER_LIMIT`` bytes of an answer are read and nothing is decompressed.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore

from workers.callbacks.public_net import Network, judged

EXCHANGE_DEADLINE = 15.0
CONNECT_TIMEOUT = 5.0
ANSWER_LIMIT = 16 * 1024
_SLICE = 4 * 1024


class DeadlineExceeded(Exception):
    """The whole exchange took longer than it may."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


def post(
    url: str, headers: Sequence[tuple[str, str]], body: bytes, *, networks: Sequence[Network], context: ssl.SSLContext
) -> Answer:
    """POST, and what came back. Raises public_net.Blocked, DeadlineExceeded, OSError or httpcore's network errors."""
    deadline = time.monotonic() + EXCHANGE_DEADLINE
    backend = _JudgedBackend(networks, deadline, public_too=url.lower().startswith("https:"))
    with (
        httpcore.ConnectionPool(ssl_context=context, network_backend=backend, retries=0) as pool,
        pool.stream("POST", _whole(url), headers=list(headers), content=body) as response,
    ):
        return Answer(
            response.status,
            tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers),
            _first_bytes(response),
        )


def _whole(url: str) -> httpcore.URL:
    """Given a string, httpcore leaves out what follows a semicolon in the last part of the path."""
    parts = urlsplit(url)
    return httpcore.URL(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port,
        target=(parts.path or "/") + (parts.query and f"?{parts.query}"),
    )


def _first_bytes(response: httpcore.Response) -> bytes:
    """The body as far as it comes. However it ends, the receiver has answered with its status."""
    read = b""
    with suppress(DeadlineExceeded, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError):
        for chunk in response.iter_stream():
            read += chunk
            if len(read) >= ANSWER_LIMIT:
                break
    return read[:ANSWER_LIMIT]


class _JudgedBackend(httpcore.NetworkBackend):
    """Resolves a name, judges every address, dials a judged one. TLS still checks the name."""

    def __init__(self, networks: Sequence[Network], deadline: float, *, public_too: bool) -> None:
        self._networks = networks
        self._deadline = deadline
        self._public_too = public_too
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        failed: Exception | None = None
        for address in judged(host, port, self._networks, public_too=self._public_too):
            try:
                within = min(CONNECT_TIMEOUT, _left(self._deadline))
                stream = self._sockets.connect_tcp(str(address), port, within, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
                continue
            return _DeadlineStream(stream, self._deadline)
        raise failed or httpcore.ConnectError(f"{host} has no address")


class _DeadlineStream(httpcore.NetworkStream):
    """A stream on which no read or write may outlast the deadline of the whole exchange, however slowly the other side
    drips."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _SLICE):  # a timeout for each piece: a receiver may read very slowly
            self._stream.write(buffer[start : start + _SLICE], _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        name = server_hostname and server_hostname.rstrip(".")  # as certificates and RFC 6066 have it
        stream = self._stream.start_tls(ssl_context, name, _left(self._deadline))
        return _DeadlineStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise DeadlineExceeded(f"the exchange took longer than {EXCHANGE_DEADLINE:.0f} s")
    return left
