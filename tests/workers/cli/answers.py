"""A server that answers as a test wants it to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TypeAlias

from tests.served import served

Answer: TypeAlias = tuple[int, dict[str, str], bytes]
"""Status, headers and body; a status of 0 hangs up."""


@contextmanager
def answering(*answers: Answer) -> Iterator[str]:
    """The address of a server that gives each answer once, and the last one for ever."""
    server = server_of(*answers)
    with served(server):
        yield f"http://127.0.0.1:{server.server_port}"


def server_of(*answers: Answer) -> HTTPServer:
    """Such a server, which does not serve yet."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, body = left.pop(0) if len(left) > 1 else left[0]
            if status == 0:
                return
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    return HTTPServer(("127.0.0.1", 0), Handler)
