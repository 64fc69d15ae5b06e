"""Extended properties: Graph's single values, Exchange's ExtendedProperty elements.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/extendedproperty
https://learn.microsoft.com/graph/api/resources/singlevaluelegacyextendedproperty

Each is a property of its own: ``singleValueExtendedProperties/`` and its id, with a string or None.
"""

from __future__ import annotations

from lxml import etree

from workers.event.properties import EXTENDED
from workers.ews import mapi
from workers.ews.change import Change, path_of
from workers.ews.soap import element, find, find_all, text_of
from workers.exchange import MARKER_ID, Refused
from workers.update import Json

MARKER = EXTENDED + MARKER_ID
"""The marker, as the property that it is."""


def check(name: str) -> None:
    """Raise ValueError for an id that names no property, Refused for the one that is not the caller's to touch."""
    if mapi.parse(name.removeprefix(EXTENDED)) == mapi.parse(MARKER_ID):
        raise Refused("PropertyNotWritable", f"{name}: this property is Rendezvous' own")


def read(item: etree._Element, name: str) -> Json:
    """The value, None where the item has none."""
    wanted = mapi.parse(name.removeprefix(EXTENDED))
    for found in find_all(item, "t:ExtendedProperty"):
        path = find(found, "t:ExtendedFieldURI")
        attributes = {} if path is None else {str(key): str(value) for key, value in path.attrib.items()}
        if mapi.addressed(attributes) == wanted:
            text = text_of(found, "t:Value")
            return None if text is None else mapi.spelled(wanted.kind, text)
    return None


def write(name: str, value: Json) -> list[Change]:
    """Set it, or unset it. Raises ValueError for a value that is not of the property's type."""
    if value is None:
        return [Change(name)]
    text = mapi.checked(mapi.parse(name.removeprefix(EXTENDED)).kind, value)
    return [Change(name, element("t:ExtendedProperty", path_of(name), element("t:Value", text)))]
