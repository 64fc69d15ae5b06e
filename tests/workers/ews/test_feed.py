"""Whose calendar is followed on EWS."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import httpx
import pytest

from tests.workers.ews.server import backend
from tests.workers.ews.test_sync_folder_items import CHANGES, ITEM, SHELL
from workers.changes.event_change import TOLD_BY_DEFAULT
from workers.changes.feed import CursorLost, Item
from workers.changes.watch import Watch
from workers.ews.call import Caller
from workers.ews.feed import AT_ONCE, EwsFeed
from workers.exchange import ExchangeError, Refused, Throttled


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


STATE = "<m:SyncState>H4s=</m:SyncState><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>"
READ = (
    '<m:GetItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:Items>'
    '<t:CalendarItem><t:ItemId Id="{0}" ChangeKey="now"/><t:Subject>S</t:Subject><t:Body BodyType="Text">B</t:Body>'
    "</t:CalendarItem></m:Items></m:GetItemResponseMessage>"
)
UNREAD = (
    '<m:GetItemResponseMessage ResponseClass="Error"><m:ResponseCode>{}</m:ResponseCode></m:GetItemResponseMessage>'
)


class Calendar:
    """Events by their ids. ``unread``: why one cannot be read; ``reads``: the ids of each GetItem."""

    def __init__(self, *events: str, **unread: str):
        self.events, self.unread, self.reads = events, unread, list[list[str]]()
        self.feed = EwsFeed(Caller(backend("https://ews.example/"), httpx.MockTransport(self.answer)))

    def found(self, cursor: str | None = None) -> dict[str, Item]:
        watch = Watch("wch_1", "hq", "anna@hq.example", "secret", learnt=("body",))
        return {item.event: item for item in self.feed.changes(watch, cursor, datetime.now(UTC)).items}

    def answer(self, request: httpx.Request) -> httpx.Response:
        if b"SyncFolderItems" in request.content:
            items = "".join(f"<t:Create>{ITEM.format(one)}</t:Create>" for one in self.events)
            return httpx.Response(200, text=SHELL.format(f"{STATE}<m:Changes>{items}</m:Changes>"))
        ids = re.findall(r'ItemId Id="(.*?)"', request.content.decode())
        self.reads.append(ids)
        told = [UNREAD.format(self.unread[one]) if one in self.unread else READ.format(one) for one in ids]
        return httpx.Response(200, text=ENVELOPE.format("".join(told)))


ENVELOPE = re.sub("<m:SyncFolderItemsResponseMessage.*</m:SyncFolderItemsResponseMessage>", "{}", SHELL)


def test_the_first_round_brings_the_properties_with_it_of_many_events_in_one_call() -> None:
    calendar = Calendar(*(f"E{number}" for number in range(AT_ONCE + 1)))
    found = calendar.found()
    assert [len(ids) for ids in calendar.reads] == [AT_ONCE, 1]
    for item in found.values():
        assert item.version == "now" and item.properties is not None
        assert item.properties.keys() == {*TOLD_BY_DEFAULT, "body"}
        assert item.properties["subject"] == "S"


def test_a_later_round_tells_only_what_changed() -> None:
    calendar = Calendar("A")
    assert (calendar.found("H4s="), calendar.reads) == ({"A": Item("A", "kA")}, [])


def test_an_event_that_cannot_be_read_with_the_others_is_left_to_be_read_alone() -> None:
    found = Calendar("A", "B", B="ErrorItemNotFound").found()
    assert (found["A"].version, found["B"]) == ("now", Item("B", "kB"))
    assert Calendar("B", B="ErrorItemCorrupt").found() == {"B": Item("B", "kB")}


def test_who_is_sent_away_while_the_properties_are_read_begins_anew_later() -> None:
    with pytest.raises(Throttled):
        Calendar("A", A="ErrorServerBusy").found()


@pytest.mark.parametrize("code", ["ErrorInvalidSyncStateData", "ErrorSyncFolderNotFound"])
def test_a_state_that_exchange_does_not_know_any_more_is_lost_and_a_round_without_one_fails(code: str) -> None:
    refused = SHELL.format(UNREAD.format(code).replace("GetItem", "SyncFolderItems"))
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=refused))
    feed = EwsFeed(Caller(backend("https://ews.example/"), transport))
    watch = Watch("wch_1", "hq", "anna@hq.example", "secret")
    with pytest.raises(CursorLost, match=code):
        feed.changes(watch, "H4s=", datetime.now(UTC))
    with pytest.raises(ExchangeError, match=code):
        feed.changes(watch, None, datetime.now(UTC))
