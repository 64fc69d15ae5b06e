"""How a request proves who we are: Basic, NTLM or OAuth, as an httpx.Auth.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/authentication-and-ews-in-exchange
"""

from __future__ import annotations

import base64
from collections.abc import Generator
from typing import Any

import httpx
import spnego
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from spnego.channel_bindings import GssChannelBindings

from workers.exchange import Away
from workers.exchange.oauth import BearerAuth, scope_of
from workers.settings import EwsBackend


def auth_for(backend: EwsBackend, transport: httpx.BaseTransport | None = None) -> httpx.Auth:
    """The sign-in that a backend is configured with; ``transport`` replaces the network to the token service."""
    if backend.auth == "oauth":
        return BearerAuth(backend, scope_of(backend.url), transport=transport)
    assert backend.username is not None and backend.password is not None  # noqa: S101 - settings promise it
    username, password = backend.username.get_secret_value(), backend.password.get_secret_value()
    return NtlmAuth(username, password) if backend.auth == "ntlm" else httpx.BasicAuth(username, password)


class NtlmAuth(httpx.Auth):
    """NTLM over HTTP (https://learn.microsoft.com/openspecs/windows_protocols/ms-nthp), tokens by pyspnego.

    NTLM signs in a *connection*: the client that uses this must send all steps over the same one, so it may hold only
    one, and must not be used by two threads at once. The TLS certificate is bound into the token, as Exchange's
    Extended Protection demands.
    """

    def __init__(self, username: str, password: str):
        self._username = username
        self._password = password

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Ask; when told to sign in: negotiate, be challenged, authenticate. A refusal is left to the caller.
        Raises Away where the last step met another connection than the others: nobody has judged us there."""
        response = yield request
        scheme = _scheme(response)
        if response.status_code != 401 or scheme is None:
            return
        context = spnego.client(
            self._username,
            self._password,
            hostname=request.url.host,
            service="HTTP",
            protocol="ntlm",
            channel_bindings=_bindings(response),
        )
        request.headers["Authorization"] = _token(scheme, context.step())
        response = yield request
        try:
            answer = context.step(_challenge(scheme, response))
        except Exception:  # pyspnego lets out any error of its parser; the 401 that we have says enough
            return
        request.headers["Authorization"] = _token(scheme, answer)
        last = yield request
        if last.status_code == 401 and _stream_info(last, "socket") is not _stream_info(response, "socket"):
            raise Away("SignInFailed", "signing in: the connection ended between NTLM's steps")


def _scheme(response: httpx.Response) -> str | None:
    offered = {value.split()[0].lower() for value in _offers(response)}
    return next((scheme for scheme in ("NTLM", "Negotiate") if scheme.lower() in offered), None)


def _offers(response: httpx.Response) -> list[str]:
    listed = response.headers.get_list("WWW-Authenticate", split_commas=True)
    return [value.strip() for value in listed if value.strip()]


def _token(scheme: str, token: bytes | None) -> str:
    return f"{scheme} {base64.b64encode(token or b'').decode('ascii')}"


def _challenge(scheme: str, response: httpx.Response) -> bytes:
    for value in _offers(response):
        offered, _, token = value.partition(" ")
        if offered.lower() == scheme.lower() and token:
            return base64.b64decode(token, validate=True)
    raise ValueError("the server sent no challenge")


def _bindings(response: httpx.Response) -> GssChannelBindings | None:
    """The server's certificate as RFC 5929 ``tls-server-end-point``; None without TLS."""
    tls = _stream_info(response, "ssl_object")
    if tls is None:
        return None
    certificate = tls.getpeercert(binary_form=True)
    digest = hashes.Hash(_hash_of(certificate))
    digest.update(certificate)
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest.finalize())


def _stream_info(response: httpx.Response, info: str) -> Any:
    stream = response.extensions.get("network_stream")
    return stream.get_extra_info(info) if stream is not None else None


def _hash_of(certificate: bytes) -> hashes.HashAlgorithm:
    try:
        named = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    except (UnsupportedAlgorithm, ValueError):
        named = None
    return hashes.SHA256() if named is None or isinstance(named, hashes.MD5 | hashes.SHA1) else named
