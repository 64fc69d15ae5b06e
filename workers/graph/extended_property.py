"""Single MAPI properties: https://learn.microsoft.com/graph/api/resources/singlevaluelegacyextendedproperty.

In the neutral form each is a property named ``singleValueExtendedProperties/<its id>``, with a string or None; the
marker is one of them. Not here: HTTP, what an id names (event/mapi_ids).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress

from workers.event.mapi_ids import PropertyId, parse
from workers.event.properties import EXTENDED
from workers.exchange import MARKER_ID, Refused
from workers.update import Json

MARKER = parse(MARKER_ID)


def ids(properties: Collection[str]) -> tuple[str, ...]:
    """The ids of the MAPI properties among these properties, sorted."""
    return tuple(sorted(name.removeprefix(EXTENDED) for name in properties if name.startswith(EXTENDED)))


def named(identifier: str) -> PropertyId:
    """The property that an id names. Raises Refused for what is no id of a single property."""
    try:
        return parse(identifier)
    except ValueError as error:
        raise Refused("InvalidValue", f"{EXTENDED}{identifier}: {error}") from None


def expand(identifiers: Iterable[str]) -> str:
    """The clause of ``$expand`` that answers with these properties and the marker. Raises Refused."""
    wanted = {named(identifier): identifier for identifier in (MARKER_ID, *identifiers)}
    tests = " or ".join(f"id eq '{identifier.replace(chr(39), chr(39) * 2)}'" for identifier in wanted.values())
    return f"singleValueExtendedProperties($filter={tests})"


def read(document: Json) -> dict[PropertyId, Json]:
    """The values that an event was answered with, those of which nobody can have asked left out."""
    told = {}
    for prop in document.get("singleValueExtendedProperties") or []:
        with suppress(ValueError):
            told[parse(prop["id"])] = prop.get("value")
    return told


def written(changes: Mapping[str, Json], marker: tuple[str, ...]) -> list[Json]:
    """The member of a PATCH that sets these properties (None: deletes) and the marker. Raises Refused."""
    members = [{"id": identifier, "value": _string(identifier, changes)} for identifier in ids(changes)]
    return [*members, {"id": MARKER_ID, "value": " ".join(marker)}] if marker else members


def _string(identifier: str, changes: Mapping[str, Json]) -> str | None:
    value = changes[EXTENDED + identifier]
    if named(identifier) == MARKER:
        raise Refused("PropertyNotWritable", f"{EXTENDED}{identifier}: this property is Rendezvous' own")
    if value is not None and not isinstance(value, str):
        raise Refused("InvalidValue", f"{EXTENDED}{identifier}: the value must be a string or null")
    return value
