"""ConvertId: a MAPI entry id → the EWS id of the same item.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/convertid-operation
"""

from __future__ import annotations

from lxml import etree

from workers.ews.ids import EntryFormat
from workers.ews.soap import Answer, NotAnAnswer, element

NAME = "ConvertId"


def build(entry_id: str, form: EntryFormat, mailbox: str) -> etree._Element:
    """The request. ``mailbox``: the SMTP address of the mailbox that the item is in. Raises Unwritable."""
    source = element("t:AlternateId", Format=form, Id=entry_id, Mailbox=mailbox)
    return element("m:ConvertId", element("m:SourceIds", source), DestinationFormat="EwsId")


def read(answer: Answer) -> str:
    """The EWS id. Raises NotAnAnswer where a success does not tell it."""
    found = answer.find("m:AlternateId")
    item_id = None if found is None else found.get("Id")
    if not item_id:
        raise NotAnAnswer("the response message holds no converted id")
    return item_id
