"""SyncFolderItems: https://learn.microsoft.com/exchange/client-developer/web-service-reference/syncfolderitems-operation.

A state is a place in the journal, as in Graph's delta.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ops.sandbox.ews.folders import calendar_of
from ops.sandbox.ews.item import read_shape, show
from ops.sandbox.ews.soap import NS, Element, ItemError, M, T, refused, success
from ops.sandbox.ews.visitor import Visitor
from ops.sandbox.journal import Entry, generation


def answer(visitor: Visitor) -> list[Element]:
    """One response message with what changed since the state."""
    try:
        return [success("SyncFolderItems", *_synced(visitor))]
    except ItemError as error:
        return [refused("SyncFolderItems", error)]


def _synced(visitor: Visitor) -> list[Element]:
    request = visitor.request.element
    calendar = calendar_of(visitor, request.find("m:SyncFolderId/*", NS))
    if calendar not in {known.id for known in visitor.home.calendars}:
        raise ItemError("ErrorSyncFolderNotFound", "The folder to synchronize could not be found.")
    entries = list(visitor.world.journal.entries)
    world = generation(entries)
    since = re.fullmatch(rf"{world}-(\d+)", request.findtext("m:SyncState", f"{world}-0", NS))
    if since is None or int(since[1]) > len(entries):
        raise ItemError("ErrorInvalidSyncStateData", "Synchronization state is corrupt.")
    end = min(len(entries), int(since[1]) + int(request.findtext("m:MaxChangesReturned", "512", NS)))
    return [
        M.SyncState(f"{world}-{end}"),
        M.IncludesLastItemInRange("true" if end == len(entries) else "false"),
        M.Changes(*_changes(visitor, calendar, entries[int(since[1]) : end])),
    ]


def _changes(visitor: Visitor, calendar: str, entries: Sequence[Entry]) -> list[Element]:
    """What the entries tell of the calendar: items made among them are new; who never saw one is told of no end."""
    shape = read_shape(visitor.request.element)
    there = {event.id: event for event in visitor.world.store.events(visitor.home, calendar)}
    concerned = [entry for entry in entries if entry.calendar == calendar]
    new = {entry.event for entry in concerned if entry.action == "create"}
    changes = []
    for one in dict.fromkeys(entry.event for entry in concerned):
        if one in there:
            changes.append((T.Create if one in new else T.Update)(show(there[one], shape)))
        elif one not in new:
            changes.append(T.Delete(T.ItemId(Id=one)))
    return changes
