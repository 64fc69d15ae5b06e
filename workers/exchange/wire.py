"""Connections to one server, kept and used again: Python's own http.client behind httpx's seam for transports.

An update is three calls, and httpx with its own transport spent as much on them as everything else on the update: four
times what http.client needs (ops/decisions/0015). Where the environment names a proxy httpx's own transport is used.
Not here: sign-in and the end of an answer (whole_answer), what an answer means. Retries nothing, follows nothing.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections import deque
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from time import monotonic
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

KEPT = 64
"""Connections that may be idle."""
IDLE = 30.0
"""Seconds for which one may be idle: less than servers and their proxies wait before they close it."""
_PIECE = 64 * 1024


def transport_to(url: str, trust: ssl.SSLContext) -> httpx.BaseTransport:
    """The way to the server of ``url``."""
    proxy = proxy_for(url)
    if proxy is None:
        return Wire(trust)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=KEPT)
    return httpx.HTTPTransport(verify=trust, proxy=proxy, limits=limits)


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for ``url`` (``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``)."""
    parts, proxies = urlsplit(url), getproxies()
    named = proxies.get(parts.scheme) or proxies.get("all")
    if not named or proxy_bypass(parts.hostname or ""):
        return None
    return named if "://" in named else f"http://{named}"


class Wire(httpx.BaseTransport):
    """Thread-safe: a connection serves one request at a time. Each request needs the extension ``deadline``, which
    whole_answer gives it: the moment by ``time.monotonic`` at which its answer, too, is given up, however it comes.
    Raises httpx's TransportErrors; ConnectError and ConnectTimeout say that nothing was sent."""

    def __init__(self, trust: ssl.SSLContext):
        trust.set_alpn_protocols(["http/1.1"])
        self._trust = trust
        self._idle: deque[tuple[HTTPConnection, float]] = deque()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        deadline: float = request.extensions["deadline"]
        connection = self._kept() or self._dialled(request.url, deadline)
        seen = _Socket(connection.sock)
        try:
            _send(connection, request, deadline)
            answer = _answer(connection, deadline)
        except BaseException:
            connection.close()
            raise
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()]
        body = _Body(self, connection, answer)
        return httpx.Response(answer.status, headers=headers, stream=body, extensions={"network_stream": seen})

    def keep(self, connection: HTTPConnection) -> None:
        """Keep a connection that may serve another request."""
        self._idle.append((connection, monotonic()))
        if len(self._idle) > KEPT:
            self._idle.popleft()[0].close()

    def close(self) -> None:
        """Close every connection that is not in use."""
        while self._idle:
            self._idle.pop()[0].close()

    def _kept(self) -> HTTPConnection | None:
        """The connection that was used last, because it is the least likely to be closed at the other end."""
        while True:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                return None
            if monotonic() - since < IDLE and not _speaks(connection):
                return connection
            connection.close()

    def _dialled(self, url: httpx.URL, deadline: float) -> HTTPConnection:
        host, secure = url.raw_host.decode("ascii"), url.scheme == "https"
        connection = HTTPConnection(host, url.port or (443 if secure else 80))
        connection.auto_open = 0  # it would send a request twice
        try:
            connection.sock = _reached(host, connection.port, deadline)
            if secure:
                connection.sock.settimeout(_left(deadline))
                connection.sock = self._trust.wrap_socket(connection.sock, server_hostname=host)
        except BaseException as error:
            connection.close()
            if isinstance(error, TimeoutError):
                raise httpx.ConnectTimeout(str(error)) from error
            if isinstance(error, OSError | UnicodeError):  # no such host, nobody there, no TLS; no name of a host
                raise httpx.ConnectError(str(error)) from error
            raise
        return connection


def _reached(host: str, port: int, deadline: float) -> socket.socket:
    """A connection to the first of the host's addresses that answers. Each gets its share of the time that is left, so
    that one which does not answer leaves time for the others."""
    addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    while True:
        share = _left(deadline) / len(addresses)
        try:
            reached = socket.create_connection((addresses.pop(0), port), share)
            break
        except OSError:
            if not addresses:
                raise
    reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return reached


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left


def _speaks(connection: HTTPConnection) -> bool:
    """Whether there is something to read although nothing was asked: as a rule, that the connection has ended."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _send(connection: HTTPConnection, request: httpx.Request, deadline: float) -> None:
    try:
        connection.putrequest(
            request.method, request.url.raw_path.decode("ascii"), skip_host=True, skip_accept_encoding=True
        )
        for name, value in request.headers.raw:
            connection.putheader(name, value)
    except (ValueError, HTTPException) as error:
        raise httpx.LocalProtocolError(str(error)) from error
    try:
        connection.sock.settimeout(_left(deadline))
        connection.endheaders(request.content)
    except TimeoutError as error:
        raise httpx.WriteTimeout(str(error)) from error
    except OSError:
        pass  # a server that hangs up may have said why


def _answer(connection: HTTPConnection, deadline: float) -> HTTPResponse:
    connection.response_class = partial(_Answer, deadline)  # type: ignore[assignment]  # it is only called
    try:
        return connection.getresponse()
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except (HTTPException, ValueError) as error:
        raise httpx.RemoteProtocolError(str(error)) from error
    except OSError as error:
        raise httpx.ReadError(str(error)) from error


class _Answer(HTTPResponse):
    """An answer that is read until ``deadline`` at most."""

    def __init__(self, deadline: float, connected: socket.socket, method: str | None) -> None:
        super().__init__(connected, method=method)
        self.fp = BufferedReader(_Incoming(connected, self.fp.detach(), deadline))

    def begin(self) -> None:
        """Up to the answer itself. http.client takes a 103 for it, so that the next request on the connection would
        be given the answer to this one (https://www.rfc-editor.org/rfc/rfc9110#section-15.2)."""
        super().begin()
        while 100 <= self.status < 200:
            self.headers = None  # type: ignore[assignment]  # as it was before begin
            super().begin()


class _Incoming(RawIOBase):
    """What comes in at a socket. Every wait ends at the deadline; otherwise a server could drip for ever."""

    def __init__(self, connected: socket.socket, raw: RawIOBase, deadline: float) -> None:
        self._socket = connected
        self._raw = raw
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(_left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Body(httpx.SyncByteStream):
    """An answer's body, piece by piece as it comes; read to its end, its connection may be used again."""

    def __init__(self, wire: Wire, connection: HTTPConnection, answer: HTTPResponse):
        self._wire = wire
        self._connection: HTTPConnection | None = connection
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._piece():
            yield piece
        if self._answer.length:
            raise httpx.RemoteProtocolError(f"the answer ended {self._answer.length} bytes early")
        if self._connection is not None and not self._answer.will_close:
            self._answer.close()
            connection, self._connection = self._connection, None
            self._wire.keep(connection)

    def close(self) -> None:
        if self._connection is not None:
            self._answer.close()
            self._connection.close()

    def _piece(self) -> bytes:
        try:
            return self._answer.read1(_PIECE)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the answer did not end in time") from error
        except (HTTPException, ValueError) as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error


class _Socket:
    """What httpx calls a network stream: what can be asked about it."""

    __slots__ = ("_socket",)

    def __init__(self, socket: Any):
        self._socket = socket

    def get_extra_info(self, info: str) -> Any:
        """The socket, as ``socket``; if it speaks TLS also as ``ssl_object``."""
        if info == "socket" or (info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket)):
            return self._socket
        return None
