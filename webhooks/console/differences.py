"""What changed in an event, as lines before and after that a person can read. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from workers.update import Json

LINES_AT_MOST = 200
"""Of each side: the time that a comparison takes grows with the square of it."""
AROUND = 2
"""Unchanged lines that are shown on each side of a change."""

Sign = Literal["-", "+", " ", "…"]


@dataclass(frozen=True, slots=True)
class Line:
    """``sign``: ``-`` for a line that was there, ``+`` for one that is there now, a space for one that stayed, ``…``
    for lines that are left out."""

    sign: Sign
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """How one property changed."""

    property: str
    lines: tuple[Line, ...]


def differences(changed: Mapping[str, Mapping[str, Json]]) -> tuple[Difference, ...]:
    """The differences in ``changed`` of an update's result, by property."""
    return tuple(
        Difference(name, tuple(_compared(legible(change.get("before")), legible(change.get("after")))))
        for name, change in sorted(changed.items())
    )


def legible(value: Json) -> list[str]:
    """A JSON value as lines: those of a text, or one for each member of a list or an object. None has no lines."""
    match value:
        case None:
            lines = []
        case str():
            lines = value.splitlines() or [""]
        case dict():
            lines = [f"{name}: {_compact(member)}" for name, member in sorted(value.items())]
        case list():
            lines = [_compact(member) for member in value]
        case _:
            lines = [_compact(value)]
    return lines if len(lines) <= LINES_AT_MOST else [*lines[:LINES_AT_MOST], f"… {len(lines) - LINES_AT_MOST} more"]


def _compact(value: Json) -> str:
    match value:
        case str():
            return value
        case {"emailAddress": {"address": str()}}:
            return _person(value)
        case _:
            return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _person(attendee: Mapping[str, Json]) -> str:
    """An attendee with all that is known: ``Zoe <zoe@contoso.com> (optional, accepted)``."""
    address, name = attendee["emailAddress"]["address"], attendee["emailAddress"].get("name")
    known = (attendee.get("type"), (attendee.get("status") or {}).get("response"))
    details = ", ".join(str(detail) for detail in known if detail and detail != "none")
    who = f"{name} <{address}>" if name and str(name).lower() != address.lower() else address
    return f"{who} ({details})" if details else who


def _compared(before: Sequence[str], after: Sequence[str]) -> Iterator[Line]:
    for verb, b_from, b_to, a_from, a_to in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if verb == "equal":
            yield from _stayed(before[b_from:b_to])
            continue
        yield from (Line("-", text) for text in before[b_from:b_to])
        yield from (Line("+", text) for text in after[a_from:a_to])


def _stayed(lines: Sequence[str]) -> Iterator[Line]:
    if len(lines) <= 2 * AROUND + 1:
        yield from (Line(" ", text) for text in lines)
        return
    yield from (Line(" ", text) for text in lines[:AROUND])
    yield Line("…", f"{len(lines) - 2 * AROUND} lines that stayed")
    yield from (Line(" ", text) for text in lines[-AROUND:])
