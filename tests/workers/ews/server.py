"""A small HTTP server on a real socket, whose answers a test scripts one by one."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import SecretStr

from tests.served import served
from workers.settings import EwsBackend

Script = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One connection. ``received`` is the body of the request that is being answered."""

    protocol_version = "HTTP/1.1"
    received = b""
    context: Any = None
    """Whatever a script keeps for this connection."""

    def do_POST(self) -> None:
        self.received = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        assert isinstance(self.server, Server)
        self.server.requests.append(self)
        self.server.script(self)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drop(self) -> None:
        """Close the connection without a word."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # five by default, and the sixth that dials at once is cut off

    def __init__(self, script: Script):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.requests: list[Handler] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/EWS/Exchange.asmx"

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def serving(script: Script, kind: type[Server] = Server) -> Iterator[Server]:
    server = kind(script)
    with served(server):
        yield server


def backend(url: str, **settings: Any) -> EwsBackend:
    return EwsBackend.model_validate(
        {
            "name": "hq",
            "kind": "ews",
            "url": url,
            "auth": "basic",
            "username": SecretStr("HQ\\svc"),
            "password": SecretStr("secret"),
            "mailboxes": ("*@hq.example",),
        }
        | settings
    )
