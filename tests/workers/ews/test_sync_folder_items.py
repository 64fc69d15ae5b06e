from __future__ import annotations

import pytest

from tests.workers.ews.reference import assert_valid_body, needs_reference
from workers.changes.feed import Item
from workers.ews.soap import Answer, NotAnAnswer, answers, find, text_of
from workers.ews.sync_folder_items import Synced, build, read

SHELL = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Body><m:SyncFolderItemsResponse>'
    '<m:ResponseMessages><m:SyncFolderItemsResponseMessage ResponseClass="Success">'
    "<m:ResponseCode>NoError</m:ResponseCode>{}</m:SyncFolderItemsResponseMessage>"
    "</m:ResponseMessages></m:SyncFolderItemsResponse></s:Body></s:Envelope>"
)
ITEM = '<t:CalendarItem><t:ItemId Id="{0}" ChangeKey="k{0}"/></t:CalendarItem>'
CHANGES = (
    "<m:SyncState>H4s=</m:SyncState><m:IncludesLastItemInRange>{}</m:IncludesLastItemInRange><m:Changes>"
    f"<t:Create>{ITEM.format('A')}</t:Create><t:Update>{ITEM.format('B')}</t:Update>"
    '<t:Delete><t:ItemId Id="C" ChangeKey="kC"/></t:Delete>'
    '<t:ReadFlagChange><t:ItemId Id="D"/><t:IsRead>true</t:IsRead></t:ReadFlagChange></m:Changes>'
)


def answer(content: str) -> Answer:
    return answers(SHELL.format(content).encode())[0]


@needs_reference
@pytest.mark.parametrize("mailbox", [None, "anna@hq.example"])
@pytest.mark.parametrize("state", [None, "H4sIAA=="])
def test_the_request_is_valid_by_microsofts_schema(state: str | None, mailbox: str | None) -> None:
    assert_valid_body(build(state, mailbox))


def test_a_first_round_has_no_state() -> None:
    assert find(build(None), "m:SyncState") is None
    assert text_of(build("H4s="), "m:SyncState") == "H4s="


def test_what_changed_is_read() -> None:
    items = (Item("A", "kA"), Item("B", "kB"), Item("C", deleted=True))
    assert read(answer(CHANGES.format("true"))) == Synced(items, "H4s=", last=True)
    assert not read(answer(CHANGES.format("false"))).last


@pytest.mark.parametrize(
    "content", ["", "<m:SyncState/>", "<m:SyncState>H</m:SyncState><m:Changes><t:Delete/></m:Changes>"]
)
def test_an_answer_that_does_not_tell_is_none(content: str) -> None:
    with pytest.raises(NotAnAnswer):
        read(answer(content))
