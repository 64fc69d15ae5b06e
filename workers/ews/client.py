"""The only place that talks to an EWS server: one POST, one reply. Retries nothing, follows nothing.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/instrumenting-client-requests-for-ews-and-rest-in-exchange
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from uuid import uuid4

import httpx

from workers import trace
from workers.clock import now
from workers.ews.errors import Reply
from workers.ews.sign_in import auth_for
from workers.ews.soap import MESSAGES
from workers.exchange.doubt import Phase, unanswered
from workers.exchange.whole_answer import whole_answer
from workers.exchange.wire import transport_to
from workers.settings import EwsBackend
from workers.tls import trust
from workers.version import USER_AGENT


class Client:
    """HTTP to one backend; thread-safe. ``transport`` replaces the network in tests."""

    def __init__(self, backend: EwsBackend, transport: httpx.BaseTransport | None = None):
        self._backend = backend
        self._transport = transport
        self._auth = auth_for(backend, transport)
        self._tls = trust(backend.ca_file)
        self._url = httpx.URL(backend.url)
        self._waits = {"timeout": httpx.Timeout(backend.timeout).as_dict()}
        self._single = backend.auth == "ntlm"
        self._idle = deque([self._connect()])

    def post(self, operation: str, envelope: bytes, mailbox: str | None, phase: Phase) -> Reply:
        """Send one request for one operation.

        ``mailbox``: the address by which Exchange finds the right server at once. Raises Unavailable where the request
        certainly did not arrive, Refused where it cannot be sent; any other broken call is Unknown in a write.
        """
        headers = self._headers(operation, mailbox)
        try:
            with self._lend() as transport:
                return self._exchange(transport, envelope, headers)
        except httpx.HTTPError as error:
            raise unanswered(error, phase, str(error) or "no answer", headers["client-request-id"]) from None

    def close(self) -> None:
        """Close every connection that is not in use."""
        while self._idle:
            self._idle.pop().close()

    def _exchange(self, transport: httpx.BaseTransport, envelope: bytes, headers: dict[str, str]) -> Reply:
        request = httpx.Request("POST", self._url, content=envelope, headers=headers, extensions=self._waits)
        response, body = whole_answer(transport, self._auth, request, monotonic() + self._backend.timeout)
        known = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, known, body, now())

    @contextmanager
    def _lend(self) -> Iterator[httpx.BaseTransport]:
        """The way to the server that all threads share; with NTLM, which signs in a connection and not a request, one
        for this call alone."""
        if not self._single:
            yield self._idle[0]
            return
        try:
            transport = self._idle.pop()
        except IndexError:
            transport = self._connect()
        try:
            yield transport
        finally:
            self._idle.append(transport)

    def _connect(self) -> httpx.BaseTransport:
        return self._transport or transport_to(self._backend.url, self._tls)

    def _headers(self, operation: str, mailbox: str | None) -> dict[str, str]:
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "Accept": "text/xml",
            "Accept-Encoding": "gzip",
            "SOAPAction": f'"{MESSAGES}/{operation}"',
            "User-Agent": USER_AGENT,
            "client-request-id": str(uuid4()),
            "return-client-request-id": "true",
            **trace.headers(),
        }
        return headers | ({"X-AnchorMailbox": mailbox} if mailbox and mailbox.isascii() else {})
