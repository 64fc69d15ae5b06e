"""UpdateItem: https://learn.microsoft.com/exchange/client-developer/web-service-reference/updateitem-operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast

from lxml import etree

from ops.sandbox.event import Event, is_change_key, is_item_id
from ops.sandbox.ews.fields import BY_NAME, BY_URI, IGNORED, NOT_HELD, Field, is_known
from ops.sandbox.ews.item import extended_id, show_id
from ops.sandbox.ews.pieces import combined
from ops.sandbox.ews.soap import NS, Element, ItemError, M, T, attribute, refused, schema_fault, success
from ops.sandbox.ews.values import Pieces
from ops.sandbox.ews.visitor import Visitor
from ops.sandbox.mailing import MODES, Mode
from ops.sandbox.rules import CONFLICT, Invalid
from ops.sandbox.store import Change, Missing

Resolution = Literal["NeverOverwrite", "AutoResolve", "AlwaysOverwrite"]
RESOLUTIONS: tuple[Resolution, ...] = ("NeverOverwrite", "AutoResolve", "AlwaysOverwrite")
DISPOSITIONS = ("SaveOnly", "SendOnly", "SendAndSaveCopy")
KEPT_BY_AUTO_RESOLVE = frozenset({"sensitivity"})
"""MS-OXWSCORE's own example of what AutoResolve may keep as it is, and still answer Success."""


@dataclass(slots=True)
class Collected:
    """The updates of one ItemChange so far, in the order given."""

    pieces: Pieces = field(default_factory=dict)
    extended: dict[str, str | None] = field(default_factory=dict)

    def put(self, pieces: Pieces) -> None:
        """Take these in the place of what came before, appended or not."""
        for name in pieces:
            self.pieces.pop(f"{name}+", None)
        self.pieces.update(pieces)


def answer(visitor: Visitor) -> list[Element]:
    """A response message for each ItemChange, in order."""
    element = visitor.request.element
    resolution = cast(Resolution, attribute(element, "ConflictResolution", RESOLUTIONS))
    if element.get("MessageDisposition") is not None:
        attribute(element, "MessageDisposition", DISPOSITIONS)
    mode = element.get("SendMeetingInvitationsOrCancellations")
    if mode is not None:
        attribute(element, "SendMeetingInvitationsOrCancellations", MODES)
    changes = element.findall("m:ItemChanges/t:ItemChange", NS)
    if not changes:
        raise schema_fault(element.sourceline or 0, "The element 'ItemChanges' has incomplete content.")
    for change in changes:
        _check_shape(change)
    return [_answer_one(visitor, change, resolution, cast("Mode | None", mode)) for change in changes]


def _answer_one(visitor: Visitor, change: Element, resolution: Resolution, mode: Mode | None) -> Element:
    try:
        event, conflicts = _update(visitor, change, resolution, mode)
    except ItemError as error:
        return refused("UpdateItem", error)
    return success("UpdateItem", M.Items(show_id(event)), M.ConflictResults(T.Count(str(conflicts))))


def _update(visitor: Visitor, change: Element, resolution: Resolution, mode: Mode | None) -> tuple[Event, int]:
    if mode is None:
        raise ItemError(
            "ErrorSendMeetingInvitationsOrCancellationsRequired",
            "The SendMeetingInvitationsOrCancellations attribute is required for calendar items.",
        )
    item_id, key = _target(change)
    conflicts = 0

    def plan(event: Event) -> Change:
        nonlocal conflicts
        stale = _is_stale(event, key, resolution, visitor.world.behaviour.preconditions)
        conflicts = int(stale and resolution == "AutoResolve")
        collected = _collect(change)
        request = visitor.request
        properties = combined(collected.pieces, event, request.version, request.zone)
        kept = KEPT_BY_AUTO_RESOLVE if conflicts else frozenset()
        return Change({name: properties[name] for name in properties if name not in kept}, collected.extended, mode)

    store = visitor.world.store
    try:
        store.event(item_id, visitor.mailbox)
        return store.write(
            item_id, plan, "ews", call=visitor.visit.request_id, pretend=visitor.visit.pretend
        ), conflicts
    except Missing as missing:
        raise ItemError("ErrorItemNotFound", "The specified object was not found in the store.") from missing
    except Invalid as invalid:
        raise ItemError(invalid.code, invalid.text) from invalid


def _target(change: Element) -> tuple[str, str | None]:
    """The id and the change key of the item to change."""
    target = change[0]
    if etree.QName(target).localname != "ItemId":
        raise ItemError("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange", "The sandbox keeps no occurrences.")
    item_id = target.get("Id", "")
    if not is_item_id(item_id):
        raise ItemError("ErrorInvalidIdMalformed", "Id is malformed.")
    return item_id, target.get("ChangeKey")


def _is_stale(event: Event, key: str | None, resolution: Resolution, enforced: bool) -> bool:
    """Whether somebody wrote since the caller read. Raises ``ItemError`` if the mode forbids to go on."""
    if not enforced:
        return False
    if not key:
        raise ItemError(
            "ErrorChangeKeyRequired" if resolution == "AutoResolve" else "ErrorChangeKeyRequiredForWriteOperations",
            "A change key is required for this operation.",
        )
    if not is_change_key(key):
        raise ItemError("ErrorInvalidChangeKey", "The change key is invalid.")
    stale = key != event.ews_change_key
    if stale and resolution == "NeverOverwrite":
        raise ItemError("ErrorIrresolvableConflict", CONFLICT)
    return stale


def _check_shape(change: Element) -> None:
    """Check what the schema asks of an ItemChange, as far as clients get it wrong."""
    updates = change.find("t:Updates", NS)
    if updates is None or not len(updates) or not len(change):
        raise schema_fault(change.sourceline or 0, "The element 'ItemChange' has incomplete content.")
    for update in updates:
        name = etree.QName(update).localname
        if name not in ("SetItemField", "AppendToItemField", "DeleteItemField"):
            raise schema_fault(update.sourceline or 0, f"The element 'Updates' has invalid child element '{name}'.")
        if len(update) != (1 if name == "DeleteItemField" else 2):
            raise schema_fault(update.sourceline or 0, f"The element '{name}' has incomplete content.")
        uri = update[0].get("FieldURI", "")
        if etree.QName(update[0]).localname == "FieldURI" and not is_known(uri):
            raise schema_fault(
                update.sourceline or 0, f"The 'FieldURI' attribute is invalid - The value '{uri}' is invalid."
            )


def _collect(change: Element) -> Collected:
    collected = Collected()
    for update in change.findall("t:Updates/*", NS):
        path = update[0]
        if etree.QName(path).localname == "ExtendedFieldURI":
            _collect_extended(update, path, collected)
        else:
            _collect_field(update, path, collected)
    return collected


def _collect_extended(update: Element, path: Element, collected: Collected) -> None:
    action = etree.QName(update).localname
    name = extended_id(path)
    if action == "AppendToItemField":
        raise ItemError("ErrorInvalidPropertyAppend", "Append action is invalid for property.", path)
    if action == "DeleteItemField":
        collected.extended[name] = None
        return
    holder = _only_property(update, path)
    inner = holder.find("t:ExtendedFieldURI", NS)
    if etree.QName(holder).localname != "ExtendedProperty" or inner is None or extended_id(inner) != name:
        raise _mismatch(path)
    value = holder.findtext("t:Value", None, NS)
    if value is None:
        raise ItemError("ErrorInvalidExtendedPropertyValue", "The extended property has no value.", path)
    collected.extended[name] = value


def _collect_field(update: Element, path: Element, collected: Collected) -> None:
    action = etree.QName(update).localname
    uri = path.get("FieldURI", "")
    held = BY_URI.get(uri)
    match action:
        case "DeleteItemField":
            collected.put(_unset(held, path))
        case "AppendToItemField":
            if held is None or not held.appendable:
                raise ItemError("ErrorInvalidPropertyAppend", "Append action is invalid for property.", path)
            _append(_read(update, held, path), collected.pieces)
        case _ if uri not in IGNORED:
            if held is None or held.read is None:
                raise ItemError("ErrorInvalidPropertySet", _not_settable(uri), path)
            collected.put(_read(update, held, path))


def _unset(held: Field | None, path: Element) -> Pieces:
    if held is None or held.unset is None:
        raise ItemError("ErrorInvalidPropertyDelete", "Delete action is invalid for property.", path)
    return held.unset


def _append(added: Pieces, pieces: Pieces) -> None:
    """Add members, or text of a body, behind what was appended before."""
    for name, value in added.items():
        before = pieces.get(f"{name}+")
        if before is not None:
            value = before + value if name != "body" else {**value, "content": before["content"] + value["content"]}
        pieces[f"{name}+"] = value


def _read(update: Element, held: Field, path: Element) -> Pieces:
    holder = _only_property(update, path)
    if BY_NAME.get(etree.QName(holder).localname) is not held or held.read is None:
        raise _mismatch(path)
    return held.read(holder)


def _only_property(update: Element, path: Element) -> Element:
    item = update[1]
    if etree.QName(item).localname not in ("CalendarItem", "Item") or len(item) != 1:
        raise ItemError(
            "ErrorIncorrectUpdatePropertyCount",
            "An object within a change description must contain one and only one property.",
            path,
        )
    return item[0]


def _mismatch(path: Element) -> ItemError:
    return ItemError("ErrorUpdatePropertyMismatch", "Property update does not match the property path.", path)


def _not_settable(uri: str) -> str:
    why = " The sandbox does not hold this property." if uri in NOT_HELD else ""
    return f"Set action is invalid for property.{why}"
