"""Microsoft Graph over HTTP: read an event, change an event.

The only I/O of this package. Not here: paths, bodies and the meaning of errors, which are functions of values beside
this file; and retries, which are nobody's business but the engine's.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import httpx

from workers.exchange import AccessDenied, Event, ExchangeError, Patch, Refused, Written
from workers.graph import errors, paths, resources
from workers.oauth import BearerAuth, scope_of
from workers.settings import GraphBackend
from workers.tls import trust
from workers.update import Target


class GraphExchange:
    """One Graph endpoint, as ``workers.exchange.Exchange``. Shared by threads.

    Ordinary mailboxes are signed in to as the application; ``me`` and groups, which Graph opens to people only, with
    the delegated refresh token where the backend has one.
    """

    def __init__(self, backend: GraphBackend, *, transport: httpx.BaseTransport | None = None):
        scope = scope_of(backend.base_url)
        self._base_url = backend.base_url.rstrip("/")
        self._app = BearerAuth(backend, scope, transport=transport)
        self._person = (
            BearerAuth(backend, scope, delegated=True, transport=transport) if backend.refresh_token else None
        )
        self._http = httpx.Client(
            verify=trust(backend.ca_file),
            timeout=backend.timeout,
            headers={"User-Agent": _user_agent(), "Accept": "application/json"},
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            transport=transport,
        )

    def read(self, target: Target, properties: Collection[str]) -> Event:
        """https://learn.microsoft.com/graph/api/event-get"""
        url = f"{self._url(target)}?{resources.query(properties)}"
        return _event("read", self._call("read", target, "GET", url, _prefer()), properties)

    def write(self, target: Target, event: Event, patch: Patch) -> Written:
        """https://learn.microsoft.com/graph/api/event-update"""
        headers = {"Content-Type": "application/json", "If-Match": event.version, **_prefer(patch)}
        answer = self._call("write", target, "PATCH", self._url(target), headers, resources.patch_body(patch))
        properties = tuple(dict.fromkeys((*event.properties, *patch.changes)))
        if answer.content.strip():
            after: Event | None = _event("write", answer, properties, patch.marker)
        else:
            after = self._read_back(target, properties)
        return Written(
            version=after.version if after else answer.headers.get("etag", ""),
            event=after,
            request_id=answer.headers.get("request-id"),
        )

    def close(self) -> None:
        self._http.close()

    def _read_back(self, target: Target, properties: Collection[str]) -> Event | None:
        """The event after a write that was answered without it; a yes stays a yes if it cannot be had."""
        try:
            return self.read(target, properties)
        except ExchangeError:
            return None

    def _url(self, target: Target) -> str:
        if target.occurrence is not None:
            raise Refused(
                "OccurrenceNotSupported",
                "target.occurrence: on a Graph backend name the occurrence by its own id in target.event",
            )
        return self._base_url + paths.event_path(target)

    def _call(
        self, phase: errors.Phase, target: Target, method: str, url: str, headers: dict[str, str], content: bytes = b""
    ) -> httpx.Response:
        """The answer if it is a success, else one of the exchange errors."""
        headers |= {"client-request-id": str(uuid.uuid4()), "return-client-request-id": "true"}
        auth = self._person if self._person and _people_only(target) else self._app
        try:
            answer = self._http.request(method, url, headers=headers, content=content, auth=auth)
        except httpx.InvalidURL as error:
            raise Refused("InvalidTarget", f"target: Graph has no such address: {error}") from None
        except httpx.RequestError as error:
            raise errors.from_transport(error, phase) from error
        if answer.is_success:
            return answer
        raise _failure(phase, answer, alone=auth is self._app and _people_only(target))


def _failure(phase: errors.Phase, answer: httpx.Response, *, alone: bool) -> ExchangeError:
    """``alone``: the application asked by itself for what is open to people only."""
    failure = errors.classify(answer.status_code, answer.headers, answer.content, phase, datetime.now(UTC))
    if alone and isinstance(failure, AccessDenied):
        return AccessDenied(failure.code, f"{failure.detail} {_PEOPLE_ONLY}", request_id=failure.request_id)
    return failure


_PEOPLE_ONLY = "Graph opens me and groups to people only: give the backend a refresh_token_env."


def _people_only(target: Target) -> bool:
    """Whether Graph serves this calendar to signed-in people only, not to applications."""
    return target.owner == "me" or target.group is not None


def _prefer(patch: Patch | None = None) -> dict[str, str]:
    """Times in UTC; a body that is written as text comes back as text, so that it can be compared."""
    body = (patch.changes.get("body") if patch else None) or {}
    in_text = ', outlook.body-content-type="text"' if body.get("contentType") == "text" else ""
    return {"Prefer": f'outlook.timezone="UTC"{in_text}'}


def _event(
    phase: errors.Phase, answer: httpx.Response, properties: Collection[str], marker: tuple[str, ...] = ()
) -> Event:
    try:
        return resources.read_event(answer.content, properties, marker)
    except resources.Unreadable as error:
        raise errors.unreadable(phase, str(error), answer.headers.get("request-id")) from error


def _user_agent() -> str:
    try:
        return f"Rendezvous/{version('rendezvous')}"
    except PackageNotFoundError:  # run from a checkout, not installed
        return "Rendezvous"
