"""Whose calendar is followed on EWS."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from tests.workers.ews.server import backend
from tests.workers.ews.test_sync_folder_items import CHANGES, SHELL
from workers.changes.watch import Watch
from workers.ews.call import Caller
from workers.ews.feed import EwsFeed
from workers.exchange import Refused


def asked(mailbox: str, *, impersonation: bool) -> str:
    """The first request of a feed of this mailbox."""
    requests: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request.content.decode())
        return httpx.Response(200, text=SHELL.format(CHANGES.format("true")))

    caller = Caller(backend("https://ews.example/", impersonation=impersonation), httpx.MockTransport(answer))
    EwsFeed(caller).changes(Watch("wch_1", "hq", mailbox, "secret"), None, datetime.now(UTC))
    return requests[0]


def test_the_mailbox_is_impersonated_or_named_so_that_it_is_not_the_service_accounts_own() -> None:
    named = "<t:Mailbox><t:EmailAddress>anna@hq.example</t:EmailAddress></t:Mailbox>"
    impersonated, delegated = (asked("anna@hq.example", impersonation=one) for one in (True, False))
    assert "ExchangeImpersonation" in impersonated and named not in impersonated
    assert "ExchangeImpersonation" not in delegated and named in delegated


def test_the_service_accounts_own_calendar_is_followed_only_where_it_is_asked_for() -> None:
    assert "Mailbox" not in asked("me", impersonation=False)
    with pytest.raises(Refused, match="is no SMTP address"):
        asked("0f3c0c1e-9d0e-4f9b-8a66-5d5c2b1b8c11", impersonation=False)
