"""The seam of ``workers.exchange`` for Exchange Web Services: read an event, write a patch to it.

Not here: sockets (client), XML (soap and the operations), what answers mean (errors), retries (nowhere in ews).
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

import httpx
from lxml import etree

from workers.ews import get_item, update_item
from workers.ews.client import Client
from workers.ews.errors import Phase, Reply, judge, malformed
from workers.ews.soap import Answer, Header, NotAnAnswer, Unwritable, envelope
from workers.exchange import Event, ExchangeError, Patch, Refused, Written
from workers.settings import EwsBackend
from workers.update import Target
from workers.zones import to_windows


class EwsExchange:
    """One configured EWS endpoint; see ``workers.exchange.Exchange`` for what it promises."""

    def __init__(self, backend: EwsBackend, transport: httpx.BaseTransport | None = None):
        self._version = backend.server_version
        self._impersonation = backend.impersonation
        self._client = Client(backend, transport)

    def read(self, target: Target, properties: Collection[str]) -> Event:
        """The event with these properties (start and end only together), its ChangeKey and its marker."""
        try:
            request = get_item.build(target, properties, self._version)
        except Unwritable as error:
            raise Refused("InvalidValue", f"target.event: {error}") from None
        reply, answer = self._call(get_item.NAME, request, target, "UTC", "read")
        try:
            return get_item.read(answer, properties)
        except NotAnAnswer as error:
            raise malformed(reply, "read", str(error)) from None

    def write(self, target: Target, event: Event, patch: Patch) -> Written:
        """Apply the patch if the ChangeKey is still that of ``event``, then read back what was changed."""
        request = update_item.build(event, patch, self._version)
        reply, answer = self._call(update_item.NAME, request, target, _zone(event, patch), "write")
        item_id, version, doubt = event.id, "", ""
        try:
            item_id, version = update_item.read(answer)
        except NotAnAnswer as error:
            doubt = str(error)
        seen = self._read_back(target, item_id, patch)
        if seen is None and doubt:
            raise malformed(reply, "write", doubt)
        return Written(seen.version if seen is not None else version, seen, reply.request_id)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _read_back(self, target: Target, item_id: str, patch: Patch) -> Event | None:
        """The event as it stands after an applied write. That it cannot be read takes nothing back."""
        with suppress(ExchangeError):
            return self.read(replace(target, event=item_id, occurrence=None), patch.changes)
        return None

    def _call(
        self, operation: str, request: etree._Element, target: Target, zone: str, phase: Phase
    ) -> tuple[Reply, Answer]:
        mailbox = self._mailbox(target)
        header = Header(
            version=self._version,
            impersonated=mailbox if self._impersonation else None,
            zone=None if self._version == "Exchange2007_SP1" else zone,
        )
        reply = self._client.post(operation, _enveloped(header, request), mailbox, phase)
        judged = judge(reply, phase)
        if isinstance(judged, ExchangeError):
            raise judged
        return reply, judged

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


def _zone(event: Event, patch: Patch) -> str:
    """The zone for times that bear none, a series' days among them: that of the event's start, if it is known."""
    start = patch.changes.get("start") or event.properties.get("start") or {}
    return to_windows(start.get("timeZone", "UTC")) or "UTC"
