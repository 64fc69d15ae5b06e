from __future__ import annotations

import threading
from base64 import b64decode, b64encode
from datetime import datetime
from hashlib import md5, sha256, sha384
from pathlib import Path
from typing import Any

import httpx
import pytest
import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from spnego._ntlm_raw.messages import Authenticate
from spnego.channel_bindings import GssChannelBindings

from tests.workers.ews.server import Handler, backend, serving
from workers.ews.client import Client
from workers.ews.sign_in import NtlmAuth, auth_for
from workers.exchange import Away
from workers.exchange.oauth import BearerAuth


def _ntlm(handler: Handler) -> None:
    """What IIS does: a connection that has signed in stays so, another has to begin anew."""
    offered = handler.headers.get("Authorization", "")
    if handler.context is not None and handler.context.complete and not offered:
        return handler.answer(200, handler.context.client_principal.encode())
    if not offered:
        return handler.answer(401, b"sign in", WWW_Authenticate="Negotiate, NTLM")
    if handler.context is None or handler.context.complete:
        handler.context = spnego.server(protocol="ntlm")
    try:
        token = handler.context.step(b64decode(offered.removeprefix("NTLM ")))
    except spnego.exceptions.SpnegoError:
        handler.context = None
        return handler.answer(401, WWW_Authenticate="NTLM")
    if handler.context.complete:
        return handler.answer(200, handler.context.client_principal.encode())
    return handler.answer(401, WWW_Authenticate=f"NTLM {b64encode(token).decode()}")


@pytest.fixture(autouse=True)
def _accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom the server's side of pyspnego knows."""
    accounts = tmp_path / "accounts"
    accounts.write_text("HQ:svc:secret\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(accounts))


def _client(url: str, **settings: SecretStr) -> Client:
    return Client(backend(url, auth="ntlm", **settings))


def test_ntlm_signs_in() -> None:
    with serving(_ntlm) as server:
        client = _client(server.url)
        reply = client.post("GetItem", b"<envelope/>", None, "read")
        client.close()
    assert (reply.status, reply.body) == (200, b"HQ\\svc")
    assert [request.received for request in server.requests] == [b"<envelope/>"] * 3


def test_a_signed_in_connection_is_used_again() -> None:
    with serving(_ntlm) as server:
        client = _client(server.url)
        assert [client.post("GetItem", b"", None, "read").status for _ in range(3)] == [200, 200, 200]
        client.close()
        assert len(server.requests) == 3 + 1 + 1


def test_threads_sign_in_on_connections_of_their_own() -> None:
    with serving(_ntlm) as server:
        client = _client(server.url)
        together = threading.Barrier(8)
        statuses: list[int] = []

        def call() -> None:
            together.wait()
            statuses.extend(client.post("GetItem", b"", None, "read").status for _ in range(5))

        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.close()
    assert statuses == [200] * 40


def test_a_wrong_password_is_a_401() -> None:
    with serving(_ntlm) as server:
        client = _client(server.url, password=SecretStr("wrong"))
        assert client.post("GetItem", b"", None, "read").status == 401
        client.close()


def test_a_connection_that_ends_between_the_steps_is_no_refusal() -> None:
    def closes_once(handler: Handler) -> None:
        if len(server.requests) == 2:
            handler.protocol_version = "HTTP/1.0"  # whose answers end the connection
        if len(server.requests) == 3:
            return handler.answer(401, WWW_Authenticate="NTLM")
        return _ntlm(handler)

    with serving(closes_once) as server:
        client = _client(server.url)
        with pytest.raises(Away, match="the connection ended"):
            client.post("UpdateItem", b"", None, "write")
        assert client.post("UpdateItem", b"", None, "write").status == 200
        client.close()


@pytest.mark.parametrize("challenge", ["NTLM", "NTLM not-base64!", "NTLM AAAA", "Basic realm=x", ""])
def test_a_server_that_does_not_play_along_is_a_401(challenge: str) -> None:
    def script(handler: Handler) -> None:
        first = "Authorization" not in handler.headers
        handler.answer(401, WWW_Authenticate="NTLM" if first else challenge)

    with serving(script) as server:
        client = _client(server.url)
        assert client.post("GetItem", b"", None, "read").status == 401
        client.close()


def _certificate(algorithm: hashes.SHA256 | hashes.SHA384) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.hq.example")])
    unsigned = x509.CertificateBuilder(name, name, key.public_key(), 1, datetime(2026, 1, 1), datetime(2027, 1, 1))
    return unsigned.sign(key, algorithm).public_bytes(serialization.Encoding.DER)


class _TlsSocket:
    """What httpx gives for the connection of a response."""

    def __init__(self, certificate: bytes):
        self._certificate = certificate

    def get_extra_info(self, _: str) -> _TlsSocket:
        return self

    def getpeercert(self, binary_form: bool) -> bytes:
        assert binary_form
        return self._certificate


@pytest.mark.parametrize(("algorithm", "digest"), [(hashes.SHA256(), sha256), (hashes.SHA384(), sha384)])
def test_the_servers_certificate_is_bound_into_the_token(algorithm: Any, digest: Any) -> None:
    certificate = _certificate(algorithm)
    request = httpx.Request("POST", "https://mail.hq.example/EWS/Exchange.asmx")
    flow = NtlmAuth("HQ\\svc", "secret").auth_flow(request)
    next(flow)
    tls = {"network_stream": _TlsSocket(certificate)}
    flow.send(httpx.Response(401, headers={"WWW-Authenticate": "NTLM"}, extensions=tls))
    server = spnego.server(protocol="ntlm")
    challenge = server.step(b64decode(request.headers["Authorization"].removeprefix("NTLM "))) or b""
    flow.send(httpx.Response(401, headers={"WWW-Authenticate": "NTLM " + b64encode(challenge).decode()}))
    token = Authenticate.unpack(b64decode(request.headers["Authorization"].removeprefix("NTLM ")))
    expected = GssChannelBindings(application_data=b"tls-server-end-point:" + digest(certificate).digest())
    assert token.nt_challenge_response is not None
    assert md5(expected.pack(), usedforsecurity=False).digest() in token.nt_challenge_response


def test_each_sign_in_has_its_auth() -> None:
    assert isinstance(auth_for(backend("https://mail.hq.example/")), httpx.BasicAuth)
    assert isinstance(auth_for(backend("https://mail.hq.example/", auth="ntlm")), NtlmAuth)
    oauth = {
        "auth": "oauth",
        "authority": "https://login.microsoftonline.com/contoso",
        "client_id": "id",
        "client_secret": SecretStr("secret"),
    }
    assert isinstance(auth_for(backend("https://outlook.office365.com/EWS/Exchange.asmx", **oauth)), BearerAuth)
