"""As much of a RabbitMQ as a refusal needs."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def refusing() -> Iterator[str]:
    """A RabbitMQ that knows nobody."""

    def method(number: int, arguments: bytes) -> bytes:
        payload = struct.pack(">HH", 10, number) + arguments
        return struct.pack(">BHI", 1, 0, len(payload)) + payload + b"\xce"

    def refuse() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(8)  # the protocol's name
                connection.sendall(method(10, struct.pack(">BBII5sI5s", 0, 9, 0, 5, b"PLAIN", 5, b"en_US")))
                connection.recv(65536)  # start-ok
                connection.sendall(method(50, struct.pack(">HB14sHH", 403, 14, b"ACCESS_REFUSED", 0, 0)))
                connection.recv(65536)  # close-ok

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        yield f"amqp://somebody:wrong@127.0.0.1:{server.getsockname()[1]}//"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(30)
