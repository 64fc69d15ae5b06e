"""Single MAPI properties: https://learn.microsoft.com/graph/api/resources/singlevaluelegacyextendedproperty.

In the neutral form each is a property named ``singleValueExtendedProperties/<its id>``, with a string or None; the
marker is one of them. Exchange gives ids back with the GUID and the numbers spelled its own way. Not here: HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from workers.event.properties import EXTENDED
from workers.exchange import MARKER_ID, Refused
from workers.update import Json

_ID = re.compile(
    r"(?P<type>[a-z]+)\s+(?:\{(?P<guid>[0-9a-f-]{36})\}\s+(?:name\s+(?P<name>.+)|id\s+(?P<id>0x[0-9a-f]+|[0-9]+))"
    r"|(?P<tag>0x[0-9a-f]+|[0-9]+))",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)


def ids(properties: Collection[str]) -> tuple[str, ...]:
    """The ids of the MAPI properties among these properties, sorted."""
    return tuple(sorted(name.removeprefix(EXTENDED) for name in properties if name.startswith(EXTENDED)))


def canonical(identifier: str) -> str:
    """One spelling of an id: the type, the GUID and the numbers say the same in any case, a name does not.

    Raises Refused for what is no id of a single property.
    """
    found = _ID.fullmatch(identifier.strip())
    if found is None:
        raise Refused("InvalidValue", f"{EXTENDED}{identifier}: no id of an extended property")
    kind = found["type"].lower()
    if found["tag"]:
        return f"{kind} {_number(found['tag'])}"
    within = f"name {found['name']}" if found["name"] else f"id {_number(found['id'])}"
    return f"{kind} {{{found['guid'].lower()}}} {within}"


def expand(identifiers: Iterable[str]) -> str:
    """The clause of ``$expand`` that answers with these properties and the marker. Raises Refused."""
    wanted = {canonical(identifier): identifier for identifier in (MARKER_ID, *identifiers)}
    tests = " or ".join(f"id eq '{identifier.replace(chr(39), chr(39) * 2)}'" for identifier in wanted.values())
    return f"singleValueExtendedProperties($filter={tests})"


def read(document: Json) -> dict[str, Json]:
    """Canonical id → value, of the properties that an event was answered with."""
    return {_lenient(prop["id"]): prop.get("value") for prop in document.get("singleValueExtendedProperties") or []}


def written(changes: Mapping[str, Json], marker: tuple[str, ...]) -> list[Json]:
    """The member of a PATCH that sets these properties (None: deletes) and the marker. Raises Refused."""
    members = [{"id": identifier, "value": _string(identifier, changes)} for identifier in ids(changes)]
    return [*members, {"id": MARKER_ID, "value": " ".join(marker)}] if marker else members


def _string(identifier: str, changes: Mapping[str, Json]) -> str | None:
    value = changes[EXTENDED + identifier]
    if canonical(identifier) == canonical(MARKER_ID):
        raise Refused("PropertyNotWritable", f"{EXTENDED}{identifier}: this property is Rendezvous' own")
    if value is not None and not isinstance(value, str):
        raise Refused("InvalidValue", f"{EXTENDED}{identifier}: the value must be a string or null")
    return value


def _lenient(identifier: str) -> str:
    try:
        return canonical(identifier)
    except Refused:
        return identifier.lower()


def _number(text: str) -> str:
    return f"{int(text, 16 if text[:2].lower() == '0x' else 10):#x}"
