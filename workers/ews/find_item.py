"""FindItem with a CalendarView: the meetings around a moment, those of series among them.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/finditem-operation
https://learn.microsoft.com/exchange/client-developer/web-service-reference/calendarview
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from workers.ews.change import path_of
from workers.ews.fields import moment_of
from workers.ews.get_item import id_of
from workers.ews.soap import Answer, NotAnAnswer, element, find_all, text_of

NAME = "FindItem"
_ASKED = ("calendar:UID", "calendar:Start", "calendar:CalendarItemType")
_AROUND = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Found:
    """One meeting in the view. ``uid`` is that of its whole series; ``start`` is aware, UTC; ``kind`` is Exchange's
    CalendarItemType."""

    id: str
    uid: str
    start: datetime
    kind: str


def build(folder: str, moment: datetime) -> etree._Element:
    """The request for what the calendar ``folder`` has at an aware moment."""
    paths = [path_of(uri) for uri in _ASKED]
    shape = element("m:ItemShape", element("t:BaseShape", "IdOnly"), element("t:AdditionalProperties", *paths))
    view = element("m:CalendarView", StartDate=_utc(moment - _AROUND), EndDate=_utc(moment + _AROUND))
    folders = element("m:ParentFolderIds", element("t:FolderId", Id=folder))
    return element("m:FindItem", shape, view, folders, Traversal="Shallow")


def read(answer: Answer) -> tuple[Found, ...]:
    """What was found. Raises NotAnAnswer where a success does not tell."""
    items = answer.find("m:RootFolder/t:Items")
    if items is None:
        raise NotAnAnswer("the response message holds no items")
    return tuple(_found(item) for item in find_all(items, "t:CalendarItem"))


def _found(item: etree._Element) -> Found:
    try:
        start = moment_of(text_of(item, "t:Start") or "")
    except ValueError as error:
        raise NotAnAnswer(f"a meeting's start cannot be read: {error}") from None
    uid, kind = text_of(item, "t:UID") or "", text_of(item, "t:CalendarItemType") or ""
    return Found(id_of(item)[0], uid, start, kind.strip())


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
