"""A token endpoint over TLS, as msal meets one: its own certificate authority, its answers as the test wants them."""

import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.served import served

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Authority:
    """``answers`` are given to the next token requests, in order; otherwise each gets a token of its own."""

    url: str
    ca_file: Path
    answers: list[Answer] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    lifetime: int = 3600
    refresh_token: str | None = None
    discovery: Answer | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, form: dict[str, str]) -> Answer:
        with self.lock:
            self.asked.append(form)
            if self.answers:
                return self.answers.pop(0)
            token: dict[str, Any] = {"token_type": "Bearer", "expires_in": self.lifetime}
            token["access_token"] = f"token-{len(self.asked)}"
            if self.refresh_token:
                token["refresh_token"] = self.refresh_token
        return 200, {}, json.dumps(token).encode()

    def configuration(self) -> Answer:
        endpoints = {
            "issuer": f"{self.url}/v2.0",
            "authorization_endpoint": f"{self.url}/oauth2/v2.0/authorize",
            "token_endpoint": f"{self.url}/oauth2/v2.0/token",
        }
        return self.discovery or (200, {}, json.dumps(endpoints).encode())


def oauth_error(code: str, description: str, status: int = 400) -> Answer:
    """As Entra says it, with the number of its own that stands in the description."""
    own = [int(number) for number in re.findall(r"AADSTS(\d+)", description)]
    return status, {}, json.dumps({"error": code, "error_description": description, "error_codes": own}).encode()


@contextmanager
def running(directory: Path) -> Iterator[Authority]:
    """An authority on a free port of 127.0.0.1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    certificate(directory / "authority.pem", ec.generate_private_key(ec.SECP256R1()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "authority.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    authority = Authority(f"https://127.0.0.1:{server.server_port}/contoso", directory / "authority.pem")
    server.authority = authority  # type: ignore[attr-defined]
    with served(server):
        yield authority


def certificate(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    """A self-signed certificate for 127.0.0.1 and its key, in one PEM file."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._send(self.server.authority.configuration())  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._send(self.server.authority.answer(dict(parse_qsl(form))))  # type: ignore[attr-defined]

    def _send(self, answer: Answer) -> None:
        status, headers, body = answer
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body)), "Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass
