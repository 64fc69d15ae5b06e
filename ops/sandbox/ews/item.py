"""Calendar items in answers and in requests: shapes, field paths, extended properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lxml import etree

from ops.sandbox.body import in_form
from ops.sandbox.event import Event
from ops.sandbox.ews.fields import AFTER_EXTENDED, BEFORE_EXTENDED, BY_URI, Field, is_known
from ops.sandbox.ews.soap import NS, TYPES, Element, ItemError, T, schema_fault
from ops.sandbox.extended import BadName, of_ews

DEFAULT_SHAPE = frozenset({
    "item:ItemId", "item:Subject", "item:HasAttachments", "calendar:Start", "calendar:End",
    "calendar:LegacyFreeBusyStatus", "calendar:Location", "calendar:Organizer",
})  # fmt: skip

CUSTOM = 0x8000
"""The first tag of properties that have one only in their own mailbox."""


@dataclass(frozen=True, slots=True)
class Shape:
    """An ItemShape: which fields, which extended properties (as they were asked for), which body.

    https://learn.microsoft.com/exchange/client-developer/web-service-reference/itemshape
    """

    uris: frozenset[str]
    extended: tuple[Mapping[str, str], ...]
    body_type: str


def read_shape(parent: Element) -> Shape:
    """The ItemShape of a request."""
    shape = parent.find("m:ItemShape", NS)
    if shape is None:
        raise schema_fault(parent.sourceline or 0, "The element has incomplete content. Expected: ItemShape.")
    paths = shape.findall("t:AdditionalProperties/*", NS)
    asked = {path.get("FieldURI", "") for path in paths if etree.QName(path).localname == "FieldURI"}
    for unknown in (uri for uri in asked if not is_known(uri)):
        raise schema_fault(
            shape.sourceline or 0, f"The 'FieldURI' attribute is invalid - The value '{unknown}' is invalid."
        )
    base = {
        "IdOnly": frozenset({"item:ItemId"}),
        "Default": DEFAULT_SHAPE,
        "AllProperties": frozenset(BY_URI),
    }.get(shape.findtext("t:BaseShape", "", NS))
    if base is None:
        raise schema_fault(shape.sourceline or 0, "The 'BaseShape' element is invalid.")
    return Shape(
        uris=base | asked,
        extended=tuple(attributes(path) for path in paths if etree.QName(path).localname == "ExtendedFieldURI"),
        body_type=shape.findtext("t:BodyType", "Best", NS),
    )


def attributes(path: Element) -> dict[str, str]:
    """An element's attributes as text."""
    return {str(name): str(value) for name, value in path.attrib.items()}


def extended_id(path: Element) -> str:
    """The one name of the extended property that an ExtendedFieldURI addresses; ``ItemError``."""
    return _extended_id(attributes(path))


def show(event: Event, shape: Shape) -> Element:
    """The CalendarItem, in the schema's order."""
    seen = _with_body(event, shape.body_type)
    return T.CalendarItem(
        *_shown(seen, BEFORE_EXTENDED, shape.uris),
        *_shown_extended(event, shape.extended),
        *_shown(seen, AFTER_EXTENDED, shape.uris),
    )


def show_id(event: Event) -> Element:
    """The CalendarItem that answers a write: only its id and key."""
    return T.CalendarItem(T.ItemId(Id=event.id, ChangeKey=event.ews_change_key))


def _shown(event: Event, fields: Iterable[Field], uris: frozenset[str]) -> list[Element]:
    elements = (field.element(event) for field in fields if field.uri in uris)
    return [element for element in elements if element is not None]


def _shown_extended(event: Event, asked: Iterable[Mapping[str, str]]) -> list[Element]:
    shown = []
    for path in asked:
        name = _extended_id(path)
        if name in event.extended:
            uri = etree.Element(f"{{{TYPES}}}ExtendedFieldURI", dict(path))
            shown.append(T.ExtendedProperty(uri, T.Value(event.extended[name])))
    return shown


def _extended_id(path: Mapping[str, str]) -> str:
    if int(path.get("PropertyTag", "0"), 0) >= CUSTOM:
        raise ItemError(
            "ErrorNoPropertyTagForCustomProperties", "A custom property cannot be referenced by its property tag."
        )
    try:
        return of_ews(path)
    except BadName as bad:
        raise ItemError("ErrorInvalidExtendedProperty", f"The extended property is not valid: {bad}") from bad


def _with_body(event: Event, body_type: str) -> Event:
    """The event with its body in the form that was asked for."""
    wanted = None if body_type == "Best" else body_type.lower()
    return replace(event, properties={**event.properties, "body": in_form(event["body"], wanted)})
