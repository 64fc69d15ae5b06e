"""Signing in with OAuth at Microsoft Entra: msal as an httpx.Auth.

Client credentials (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow) with a
secret or a certificate, or a delegated refresh token. Tokens live in memory only, and in no log and no repr.
Not here: what a token is used for.
"""

from __future__ import annotations

import json
import re
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Container, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from workers.exchange import AccessDenied, Away, ExchangeError
from workers.exchange.whole_answer import answered
from workers.retry_after import retry_after
from workers.settings import Backend, GraphBackend
from workers.tls import trust

RENEWAL_MARGIN = 300.0
"""Seconds before its end at which a token is renewed; less for tokens that live less than half an hour."""

_RENEWAL_PAUSE = 30.0
"""Seconds between attempts to renew a token that is still good."""

_PASSING = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
"""OAuth errors that are worth another try; all others need a person."""
_BUSY = frozenset({50196, 90033, 90055})
"""Entra's own codes for what passes by itself, whatever OAuth error they come with: too many requests of ours or of the
tenant, and a service that is away (https://learn.microsoft.com/entra/identity-platform/reference-error-codes)."""


_NO = frozenset(range(400, 500)) - {408, 429}
_NO_SUCH_TENANT = frozenset({400, 404})
"""The answers of discovery that are final. Anybody may ask it, so a 401 or 403 there is not about us."""
_BLOCK = re.compile(r"-----BEGIN (CERTIFICATE|[A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
"""What msal wants of a PEM file. Others, parameters and public keys, may stand beside it."""
_SENDABLE = re.compile("[!-~]+")
"""A token that a header can hold. Of any other the refusal to send it would tell the whole."""
_ENDPOINTS = ("authorization_endpoint", "token_endpoint")
"""What msal takes from the answer of discovery."""


def scope_of(url: str) -> str:
    """The scope that means whatever was consented to for the service at ``url``."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/.default"


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    renew_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class _Failure:
    error: ExchangeError
    at: float


class BearerAuth(httpx.Auth):
    """Puts a token on every request; on a 401 renews it once and sends the request once more.

    Shared by threads: one of them signs in, the others wait for it, and share its failure. After it was away
    they do not wait: an authority that hangs would hold all threads, and with them the other backends. Raises
    AccessDenied where Entra says no, Away where it cannot be asked; either way the request was not sent.
    """

    def __init__(
        self,
        backend: Backend,
        scope: str,
        *,
        delegated: bool = False,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._sign_in = _SignIn(backend, scope, delegated, transport)
        self._clock = clock
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._failure: _Failure | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._current()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            renewed = self._current(refused=token, claims=claims_challenge(response.headers))
            request.headers["Authorization"] = f"Bearer {renewed}"
            yield request

    def _current(self, refused: str | None = None, claims: str | None = None) -> str:
        """A token that is not the ``refused`` one."""
        token, failure, asked_at = self._token, self._failure, self._clock()
        usable = token is not None and token.value != refused
        if token is not None and usable and asked_at < token.renew_at:
            return token.value
        if failure is None or not isinstance(failure.error, Away):
            self._lock.acquire()
        elif not self._lock.acquire(blocking=False):
            if token is not None and usable and asked_at < token.expires_at:
                return token.value
            raise _again(failure.error)
        try:
            return self._renewed(refused, claims, asked_at)
        finally:
            self._lock.release()

    def _renewed(self, refused: str | None, claims: str | None, asked_at: float) -> str:
        token, now = self._token, self._clock()
        usable = token is not None and token.value != refused
        if token is not None and usable and now < token.renew_at:
            return token.value
        try:
            self._token = self._fresh(claims, asked_at)
        except ExchangeError:
            if token is None or not usable or now >= token.expires_at:
                raise
            self._token = replace(token, renew_at=now + _RENEWAL_PAUSE)
        return self._token.value

    def _fresh(self, claims: str | None, asked_at: float) -> _Token:
        if self._failure is not None and self._failure.at >= asked_at:
            raise _again(self._failure.error)  # it failed while we waited for the lock
        now = self._clock()
        try:
            value, lifetime = self._sign_in.token(claims)
        except ExchangeError as error:
            self._failure = _Failure(error, self._clock())
            raise
        self._failure = None
        return _Token(value, now + lifetime - min(RENEWAL_MARGIN, lifetime / 5), now + lifetime)


def claims_challenge(headers: Mapping[str, str]) -> str | None:
    """The claims that a 401 asks for, as JSON
    (https://learn.microsoft.com/entra/identity-platform/claims-challenge)."""
    found = re.search(r'\bclaims="([^"]+)"', headers.get("www-authenticate", ""))
    if found is None:
        return None
    try:
        claims = b64decode(found[1] + "=" * (-len(found[1]) % 4), altchars=b"-_").decode()
        return claims if isinstance(json.loads(claims), dict) else None
    except (ValueError, RecursionError):
        return None


class _SignIn:
    """One exchange with the authority, each time anew: msal's own caches would hold on to failures and old tokens."""

    def __init__(self, backend: Backend, scope: str, delegated: bool, transport: httpx.BaseTransport | None):
        self._backend = backend
        self._scope = scope
        self._transport = transport
        self._trust = trust(backend.ca_file)
        self._refresh_token = backend.refresh_token if delegated and isinstance(backend, GraphBackend) else None
        self._newest: str | None = None

    def token(self, claims: str | None) -> tuple[str, float]:
        """An access token and the seconds that it lives."""
        http = _MsalHttp(self._send)
        try:
            result = self._ask(http, claims)
            self._newest = result.get("refresh_token") or self._newest
            return _granted(result)
        except ExchangeError:
            raise
        except Exception as error:
            said = f"signing in: {type(error).__name__}: {error}"
            if http.token_answered or isinstance(error, httpx.HTTPError | OSError):
                raise Away("SignInFailed", said) from None
            # What msal, jwt and cryptography raise when they cannot use what was configured.
            raise AccessDenied("SignInMisconfigured", said) from None

    def _ask(self, http: _MsalHttp, claims: str | None) -> Mapping[str, Any]:
        import msal  # Signing in is all that needs it, and it takes 0.2 s to load.

        app = msal.ConfidentialClientApplication(
            self._backend.client_id,
            client_credential=self._credential(),
            authority=self._backend.authority,
            http_client=http,
            # Asks Microsoft whether an authority is genuine. Ours is named in the configuration.
            instance_discovery=False,
        )
        if self._refresh_token is None:
            return dict(app.acquire_token_for_client([self._scope], claims_challenge=claims))
        refresh_token = self._newest or self._refresh_token.get_secret_value()
        return dict(app.acquire_token_by_refresh_token(refresh_token, [self._scope], data={"claims": claims}))

    def _send(self, request: httpx.Request) -> httpx.Response:
        return answered(request, self._trust, self._backend.timeout, self._transport)

    def _credential(self) -> str | dict[str, str]:
        if self._backend.client_certificate_file is not None:
            return _certificate(self._backend.client_certificate_file)
        return self._backend.client_secret.get_secret_value() if self._backend.client_secret else ""


class _MsalHttp:
    """msal's idea of an HTTP client, on our own: only answers that decide something are handed on. Endpoints, a token,
    or a no in OAuth's own words (https://www.rfc-editor.org/rfc/rfc6749#section-5.2); all else is somebody who stands
    in between, or an authority that is not well."""

    def __init__(self, send: Callable[[httpx.Request], httpx.Response]):
        self._send = send
        self.token_answered = False
        """Whether an answer about a token was handed on. What was configured has been used by then, so that whatever
        msal cannot use is the answer."""

    def get(self, url: str, **options: Any) -> httpx.Response:
        response = self._decisive("GET", url, options, final=_NO_SUCH_TENANT)
        said = _json_object(response) or {}
        if response.is_success and not all(str(said.get(name)).startswith("https://") for name in _ENDPOINTS):
            raise Away("SignInFailed", f"signing in: {response.url.host} does not tell its endpoints")
        return response

    def post(self, url: str, *, data: Mapping[str, Any], **options: Any) -> httpx.Response:
        # msal signs assertions as bytes, of which httpx would send the repr.
        form = {name: value.decode() if isinstance(value, bytes) else value for name, value in data.items()}
        response = self._decisive("POST", url, {**options, "data": form}, final=_NO)
        self.token_answered = True
        return response

    def _decisive(self, method: str, url: str, options: Mapping[str, Any], final: Container[int]) -> httpx.Response:
        response = self._send(httpx.Request(method, url, **options))
        status, said = response.status_code, _json_object(response)
        if status < 300 and said is None:
            raise Away("SignInFailed", f"signing in: no JSON from {response.url.host}")
        if status < 300 or (status in final and isinstance((said or {}).get("error"), str)):
            return response
        wait = retry_after(response.headers.get("retry-after"), datetime.now(UTC))
        raise Away("SignInFailed", f"signing in: HTTP {status} from {response.url.host}", retry_after=wait)


def _json_object(response: httpx.Response) -> Mapping[str, Any] | None:
    try:
        said = json.loads(response.text)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _granted(result: Mapping[str, Any]) -> tuple[str, float]:
    token = result.get("access_token")
    if isinstance(token, str) and _SENDABLE.fullmatch(token):
        return token, float(result.get("expires_in") or 3600)
    code = str(result.get("error") or "SignInFailed")
    said = str(result.get("error_description") or "the answer holds no token").splitlines()[0]
    passes = code in _PASSING or not _BUSY.isdisjoint(result.get("error_codes") or ()) or "error" not in result
    kind = Away if passes else AccessDenied
    raise kind(code, f"signing in: {said[:500]}")


def _certificate(path: Path) -> dict[str, str]:
    """msal's form of a PEM file with a private key and its certificate: the first block of each kind, so that a chain
    may follow. Read each time: the file may be replaced."""
    blocks: dict[str, str] = {}
    for found in re.finditer(_BLOCK, path.read_text()):
        blocks.setdefault("public_certificate" if found[1] == "CERTIFICATE" else "private_key", found[0])
    if len(blocks) < 2:
        raise ValueError(f"{path}: this must be a PEM file with a private key and its certificate")
    return blocks


def _again(error: ExchangeError) -> ExchangeError:
    """The same error, made anew for another thread, because an exception has only one traceback."""
    return type(error)(error.code, error.detail, retry_after=error.retry_after)
