"""GetItem: https://learn.microsoft.com/exchange/client-developer/web-service-reference/getitem-operation."""

from __future__ import annotations

from lxml import etree

from ops.sandbox.event import is_item_id
from ops.sandbox.ews.item import Shape, read_shape, show
from ops.sandbox.ews.soap import NS, Element, ItemError, M, refused, success
from ops.sandbox.ews.visitor import Visitor
from ops.sandbox.store import Missing


def answer(visitor: Visitor) -> list[Element]:
    """A response message for each id, in order."""
    element = visitor.request.element
    shape = read_shape(element)
    return [_answer_one(visitor, target, shape) for target in element.findall("m:ItemIds/*", NS)]


def _answer_one(visitor: Visitor, target: Element, shape: Shape) -> Element:
    try:
        return success("GetItem", M.Items(_item(visitor, target, shape)))
    except ItemError as error:
        return refused("GetItem", error)


def _item(visitor: Visitor, target: Element, shape: Shape) -> Element:
    if etree.QName(target).localname != "ItemId":
        raise ItemError("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange", "The sandbox keeps no occurrences.")
    item_id = target.get("Id", "")
    if not is_item_id(item_id):
        raise ItemError("ErrorInvalidIdMalformed", "Id is malformed.")
    try:
        return show(visitor.world.store.event(item_id, visitor.mailbox), shape)
    except Missing as missing:
        raise ItemError("ErrorItemNotFound", "The specified object was not found in the store.") from missing
