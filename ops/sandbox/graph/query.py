"""How a call wants to see events: its ``$select``, ``$expand`` and ``Prefer``.

https://learn.microsoft.com/graph/query-parameters. Open extensions are expanded one by one, by a filter on their id, as
by the real Graph, which fails at events without one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ops.sandbox.call import Call
from ops.sandbox.extended import BadName, of_graph
from ops.sandbox.graph.errors import GraphError
from ops.sandbox.graph.resource import PROPERTIES, View, preferences
from ops.sandbox.zones import UnknownZone

_CLAUSE = re.compile(r"(\w+)\(\$filter=((?:id\s+eq\s+'(?:[^']|'')*'(?:\s+or\s+)?)+)\),?")
_ID = re.compile(r"'((?:[^']|'')*)'")


def asked(call: Call) -> View:
    """The view that a call asks for; ``GraphError``."""
    try:
        view = preferences(call.headers)
    except UnknownZone as unknown:
        raise GraphError(
            400,
            "TimeZoneNotSupportedException",
            f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{unknown}'.",
        ) from unknown
    expanded = _expanded(call.query.get("$expand", ""))
    return replace(
        view,
        select=_selected(call.query),
        extended=_properties(expanded.get("singleValueExtendedProperties", ())),
        extensions=expanded.get("extensions", ()),
    )


def _selected(query: Mapping[str, str]) -> frozenset[str] | None:
    if "$select" not in query:
        return None
    names = frozenset(name.strip() for name in query["$select"].split(",") if name.strip())
    for name in names - PROPERTIES:
        raise _unreadable(f"Could not find a property named '{name}' on type 'microsoft.graph.event'.")
    return names


def _expanded(text: str) -> dict[str, tuple[str, ...]]:
    clauses = {clause[1]: _ID.findall(clause[2]) for clause in _CLAUSE.finditer(text)}
    if _CLAUSE.sub("", text) or clauses.keys() - {"singleValueExtendedProperties", "extensions"}:
        raise _unreadable(f"'{text}'.")
    return {name: tuple(found.replace("''", "'") for found in ids) for name, ids in clauses.items()}


def _properties(ids: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(of_graph(name) for name in ids)
    except BadName as bad:
        raise GraphError(400, "ErrorInvalidProperty", f"The property '{bad}' is not valid.") from bad


def _unreadable(text: str) -> GraphError:
    return GraphError(400, "RequestBroker--ParseUri", f"Parsing OData Select and Expand failed: {text}")
