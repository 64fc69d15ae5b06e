"""The two spellings of an event's id: EWS writes base64, Graph the same with ``-`` for ``/`` and ``_`` for ``+``.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-identifiers-in-exchange; the rule is
Office.js's convertToRestId, and not the order of base64url. An id that is not unmistakably Exchange's own is left as it
is: other servers may write ids as they like.
"""

from __future__ import annotations

from base64 import b64decode

AS_EWS = str.maketrans("-_", "/+")
AS_GRAPH = str.maketrans("/+", "-_")
_BEGINNINGS = ("AAMk", "AQMk")
_SHORTEST = 100
"""Characters. Item ids hold a mailbox's and two folders' and items' numbers: about 150."""


def is_graph_spelling(identifier: str) -> bool:
    """Whether only Graph can have written this id."""
    return ("-" in identifier or "_" in identifier) and _is_item_id(identifier.translate(AS_EWS))


def is_ews_spelling(identifier: str) -> bool:
    """Whether only EWS can have written this id."""
    return ("/" in identifier or "+" in identifier) and _is_item_id(identifier)


def _is_item_id(base64: str) -> bool:
    if not base64.startswith(_BEGINNINGS) or len(base64) < _SHORTEST:
        return False
    try:
        return bool(b64decode(base64, validate=True))
    except ValueError:
        return False
