"""SyncFolderItems: what changed in the calendar since last time.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/syncfolderitems-operation. Exchange on
premises cannot tell us of changes over the internet, so it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from workers.changes.feed import Item
from workers.ews.get_item import id_of
from workers.ews.soap import Answer, NotAnAnswer, element, find, text_of

NAME = "SyncFolderItems"
MOST = 512
"""Changes in one answer: the most that Exchange gives."""


@dataclass(frozen=True, slots=True)
class Synced:
    """One answer. ``last``: there is no more for now."""

    items: tuple[Item, ...]
    state: str
    last: bool


def build(state: str | None, mailbox: str | None = None) -> etree._Element:
    """The request for the next changes of the default calendar; without a state, for everything. ``mailbox``: whose
    calendar, if it is not that of the account that signs in or is impersonated."""
    return element(
        "m:SyncFolderItems",
        element("m:ItemShape", element("t:BaseShape", "IdOnly")),
        element("m:SyncFolderId", default_calendar(mailbox)),
        None if state is None else element("m:SyncState", state),
        element("m:MaxChangesReturned", str(MOST)),
    )


def default_calendar(mailbox: str | None) -> etree._Element:
    """https://learn.microsoft.com/exchange/client-developer/web-service-reference/distinguishedfolderid"""
    owner = None if mailbox is None else element("t:Mailbox", element("t:EmailAddress", mailbox))
    return element("t:DistinguishedFolderId", owner, Id="calendar")


def read(answer: Answer) -> Synced:
    """What changed. Raises NotAnAnswer where a success does not tell."""
    message = answer.element
    state = None if message is None else text_of(message, "m:SyncState")
    if message is None or not state:
        raise NotAnAnswer("the response message holds no SyncState")
    changes = find(message, "m:Changes")
    found = [_item(change) for change in ([] if changes is None else changes)]
    last = (text_of(message, "m:IncludesLastItemInRange") or "").strip() != "false"
    return Synced(tuple(item for item in found if item is not None), state, last)


def _item(change: etree._Element) -> Item | None:
    kind = etree.QName(change).localname
    if kind == "Delete":
        item_id = find(change, "t:ItemId")
        if item_id is None or not item_id.get("Id"):
            raise NotAnAnswer("a deletion does not tell of what")
        return Item(item_id.get("Id", ""), deleted=True)
    if kind not in ("Create", "Update") or len(change) == 0:
        return None
    event, version = id_of(change[0])
    return Item(event, version)
