"""GetFolder and FindFolder, as far as clients need them to find a calendar.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/getfolder-operation
"""

from __future__ import annotations

from lxml import etree

from ops.sandbox.event import item_id
from ops.sandbox.ews.soap import NS, Element, ItemError, M, T, refused, success
from ops.sandbox.ews.visitor import Visitor
from ops.sandbox.mailbox import Calendar, Mailbox

ROOTS = {"root": "Root", "msgfolderroot": "Top of Information Store"}


def get_folder(visitor: Visitor) -> list[Element]:
    """A response message for each folder id."""
    return [_answer_one(visitor, target) for target in visitor.request.element.findall("m:FolderIds/*", NS)]


def find_folder(visitor: Visitor) -> list[Element]:
    """All calendars, whatever root folder was named."""
    mailbox = visitor.home
    folders = [_calendar(visitor, mailbox, calendar) for calendar in mailbox.calendars]
    root = M.RootFolder(
        T.Folders(*folders), IndexedPagingOffset=str(len(folders)), TotalItemsInView=str(len(folders)),
        IncludesLastItemInRange="true",
    )  # fmt: skip
    return [success("FindFolder", root)]


def calendar_of(visitor: Visitor, target: Element | None) -> str:
    """The id of the calendar that a folder id means; without one, of the default calendar."""
    if target is None or target.get("Id") == "calendar":
        return visitor.home.default.id
    return target.get("Id", "")


def _answer_one(visitor: Visitor, target: Element) -> Element:
    try:
        return success("GetFolder", M.Folders(_folder(visitor, target)))
    except ItemError as error:
        return refused("GetFolder", error)


def _folder(visitor: Visitor, target: Element) -> Element:
    mailbox = visitor.home
    wanted = target.get("Id", "")
    if etree.QName(target).localname == "DistinguishedFolderId":
        if wanted in ROOTS:
            return _root(mailbox, wanted)
        wanted = mailbox.default.id if wanted == "calendar" else wanted
    for calendar in mailbox.calendars:
        if calendar.id == wanted:
            return _calendar(visitor, mailbox, calendar)
    for name in ROOTS:
        if wanted == _root_id(mailbox, name):
            return _root(mailbox, name)
    raise ItemError("ErrorFolderNotFound", "The specified folder could not be found in the store.")


def _root(mailbox: Mailbox, name: str) -> Element:
    return T.Folder(
        T.FolderId(Id=_root_id(mailbox, name), ChangeKey="AQAAABYAAAA="),
        T.DisplayName(ROOTS[name]),
        T.TotalCount("0"),
        T.ChildFolderCount(str(len(mailbox.calendars))),
        T.DistinguishedFolderId(name),
        T.UnreadCount("0"),
    )


def _calendar(visitor: Visitor, mailbox: Mailbox, calendar: Calendar) -> Element:
    return T.CalendarFolder(
        T.FolderId(Id=calendar.id, ChangeKey="AgAAABYAAAA="),
        T.ParentFolderId(Id=_root_id(mailbox, "msgfolderroot"), ChangeKey="AQAAABYAAAA="),
        T.FolderClass("IPF.Appointment"),
        T.DisplayName(calendar.name),
        T.TotalCount(str(len(visitor.world.store.events(mailbox, calendar.id)))),
        T.ChildFolderCount("0"),
        *([T.DistinguishedFolderId("calendar")] if calendar == mailbox.default else []),
    )


def _root_id(mailbox: Mailbox, name: str) -> str:
    return item_id(mailbox.guid, f"folder/{name}")
