"""Extended data that a caller may set: single MAPI properties and Graph's open extensions, each by its own name.

https://learn.microsoft.com/graph/api/resources/singlevaluelegacyextendedproperty
https://learn.microsoft.com/graph/api/resources/opentypeextension
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from webhooks.schema.shape import Shape, Text, size
from workers.event.mapi_ids import KINDS, PropertyId, parse
from workers.event.properties import EXTENDED, EXTENSION
from workers.exchange import MARKER_GUID
from workers.update import Json

_ID = re.compile(
    f"({'|'.join(KINDS)})"
    r" (\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\} (Name \S.{0,199}|Id 0x[0-9A-Fa-f]{1,8})"
    r"|0x[0-9A-Fa-f]{1,8})"
)
_EXTENSION_NAME = re.compile("[A-Za-z][A-Za-z0-9_.-]{0,127}")
BYTES_AT_MOST = 2048
"""The size of one open extension as compact JSON in UTF-8."""


def _known_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("must be like String {guid} Name x, Integer {guid} Id 0x8233 or String 0x3001")
    if MARKER_GUID.lower() in text.lower():
        raise ValueError("this property is Rendezvous' own")
    return text


def _extension_name(text: str) -> str:
    if not _EXTENSION_NAME.fullmatch(text):
        raise ValueError(
            "must be named like com.contoso.x: a letter, then letters, digits, dots, hyphens, underscores; 128 at most"
        )
    return text


def _extension(value: dict[str, Any]) -> dict[str, Any]:
    if any("@odata" in key or key in ("id", "extensionName") for key in value):
        raise ValueError("id, extensionName and @odata… are Graph's own")
    if size(value) > BYTES_AT_MOST:
        raise ValueError(f"must be at most {BYTES_AT_MOST} bytes as JSON")
    return value


class ExtendedProperty(Shape):
    """A single MAPI property."""

    id: Annotated[Text, AfterValidator(_known_id)]
    """The property as Graph names it: ``String {guid} Name x``, ``Integer {guid} Id 0x8233`` or ``String 0x3001``, of
    any type that holds a single value."""
    value: Annotated[Text, Field(max_length=32_000)] | None
    """The value as text, whatever its type, or null to delete the property. EWS takes a value only in the spelling in
    which Exchange would return it."""


ExtensionName = Annotated[
    str, Field(json_schema_extra={"pattern": f"^{_EXTENSION_NAME.pattern}$"}), AfterValidator(_extension_name)
]
Extensions = dict[ExtensionName, Annotated[dict[str, Any], AfterValidator(_extension)] | None]
"""Name → the extension's properties; null deletes the extension."""


def each_by_its_name(values: dict[str, Json]) -> dict[str, Json]:
    """The same values, with every extended property and extension as a property of its own
    (workers/event/properties)."""
    spread = {key: value for key, value in values.items() if key not in ("extensions", "singleValueExtendedProperties")}
    spread |= {EXTENSION + name: value for name, value in (values.get("extensions") or {}).items()}
    spread |= {EXTENDED + one["id"]: one["value"] for one in values.get("singleValueExtendedProperties") or []}
    return spread


def property_id(value: Any) -> PropertyId | None:
    """The property that an id names; None for a value that is not an id."""
    return parse(value) if isinstance(value, str) and _ID.fullmatch(value) else None


def place_of(name: str) -> tuple[str, ...]:
    """Where a property stands in the body, as the steps of a pointer."""
    first, _, own = name.partition("/")
    return (first, own) if name.startswith(EXTENSION) else (first,)
