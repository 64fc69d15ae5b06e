"""FindItem: https://learn.microsoft.com/exchange/client-developer/web-service-reference/finditem-operation.

Pages and calendar views; restrictions of Exists, Contains, comparisons, And, Or and Not over what fields.py holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lxml import etree

from ops.sandbox.event import Event
from ops.sandbox.ews.fields import BY_URI
from ops.sandbox.ews.folders import calendar_of
from ops.sandbox.ews.item import extended_id, read_shape, show
from ops.sandbox.ews.soap import NS, Element, ItemError, M, T, refused, success
from ops.sandbox.ews.visitor import Visitor

_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "IsEqualTo": lambda held, wanted: held == wanted,
    "IsNotEqualTo": lambda held, wanted: held != wanted,
    "IsGreaterThan": lambda held, wanted: held > wanted,
    "IsGreaterThanOrEqualTo": lambda held, wanted: held >= wanted,
    "IsLessThan": lambda held, wanted: held < wanted,
    "IsLessThanOrEqualTo": lambda held, wanted: held <= wanted,
}


def answer(visitor: Visitor) -> list[Element]:
    """One response message with the items found."""
    element = visitor.request.element
    shape = read_shape(element)
    calendar = calendar_of(visitor, element.find("m:ParentFolderIds/*", NS))
    events = [event for event in visitor.world.store.events(visitor.home, calendar) if _in_view(event, element)]
    restriction = element.find("m:Restriction/*", NS)
    try:
        found = [event for event in events if restriction is None or _holds(event, restriction)]
        page, offset = _page(found, element)
        items = [show(event, shape) for event in page]
    except ItemError as error:
        return [refused("FindItem", error)]
    end = offset + len(page)
    root = M.RootFolder(
        T.Items(*items), IndexedPagingOffset=str(end), TotalItemsInView=str(len(found)),
        IncludesLastItemInRange="true" if end >= len(found) else "false",
    )  # fmt: skip
    return [success("FindItem", root)]


def _page(found: list[Event], element: Element) -> tuple[list[Event], int]:
    view = element.find("m:IndexedPageItemView", NS)
    if view is None:
        return found, 0
    offset, most = int(view.get("Offset", "0")), int(view.get("MaxEntriesReturned", "1000"))
    return found[offset : offset + most], offset


def _in_view(event: Event, element: Element) -> bool:
    view = element.find("m:CalendarView", NS)
    if view is None:
        return True
    start, end = (event.moment(name).strftime("%Y-%m-%dT%H:%M:%SZ") for name in ("start", "end"))
    return start < view.get("EndDate", "9") and end > view.get("StartDate", "0")


def _holds(event: Event, restriction: Element) -> bool:
    kind = etree.QName(restriction).localname
    match kind:
        case "And":
            return all(_holds(event, part) for part in restriction)
        case "Or":
            return any(_holds(event, part) for part in restriction)
        case "Not":
            return not _holds(event, restriction[0])
    held = _held(event, restriction[0])
    if kind == "Exists":
        return held is not None
    constant = restriction.find(".//t:Constant", NS)
    wanted = constant.get("Value", "") if constant is not None else ""
    if kind == "Contains":
        return wanted.lower() in (held or "").lower()
    if kind not in _COMPARISONS:
        raise ItemError("ErrorUnsupportedTypeForConversion", f"The sandbox does not know the restriction {kind}.")
    return held is not None and _COMPARISONS[kind](held, wanted)


def _held(event: Event, path: Element) -> str | None:
    if etree.QName(path).localname == "ExtendedFieldURI":
        return event.extended.get(extended_id(path))
    held = BY_URI.get(path.get("FieldURI", ""))
    shown = held.element(event) if held else None
    return "".join(str(text) for text in shown.itertext()) if shown is not None else None
