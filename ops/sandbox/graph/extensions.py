"""Open extensions of an event: https://learn.microsoft.com/graph/api/resources/opentypeextension.

They are kept among the event's extended properties, each as JSON under ``extensions/<its name>``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ops.sandbox.call import Json
from ops.sandbox.event import Event
from ops.sandbox.graph.errors import GraphError
from ops.sandbox.store import Change

_KEPT = "extensions/"
_TYPE = "Microsoft.OutlookServices.OpenTypeExtension."


def show(event: Event, name: str) -> Json | None:
    """One extension, by its name or its qualified name in any case; None if the event has none of that name."""
    stored = _stored(event, name)
    if stored is None:
        return None
    return {
        "@odata.type": "#microsoft.graph.openTypeExtension",
        "id": _TYPE + stored.removeprefix(_KEPT),
        "extensionName": stored.removeprefix(_KEPT),
        **json.loads(event.extended[stored]),
    }


def change(event: Event, method: str, name: str | None, body: bytes) -> tuple[Change, str]:
    """What POST (create, or add to it), PATCH (replace) or DELETE makes of an event's extensions, and the name of the
    one concerned; ``GraphError``."""
    if method == "POST":
        document = _document(body)
        name = document.get("extensionName")
        if not isinstance(name, str) or not name:
            raise GraphError(400, "BadRequest", "The extensionName is required.")
        stored = _stored(event, name)
        before = json.loads(event.extended[stored]) if stored else {}
        return _keeping(stored or _KEPT + name, {**before, **_data(document)}), name
    stored = _stored(event, name or "")
    if stored is None:
        raise GraphError(404, "ErrorItemNotFound", "The specified extension was not found.")
    if method == "DELETE":
        return Change(extended={stored: None}), name or ""
    return _keeping(stored, _data(_document(body))), name or ""


def _stored(event: Event, name: str) -> str | None:
    wanted = (_KEPT + (name[len(_TYPE) :] if name.lower().startswith(_TYPE.lower()) else name)).lower()
    return next((key for key in event.extended if key.lower() == wanted), None)


def _document(body: bytes) -> Mapping[str, Json]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload.")
    return document


def _data(document: Mapping[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in document.items() if "@" not in key and key not in ("id", "extensionName")}


def _keeping(key: str, data: Mapping[str, Json]) -> Change:
    return Change(extended={key: json.dumps(data)})
