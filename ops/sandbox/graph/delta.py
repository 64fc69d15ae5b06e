"""calendarView/delta: https://learn.microsoft.com/graph/api/event-delta.

It covers the default calendar. A token is a place in the journal: what changed since is what stands behind it. Windows
are taken for wide enough.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ops.sandbox.call import Call, Json
from ops.sandbox.event import graph_form
from ops.sandbox.graph.errors import GraphError
from ops.sandbox.graph.resource import View, show
from ops.sandbox.journal import Entry, generation
from ops.sandbox.mailbox import Mailbox
from ops.sandbox.store import Store

_UNSUPPORTED = frozenset({"$select", "$expand", "$filter", "$orderby", "$search"})


def answer(store: Store, entries: Sequence[Entry], mailbox: Mailbox, view: View, call: Call) -> Json:
    """A round in one page; ``GraphError``."""
    if not _UNSUPPORTED.isdisjoint(call.query):
        raise GraphError(
            400,
            "ErrorInvalidUrlQuery",
            "The following parameters are not supported with change tracking over the 'CalendarView' resource: "
            f"'{', '.join(sorted(_UNSUPPORTED))}'.",
        )
    token = call.query.get("$deltatoken")
    world, now = generation(entries), len(entries)
    if token is None:
        if not {"startDateTime", "endDateTime"} <= call.query.keys():
            raise GraphError(
                400, "ErrorInvalidParameter", "This request requires a time window specified by the query."
            )
        value = [show(event, view) for event in store.events(mailbox, mailbox.default.id)]
    elif (found := re.fullmatch(rf"{world}-(\d+)", token)) is not None and int(found[1]) <= now:
        value = _since(store, entries[int(found[1]) : now], mailbox, view)
    else:
        raise GraphError(410, "SyncStateNotFound", "The sync state generation is not found; generation=0;")
    link = f"{call.base}/graph/v1.0/{call.path}?$deltatoken={world}-{now}"
    return {"value": value, "@odata.deltaLink": link}


def _since(store: Store, entries: Sequence[Entry], mailbox: Mailbox, view: View) -> list[Json]:
    calendar = mailbox.default.id
    changed = dict.fromkeys(entry.event for entry in entries if entry.calendar == calendar)
    there = {event.id: event for event in store.events(mailbox, calendar)}
    return [
        show(there[one], view) if one in there else {"id": graph_form(one), "@removed": {"reason": "deleted"}}
        for one in changed
    ]
