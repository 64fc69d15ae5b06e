"""Open extensions of an event: https://learn.microsoft.com/graph/api/resources/opentypeextension.

Each is a resource of its own below the event, read and written by itself. In the neutral form it is a property named
``extensions/<its name>``, whose value is the object that somebody stored there. Not here: HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from workers.event.properties import EXTENSION
from workers.exchange import Refused
from workers.graph.paths import event_path, extension_path
from workers.update import Json, Target

_TYPE = "microsoft.graph.openTypeExtension"
_PREFIX = "microsoft.outlookservices.opentypeextension."
_OWN = frozenset({"id", "extensionName"})


@dataclass(frozen=True, slots=True)
class Call:
    """The call that sets or deletes one extension."""

    method: Literal["POST", "PATCH", "DELETE"]
    path: str
    body: bytes = b""


def names(properties: Collection[str]) -> tuple[str, ...]:
    """The extensions among these properties, sorted."""
    return tuple(sorted(name.removeprefix(EXTENSION) for name in properties if name.startswith(EXTENSION)))


def expand(name: str) -> str:
    """The clause of ``$expand`` that answers with one extension beside the event. One only: for events Graph is known
    to fail without a filter on a single id (https://github.com/microsoftgraph/msgraph-sdk-dotnet/issues/1540)."""
    return f"extensions($filter=id eq '{name.replace(chr(39), chr(39) * 2)}')"


def among(document: Json, name: str) -> Json:
    """The value of this extension among an event's expanded ones, None if it is not there."""
    for extension in document.get("extensions") or []:
        if _name(extension) == name.lower():
            return value(extension)
    return None


def value(extension: Mapping[str, Json]) -> Json:
    """What somebody stored, without what Graph adds."""
    return {key: stored for key, stored in extension.items() if key not in _OWN and "@odata" not in key}


def call(target: Target, name: str, stands: Json, wanted: Json) -> Call:
    """Create it (https://learn.microsoft.com/graph/api/opentypeextension-post-opentypeextension), replace all of it
    (https://learn.microsoft.com/graph/api/opentypeextension-update) or, for None, delete it
    (https://learn.microsoft.com/graph/api/opentypeextension-delete). Raises Refused for what is no extension."""
    if wanted is None:
        return Call("DELETE", extension_path(target, name))
    if not isinstance(wanted, dict) or any(key in _OWN or "@odata" in key for key in wanted):
        raise Refused("InvalidValue", f"{EXTENSION}{name}: an object whose members are neither id nor extensionName")
    body = _json(name, {"@odata.type": _TYPE, "extensionName": name, **wanted})
    if stands is None:
        return Call("POST", f"{event_path(target)}/extensions", body)
    return Call("PATCH", extension_path(target, name), body)


def _name(extension: Mapping[str, Json]) -> str:
    return str(extension.get("extensionName") or extension.get("id") or "").lower().removeprefix(_PREFIX)


def _json(name: str, document: Json) -> bytes:
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise Refused("InvalidValue", f"{EXTENSION}{name}: not a value that JSON in UTF-8 can hold") from None
