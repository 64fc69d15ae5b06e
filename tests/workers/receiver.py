"""A receiver of callbacks at the other end of a real socket, that behaves as badly as a test wants it to."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class Receiver:
    """What came in: the raw head and body of each request, and how many bytes were ``reading_slowly``."""

    port: int
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    taken: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


Behaviour = Callable[[socket.socket, Receiver], None]


def answering(answer: bytes) -> Behaviour:
    """Read the request, send ``answer``, hang up."""

    def behave(connection: socket.socket, receiver: Receiver) -> None:
        take_request(connection, receiver)
        connection.sendall(answer)

    return behave


def dripping(first: bytes, drop: bytes, every: float = 0.05) -> Behaviour:
    """Read the request, send ``first``, and then ``drop`` again and again for as long as anybody listens."""

    def behave(connection: socket.socket, receiver: Receiver) -> None:
        take_request(connection, receiver)
        connection.sendall(first)
        while not receiver.stopping.wait(every):
            connection.sendall(drop)

    return behave


def reading_slowly(connection: socket.socket, receiver: Receiver) -> None:
    """Take whatever comes, a little at a time, and never answer."""
    while chunk := connection.recv(200_000):
        receiver.taken += len(chunk)
        if receiver.stopping.wait(0.02):
            return


def silent(connection: socket.socket, receiver: Receiver) -> None:
    """Read the request and never answer."""
    take_request(connection, receiver)
    receiver.stopping.wait(30)


def take_request(connection: socket.socket, receiver: Receiver) -> None:
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += connection.recv(65536)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    receiver.heads.append(head.decode("latin-1"))
    receiver.bodies.append(body)


@contextmanager
def receiving(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that treats its first connection as the first behaviour says, and so on; the last is kept to."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        receiver = Receiver(listener.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listener, behaviours, receiver, tls), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.stopping.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _serve(
    listener: socket.socket, behaviours: tuple[Behaviour, ...], receiver: Receiver, tls: ssl.SSLContext | None
) -> None:
    for behaviour in (*behaviours, *[behaviours[-1]] * 100):
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with suppress(OSError), connection:
            connection.settimeout(10)
            if tls is None:
                behaviour(connection, receiver)
            else:
                with tls.wrap_socket(connection, server_side=True) as wrapped:
                    behaviour(wrapped, receiver)


def certified(name: str, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context for the host ``name``, and its self-signed certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "receiver.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context, path
