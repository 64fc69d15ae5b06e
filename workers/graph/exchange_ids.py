"""An id of Exchange Web Services given to Graph: translateExchangeIds.

https://learn.microsoft.com/graph/api/user-translateexchangeids. Graph writes ids with ``-`` and ``_`` where EWS has
``/`` and ``+``, so an EWS id that has neither is a Graph id already, and so is an immutable one. Not here: HTTP.
"""

from __future__ import annotations

import json
from typing import Literal

from workers.event.item_ids import AS_GRAPH, is_ews_spelling
from workers.graph.paths import owner_path
from workers.update import Target

IMMUTABLE = "AAkALg"
"""How immutable ids begin, as observed: a version byte of their own. Ordinary ones begin with ``AAMk`` or ``AQMk``."""


def is_immutable(identifier: str) -> bool:
    """Whether this id is kept when the event is moved within its mailbox; see
    https://learn.microsoft.com/graph/outlook-immutable-id."""
    return identifier.startswith(IMMUTABLE)


def path(target: Target) -> str:
    """Where to ask. Not for a group, whose ids cannot be translated."""
    return f"{owner_path(target)}/translateExchangeIds"


def question(identifier: str, wanted: Literal["restId", "restImmutableEntryId"]) -> bytes:
    """The body of the POST."""
    given = "ewsId" if is_ews_spelling(identifier) else "restId"
    return json.dumps({"inputIds": [identifier], "sourceIdType": given, "targetIdType": wanted}).encode()


def answer(body: bytes) -> str | None:
    """The Graph id; None if Exchange could not translate it."""
    return _found(body, "value", 0, "targetId")


def shown(body: bytes) -> str | None:
    """The id of an event as a read shows it."""
    return _found(body, "id")


def _found(body: bytes, *place: str | int) -> str | None:
    try:
        found = json.loads(body)
        for step in place:
            found = found[step]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return found if isinstance(found, str) and found else None


def respelled(identifier: str) -> str:
    """The Graph id by the known rule, for when Graph cannot be asked."""
    return identifier.translate(AS_GRAPH)
