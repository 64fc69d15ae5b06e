"""How a client's own JSON becomes an update: JMESPath expressions in the shape of the update.

https://jmespath.org/specification.html. The table stands in the configuration as ``[client.mapping]``, for systems
whose webhooks cannot be told what to send. Each string in it is an expression over what the client sent; one that gives
null leaves its field out, and so does a table of which nothing is left. Numbers and booleans stand for themselves.

Pure. Not here: whether what comes out is an update (webhooks/schema judges it like any other).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult

from workers.event.properties import EXTENDED, EXTENSION, PROPERTIES
from workers.update import Json

FIELDS = frozenset(
    {"target", "set", "append", "remove", "clear", "shift", "expect", "conflictResolution", "sendInvitations",
     "maxRecipients", "deadline", "callbackUrl", "metadata"}
)  # fmt: skip
"""What an update may have at its top."""
_NAMED = frozenset({*PROPERTIES, EXTENDED.rstrip("/"), EXTENSION.rstrip("/")})
"""What an event has, as ``set``, ``append``, ``remove`` and ``expect`` name it."""
_PLACE = frozenset({"mailbox", "group", "calendar", "calendarGroup", "event", "occurrence", "version", "backend"})
"""What ``target`` may say."""

Path: TypeAlias = tuple[str | int, ...]
_SHOWN = 200


class MappingError(ValueError):
    """A table that is no mapping, or an expression that fails on what was sent; the message is one line.

    ``path``: where in the update. The message of one that fails names the value too: it is for who sent it, not for
    logs.
    """

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(why)
        self.path = path


@dataclass(frozen=True, slots=True)
class _Leaf:
    expression: str
    parsed: ParsedResult


_Node: TypeAlias = "_Leaf | dict[str, _Node] | list[_Node] | bool | int | float"


@dataclass(frozen=True, slots=True)
class Mapped:
    """``update``: the JSON as if it had been sent. ``sources``: path in it → the expression that it comes from, those
    that gave null included."""

    update: dict[str, Json]
    sources: Mapping[Path, str]


class Mapper:
    """A compiled table."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        """Raises MappingError, whose message begins with the key that is to blame."""
        if unknown := sorted(table.keys() - FIELDS):
            raise MappingError((unknown[0],), f"{unknown[0]}: an update has no such field")
        for field in ("target", "set", "append", "remove", "expect"):
            named, known = table.get(field), _PLACE if field == "target" else _NAMED
            if unknown := sorted(named.keys() - known) if isinstance(named, dict) else []:
                what = "a target has no such field" if field == "target" else "an event has no such property"
                raise MappingError((field, unknown[0]), f"{field}.{unknown[0]}: {what}")
        self._root = {name: _compiled(value, (name,)) for name, value in table.items()}

    def apply(self, document: Json) -> Mapped:
        """What the expressions make of a document. Raises MappingError."""
        sources: dict[Path, str] = {}
        return Mapped(_applied(self._root, (), document, sources) or {}, sources)


def _compiled(value: Any, path: Path) -> _Node:
    match value:
        case str():
            return _Leaf(value, _parsed(value, path))
        case dict():
            return {name: _compiled(child, (*path, name)) for name, child in value.items()}
        case list():
            return [_compiled(child, (*path, position)) for position, child in enumerate(value)]
        case bool() | int() | float():
            return value
    raise MappingError(path, f"{_dotted(path)}: write an expression in quotes, a number, true, false or a table")


def _parsed(expression: str, path: Path) -> ParsedResult:
    try:
        parsed = jmespath.compile(expression)
    except JMESPathError as error:
        why = str(error).splitlines()[0].partition(", for expression")[0].rstrip(":")
        raise MappingError(path, f"{_dotted(path)}: {why} in {expression!r}") from None
    for why in _misuses(parsed.parsed):
        raise MappingError(path, f"{_dotted(path)}: {why} in {expression!r}")
    return parsed


def _misuses(node: Mapping[str, Any]) -> Iterator[str]:
    """Functions that there are not, and wrong numbers of arguments: jmespath itself notices when it is too late."""
    if node["type"] == "function_expression":
        yield from _misuse(node["value"], len(node["children"]))
    for child in node.get("children", ()):
        if isinstance(child, dict):
            yield from _misuses(child)


def _misuse(name: str, given: int) -> Iterator[str]:
    known = Functions.FUNCTION_TABLE.get(name)
    if known is None:
        yield f"there is no function {name}()"
        return
    takes = known["signature"]
    variadic = bool(takes) and takes[-1].get("variadic", False)
    if given < len(takes) or (given > len(takes) and not variadic):
        yield f"{name}() takes {'at least ' if variadic else ''}{len(takes)} argument(s)"


def _applied(node: _Node, path: Path, document: Json, sources: dict[Path, str]) -> Json:
    match node:
        case _Leaf():
            sources[path] = node.expression
            return _evaluated(node, path, document)
        case dict():
            fields = {name: _applied(child, (*path, name), document, sources) for name, child in node.items()}
            return {name: value for name, value in fields.items() if value is not None} or None
        case list():
            members: list[Json] = []
            for child in node:
                if (value := _applied(child, (*path, len(members)), document, sources)) is not None:
                    members.append(value)
            return members or None
    return node


def _evaluated(leaf: _Leaf, path: Path, document: Json) -> Json:
    try:
        return leaf.parsed.search(document)
    except JMESPathTypeError as error:
        why = f"{error.function_name}() takes {' or '.join(error.expected_types)} and was given {error.actual_type}"
        value = error.current_value
    except Exception as error:  # beside its own, jmespath lets out what Python raises: ceil() of infinity, for one
        why, value = f"{type(error).__name__}", document
    raise MappingError(path, f"the expression {leaf.expression!r} fails on {_shown(value)}: {why}")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))
