"""CreateItem: https://learn.microsoft.com/exchange/client-developer/web-service-reference/createitem-operation-calendar-item."""

from __future__ import annotations

from typing import cast

from lxml import etree

from ops.sandbox.ews.fields import BY_NAME
from ops.sandbox.ews.folders import calendar_of
from ops.sandbox.ews.item import extended_id, show_id
from ops.sandbox.ews.pieces import combined
from ops.sandbox.ews.soap import NS, Element, ItemError, M, attribute, refused, success
from ops.sandbox.ews.values import Pieces
from ops.sandbox.ews.visitor import Visitor
from ops.sandbox.mailing import Mode
from ops.sandbox.rules import Invalid
from ops.sandbox.store import Change, Missing

MODES: tuple[Mode, ...] = ("SendToNone", "SendOnlyToAll", "SendToAllAndSaveCopy")


def answer(visitor: Visitor) -> list[Element]:
    """A response message for each item, in order."""
    element = visitor.request.element
    if element.get("SendMeetingInvitations") is not None:
        attribute(element, "SendMeetingInvitations", MODES)
    return [_answer_one(visitor, item) for item in element.findall("m:Items/*", NS)]


def _answer_one(visitor: Visitor, item: Element) -> Element:
    try:
        return success("CreateItem", M.Items(_create(visitor, item)))
    except ItemError as error:
        return refused("CreateItem", error)


def _create(visitor: Visitor, item: Element) -> Element:
    request = visitor.request
    mode = request.element.get("SendMeetingInvitations")
    if etree.QName(item).localname != "CalendarItem":
        raise ItemError("ErrorInvalidOperation", "The sandbox keeps calendar items only.")
    if mode is None:
        raise ItemError(
            "ErrorSendMeetingInvitationsRequired",
            "The SendMeetingInvitations attribute is required for calendar items.",
        )
    calendar = calendar_of(visitor, request.element.find("m:SavedItemFolderId/*", NS))
    pieces, extended = _read(item)
    try:
        change = Change(combined(pieces, None, request.version, request.zone), extended, cast(Mode, mode))
        made = visitor.world.store.create(
            visitor.home,
            change,
            "ews",
            calendar=calendar,
            call=visitor.visit.request_id,
            pretend=visitor.visit.pretend,
        )
        return show_id(made)
    except Invalid as invalid:
        raise ItemError(invalid.code, invalid.text) from invalid
    except Missing as missing:
        raise ItemError("ErrorFolderNotFound", "The specified folder could not be found in the store.") from missing


def _read(item: Element) -> tuple[Pieces, dict[str, str | None]]:
    pieces: Pieces = {}
    extended: dict[str, str | None] = {}
    for child in item:
        name = etree.QName(child).localname
        if name == "ExtendedProperty":
            extended[extended_id(child[0])] = child.findtext("t:Value", "", NS)
        elif (held := BY_NAME.get(name)) is not None and held.read is not None:
            pieces.update(held.read(child))
    return pieces, extended
