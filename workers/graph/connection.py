"""Microsoft Graph over HTTP: one call, one answer. Retries nothing, follows nothing. With signing_keys, the only I/O of
this package.

Not here: paths, bodies and the meaning of errors, which are functions of values beside this file.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from time import monotonic

import httpx

from workers import trace
from workers.clock import now
from workers.exchange import AccessDenied, ExchangeError, Refused
from workers.exchange.doubt import Phase, unanswered
from workers.exchange.oauth import BearerAuth, scope_of
from workers.exchange.whole_answer import whole_answer
from workers.exchange.wire import transport_to
from workers.graph import errors, surrogates
from workers.settings import GraphBackend
from workers.tls import trust
from workers.update import Target
from workers.version import USER_AGENT

_ALWAYS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": USER_AGENT,
    "return-client-request-id": "true",
}
_PEOPLE_ONLY = "Graph opens me and groups to people only: give the backend a refresh_token_env."


@dataclass(frozen=True, slots=True)
class Answer:
    """A success. ``request_id``: what Microsoft asks for when something has to be looked into."""

    body: bytes
    etag: str
    request_id: str | None


class Connection:
    """HTTP to one Graph endpoint; shared by threads. ``transport`` replaces the network in tests.

    Ordinary mailboxes are signed in to as the application; ``me`` and groups, which Graph opens to people only, with
    the delegated refresh token where the backend has one.
    """

    def __init__(self, backend: GraphBackend, transport: httpx.BaseTransport | None = None):
        scope = scope_of(backend.base_url)
        self._base_url = backend.base_url.rstrip("/")
        self._timeout = backend.timeout
        self._app = BearerAuth(backend, scope, transport=transport)
        self._person = (
            BearerAuth(backend, scope, delegated=True, transport=transport) if backend.refresh_token else None
        )
        self._waits = {"timeout": httpx.Timeout(backend.timeout).as_dict()}
        self._transport = transport or transport_to(backend.base_url, trust(backend.ca_file))

    def call(
        self,
        phase: Phase,
        target: Target,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        content: bytes = b"",
    ) -> Answer:
        """The answer if it is a success, else one of the exchange errors. ``target`` tells who signs in, ``path`` is
        below the base URL and percent-encoded, ``content`` is JSON."""
        auth = self._person if self._person and _people_only(target) else self._app
        sent = {**_ALWAYS, "client-request-id": str(uuid.uuid4()), **trace.headers(), **(headers or {})}
        if content:
            sent["Content-Type"] = "application/json"
        try:
            response, body = self._send(method, self._base_url + path, sent, content, auth)
        except httpx.InvalidURL as error:
            raise Refused("InvalidTarget", f"target: Graph has no such address: {error}") from None
        except httpx.RequestError as error:
            said = f"no answer from Graph: {error}".rstrip(": ")
            raise unanswered(error, phase, said, sent["client-request-id"]) from error
        body = surrogates.replaced(body)
        if response.is_success:
            return Answer(body, response.headers.get("etag", ""), response.headers.get("request-id"))
        failure = errors.classify(response.status_code, response.headers, body, phase, now())
        raise _advised(failure) if auth is self._app and _people_only(target) else failure

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _send(
        self, method: str, url: str, headers: dict[str, str], content: bytes, auth: BearerAuth
    ) -> tuple[httpx.Response, bytes]:
        request = httpx.Request(method, url, headers=headers, content=content, extensions=self._waits)
        return whole_answer(self._transport, auth, request, monotonic() + self._timeout)


def unreadable(phase: Phase, answer: Answer, why: object) -> ExchangeError:
    """The error for a success whose body cannot be read. ``why``: a sentence, or the error that says so."""
    return errors.unreadable(phase, str(why), answer.request_id)


def _advised(failure: ExchangeError) -> ExchangeError:
    """The application asked by itself for what is open to people only."""
    if isinstance(failure, AccessDenied):
        return AccessDenied(failure.code, f"{failure.detail} {_PEOPLE_ONLY}", request_id=failure.request_id)
    return failure


def _people_only(target: Target) -> bool:
    """Whether Graph serves this calendar only to people who have signed in, not to applications."""
    return target.owner == "me" or target.group is not None
