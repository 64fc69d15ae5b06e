"""Ids of events: Graph's, Exchange's and MAPI's names for the same thing.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-identifiers-in-exchange

ConvertId does not know Graph's form on servers older than Graph, so we respell it ourselves (workers/event/item_ids).
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from typing import Literal

from workers.event.item_ids import AS_EWS, is_graph_spelling

_ENTRY_ID_BYTES = 70
"""The length of an item's entry id, which begins with four zero bytes
(https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcdata, Message EntryID)."""

EntryFormat = Literal["EntryId", "HexEntryId"]


def ews_form(event: str) -> str:
    """An id in the spelling of EWS, whichever of the two it came in."""
    return event.translate(AS_EWS) if is_graph_spelling(event) else event


def entry_format(event: str) -> EntryFormat | None:
    """In which of ConvertId's formats this is a MAPI entry id; None if it is none."""
    if re.fullmatch(rf"0{{8}}[0-9A-Fa-f]{{{_ENTRY_ID_BYTES * 2 - 8}}}", event):
        return "HexEntryId"
    try:
        entry = b64decode(event, validate=True)
    except (Error, ValueError):
        return None
    return "EntryId" if len(entry) == _ENTRY_ID_BYTES and entry.startswith(bytes(4)) else None
