"""ConvertId: https://learn.microsoft.com/exchange/client-developer/web-service-reference/convertid-operation.

Every format is answered with the EWS id: clients use the operation to ask for the server's version.
"""

from __future__ import annotations

from lxml import etree

from ops.sandbox.event import is_item_id
from ops.sandbox.ews.soap import MESSAGES, NS, TYPES, Element, ItemError, refused, success
from ops.sandbox.ews.visitor import Visitor

_XSI = "http://www.w3.org/2001/XMLSchema-instance"


def answer(visitor: Visitor) -> list[Element]:
    """A response message for each id."""
    return [_answer_one(source) for source in visitor.request.element.findall("m:SourceIds/*", NS)]


def _answer_one(source: Element) -> Element:
    if not is_item_id(source.get("Id", "")):
        return refused("ConvertId", ItemError("ErrorInvalidIdMalformed", "Id is malformed."))
    converted = etree.Element(f"{{{MESSAGES}}}AlternateId", nsmap={"t": TYPES, "xsi": _XSI})
    converted.set(f"{{{_XSI}}}type", "t:AlternateIdType")
    for name in ("Format", "Id", "Mailbox"):
        converted.set(name, source.get(name, ""))
    return success("ConvertId", converted)
