"""One field's change, as UpdateItem wants it: its path and one item element that holds that field alone.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/setitemfield
https://learn.microsoft.com/exchange/client-developer/web-service-reference/appendtoitemfield
https://learn.microsoft.com/exchange/client-developer/web-service-reference/deleteitemfield
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from workers.event.properties import EXTENDED
from workers.ews import mapi
from workers.ews.soap import element


@dataclass(frozen=True, slots=True)
class Change:
    """``uri`` is the field's path (``item:Subject``) or an extended property's name; ``value`` its new element, None
    to unset it. ``append``: the element's members are added to those that are there."""

    uri: str
    value: etree._Element | None = None
    append: bool = False

    def render(self) -> etree._Element:
        """SetItemField, AppendToItemField or DeleteItemField."""
        path = path_of(self.uri)
        if self.value is None:
            return element("t:DeleteItemField", path)
        action = "t:AppendToItemField" if self.append else "t:SetItemField"
        return element(action, path, element("t:CalendarItem", self.value))


def tag(uri: str) -> str:
    """The element of a field: ``calendar:Start`` → ``t:Start``."""
    return "t:" + uri.partition(":")[2]


def path_of(uri: str) -> etree._Element:
    """The FieldURI; for an extended property the ExtendedFieldURI. Raises ValueError for an id that is none.

    https://learn.microsoft.com/exchange/client-developer/web-service-reference/extendedfielduri
    """
    if not uri.startswith(EXTENDED):
        return element("t:FieldURI", FieldURI=uri)
    return element("t:ExtendedFieldURI", **mapi.attributes(mapi.parse(uri.removeprefix(EXTENDED))))
