"""The other end of the socket: what Graph and the sign-in answer, as a test wants it."""

from collections.abc import Callable
from typing import Any

import httpx
from pydantic import SecretStr

from workers.exchange import Event, Patch
from workers.graph.connection import Connection
from workers.graph.exchange import GraphExchange
from workers.settings import GraphBackend
from workers.update import Target

LOGIN = "https://login.example/contoso"
ANNA = Target(backend="cloud", event="AAMk/1", mailbox="anna@contoso.com")
ME = Target(backend="cloud", event="AAMk/1", mailbox="me")
GROUP = Target(backend="cloud", event="AAMk/1", group="g1")
ALISA = {"type": "required", "emailAddress": {"address": "alisa@contoso.com"}}
STANDS = Event("AAMk/1", 'W/"1"', True, ("upd_1",), {"subject": "old"})
PATCH = Patch(changes={"subject": "new"}, invitations="sendToAllAndSaveCopy", marker=("upd_2", "upd_1"))
EVENT = {
    "id": "AAMk/1",
    "@odata.etag": 'W/"2"',
    "subject": "new",
    "attendees": [ALISA],
    "start": {"dateTime": "2026-12-01T17:00:00.0000000", "timeZone": "UTC"},
    "originalStartTimeZone": "Pacific Standard Time",
}

Answer = Callable[[httpx.Request], httpx.Response]


def backend(**changes: Any) -> GraphBackend:
    told: dict[str, Any] = {
        "kind": "graph",
        "name": "cloud",
        "mailboxes": ("*",),
        "base_url": "https://graph.example/v1.0",
        "authority": LOGIN,
        "client_id": "app",
        "client_secret": SecretStr("secret"),
        "timeout": 5,
    }
    return GraphBackend(**(told | changes))


class Wire:
    """The socket's other end: tokens, and for Graph the next of the answers."""

    def __init__(self, *answers: httpx.Response | Exception | dict[str, Any]):
        """An object is answered as JSON."""
        self.answers = [httpx.Response(200, json=one) if isinstance(one, dict) else one for one in answers]
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "login.example":
            return self._sign_in(request)
        self.seen.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _sign_in(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            urls = {name: f"{LOGIN}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
            return httpx.Response(200, json=urls)
        kind = "person" if b"grant_type=refresh_token" in request.content else "app"
        return httpx.Response(200, json={"access_token": kind, "token_type": "Bearer", "expires_in": 3600})


def exchange(wire: Answer, **changes: Any) -> GraphExchange:
    return GraphExchange(Connection(backend(**changes), httpx.MockTransport(wire)))


def failure(status: int, code: str = "X", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": "no"}}, headers=headers)
