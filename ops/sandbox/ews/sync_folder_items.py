"""SyncFolderItems: https://learn.microsoft.com/exchange/client-developer/web-service-reference/syncfolderitems-operation.

A state is a place in the journal, as in Graph's delta.
"""

from __future__ import annotations

import re

from ops.sandbox.ews.folders import calendar_of
from ops.sandbox.ews.item import read_shape, show
from ops.sandbox.ews.soap import NS, Element, ItemError, M, T, refused, success
from ops.sandbox.ews.visitor import Visitor
from ops.sandbox.journal import generation


def answer(visitor: Visitor) -> list[Element]:
    """One response message with what changed since the state."""
    entries = list(visitor.world.journal.entries)
    world = generation(entries)
    state = visitor.request.element.findtext("m:SyncState", None, NS)
    since = re.fullmatch(rf"{world}-(\d+)", state or f"{world}-0")
    if since is None or int(since[1]) > len(entries):
        return [refused("SyncFolderItems", ItemError("ErrorInvalidSyncStateData", "Synchronization state is corrupt."))]
    most = int(visitor.request.element.findtext("m:MaxChangesReturned", "512", NS))
    end = min(len(entries), int(since[1]) + most)
    mine = [entry.event for entry in entries[int(since[1]) : end] if entry.mailbox == visitor.home.address]
    return [
        success(
            "SyncFolderItems",
            M.SyncState(f"{world}-{end}"),
            M.IncludesLastItemInRange("true" if end == len(entries) else "false"),
            M.Changes(*_changes(visitor, mine, first=state is None)),
        )
    ]


def _changes(visitor: Visitor, changed: list[str], *, first: bool) -> list[Element]:
    calendar = calendar_of(visitor, visitor.request.element.find("m:SyncFolderId/*", NS))
    shape = read_shape(visitor.request.element)
    there = {event.id: event for event in visitor.world.store.events(visitor.home, calendar)}
    changes = []
    for one in dict.fromkeys(changed):
        if one in there:
            changes.append((T.Create if first else T.Update)(show(there[one], shape)))
        elif not first:
            changes.append(T.Delete(T.ItemId(Id=one)))
    return changes
