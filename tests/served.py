"""A server of the standard library's kind that answers in a thread of its own while a test runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from threading import Thread
from time import sleep


@contextmanager
def served(server: BaseServer) -> Iterator[None]:
    """It looks often whether it is to end: by itself it does so twice a second, and each test would wait for that."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def dripping(pieces: int) -> Iterator[bytes]:
    """The body of an answer that comes in so many pieces, a hundred in a second."""
    for _ in range(pieces):
        sleep(0.01)
        yield b" "
