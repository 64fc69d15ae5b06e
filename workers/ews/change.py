"""One field's change, as UpdateItem wants it: its path and one item element that holds that field alone.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/setitemfield
https://learn.microsoft.com/exchange/client-developer/web-service-reference/deleteitemfield
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from workers.ews.soap import element
from workers.exchange import MARKER_GUID, MARKER_NAME


@dataclass(frozen=True, slots=True)
class Change:
    """``uri`` is the field's path (``item:Subject``); ``value`` its new element, None to unset it."""

    uri: str
    value: etree._Element | None = None

    def render(self) -> etree._Element:
        """SetItemField or DeleteItemField."""
        path = element("t:FieldURI", FieldURI=self.uri)
        if self.value is None:
            return element("t:DeleteItemField", path)
        return element("t:SetItemField", path, element("t:CalendarItem", self.value))


def tag(uri: str) -> str:
    """The element of a field: ``calendar:Start`` → ``t:Start``."""
    return "t:" + uri.partition(":")[2]


def marker_path() -> etree._Element:
    """Where the marker is kept: a named MAPI property, the one that the Graph backend writes too.

    https://learn.microsoft.com/exchange/client-developer/web-service-reference/extendedfielduri
    """
    return element("t:ExtendedFieldURI", PropertySetId=MARKER_GUID, PropertyName=MARKER_NAME, PropertyType="String")


def stamp(marker: tuple[str, ...]) -> etree._Element:
    """The SetItemField that writes the marker."""
    value = element("t:ExtendedProperty", marker_path(), element("t:Value", " ".join(marker)))
    return element("t:SetItemField", marker_path(), element("t:CalendarItem", value))
