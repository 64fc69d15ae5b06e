"""One operation in one mailbox: header, envelope, POST, verdict.

Not here: sockets (client), what an operation's elements mean (one file per operation), retries (nowhere in ews).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import httpx
from lxml import etree

from workers.ews.client import Client
from workers.ews.errors import Reply, judge, malformed
from workers.ews.soap import Answer, Header, NotAnAnswer, Unwritable, answers, envelope
from workers.exchange import ExchangeError, Refused
from workers.exchange.doubt import Phase
from workers.settings import EwsBackend
from workers.update import Target

T = TypeVar("T")


class Caller:
    """Calls to one backend; thread-safe. ``instead``: a graph backend that serves the same mailboxes, to be named
    where Exchange Web Services are closed. ``transport`` replaces the network in tests."""

    def __init__(self, backend: EwsBackend, transport: httpx.BaseTransport | None = None, instead: str | None = None):
        self.version = backend.server_version
        self._impersonation = backend.impersonation
        self._instead = instead
        self._client = Client(backend, transport)

    def call(
        self, operation: str, request: etree._Element, target: Target, phase: Phase, zone: str = "UTC"
    ) -> tuple[Reply, Answer]:
        """The reply and the successful answer in it. ``zone``: of times that have none. Raises an
        ExchangeError."""
        reply = self._post(operation, request, target, phase, zone)
        judged = judge(reply, phase, self._instead)
        if isinstance(judged, ExchangeError):
            raise judged
        return reply, judged

    def ask(self, operation: str, request: etree._Element, target: Target, read: Callable[[Answer], T]) -> T:
        """What ``read`` makes of the answer to something that changes nothing. Raises an ExchangeError."""
        reply, answer = self.call(operation, request, target, "read")
        try:
            return read(answer)
        except NotAnAnswer as error:
            raise malformed(reply, "read", str(error)) from None

    def ask_each(self, operation: str, request: etree._Element, target: Target, read: Callable[[Answer], T]) -> list[T]:
        """The same for many items: what ``read`` makes of those that were answered well. Raises an ExchangeError if an
        error came instead of all of them."""
        reply, found = self._post(operation, request, target, "read"), list[T]()
        with suppress(NotAnAnswer):
            for answer in answers(reply.body):
                with suppress(NotAnAnswer, Refused):
                    found += [read(answer)] if answer.kind == "Success" else []
        if not found and isinstance(judged := judge(reply, "read", self._instead), ExchangeError):
            raise judged
        return found

    def named(self, target: Target) -> str | None:
        """The mailbox that a request without an item's id has to name. None if it is impersonated or is that of the
        account that signs in."""
        mailbox = self._mailbox(target)
        if mailbox is None and (target.mailbox or "").lower() != "me":
            raise Refused("NotOnEws", f"target.mailbox: {target.mailbox!r} is no SMTP address")
        return None if self._impersonation else mailbox

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _post(self, operation: str, request: etree._Element, target: Target, phase: Phase, zone: str = "UTC") -> Reply:
        mailbox = self._mailbox(target)
        header = Header(
            version=self.version,
            impersonated=mailbox if self._impersonation else None,
            zone=None if self.version == "Exchange2007_SP1" else zone,
        )
        return self._client.post(operation, _enveloped(header, request), mailbox, phase)

    def _mailbox(self, target: Target) -> str | None:
        """Whose mailbox, as an SMTP address; None where the sign-in or the item's id has to tell."""
        if target.group is not None:
            raise Refused("NotOnEws", "target.group: Exchange Web Services serves mailboxes, not groups")
        if target.mailbox is not None and "@" in target.mailbox:
            return target.mailbox
        if self._impersonation:
            raise Refused("NotOnEws", f"target.mailbox: {target.mailbox!r} is no SMTP address to be impersonated")
        return None


def _enveloped(header: Header, request: etree._Element) -> bytes:
    try:
        return envelope(header, request)
    except Unwritable as error:
        raise Refused("InvalidValue", f"target.mailbox: {error}") from None
