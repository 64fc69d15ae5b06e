"""A series and its meetings: what the master tells, and which item a meeting is.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-access-a-recurring-series-by-using-ews-in-exchange

Exchange keeps meetings that were changed as exceptions, which the master lists with the moment at which each was to
start. All others are where the pattern puts them, so that a view of the calendar at that moment shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime

from lxml import etree

from workers.ews import get_item
from workers.ews.fields import moment_of
from workers.ews.find_item import Found
from workers.ews.soap import Answer, NotAnAnswer, element, find, find_all, text_of
from workers.exchange import Refused
from workers.update import Occurrence

MASTER = "RecurringMaster"
_TOLD_BY_MASTERS = (get_item.KIND, "item:ParentFolderId", "calendar:UID", "calendar:ModifiedOccurrences")


@dataclass(frozen=True, slots=True)
class Series:
    """``folder``: the calendar's id; ``exceptions``: when each was to start (aware, UTC) → its item id."""

    uid: str
    folder: str
    exceptions: Mapping[datetime, str]


def build(master: str) -> etree._Element:
    """The GetItem request about a master. Raises Unwritable."""
    return get_item.request(_TOLD_BY_MASTERS, element("t:ItemId", Id=master))


def read(answer: Answer) -> Series:
    """The series. Raises Refused if the item is no master, NotAnAnswer where a success does not tell."""
    item = get_item.item_of(answer)
    if (kind := get_item.kind_of(item)) != MASTER:
        raise Refused(
            "NotASeries",
            f"target.occurrence: target.event names {kind or 'something else'}, not the master of a series",
        )
    uid, folder = text_of(item, "t:UID"), find(item, "t:ParentFolderId")
    if not uid or folder is None:
        raise NotAnAnswer("the master has no UID or no folder")
    try:
        listed = dict(_exception(found) for found in find_all(item, "t:ModifiedOccurrences/t:Occurrence"))
    except ValueError as error:
        raise NotAnAnswer(f"an exception of the series cannot be read: {error}") from None
    return Series(uid, folder.get("Id", ""), listed)


def moment_asked(occurrence: Occurrence) -> datetime:
    """When the meeting was to start, in UTC. Raises Refused."""
    try:
        moment = moment_of((occurrence.start or "").upper()).astimezone(UTC).replace(microsecond=0)
        if moment.year in (MINYEAR, MAXYEAR):
            raise OverflowError("nothing is looked for around the ends of the calendar")
        return moment
    except (ValueError, OverflowError):
        raise Refused("InvalidValue", f"target.occurrence.start: {occurrence.start!r} is no moment") from None


def meeting_at(series: Series, moment: datetime, found: Iterable[Found]) -> str | None:
    """The item id of the meeting that was to start at ``moment`` and is where it was to be; None if there is none."""
    for item in found:
        if item.uid == series.uid and item.start == moment and item.kind == "Occurrence":
            return item.id
    return None


def _exception(found: etree._Element) -> tuple[datetime, str]:
    original = moment_of(text_of(found, "t:OriginalStart") or "").astimezone(UTC)
    return original, get_item.id_of(found)[0]
