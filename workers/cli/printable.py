"""Text of others, made safe to print: a terminal would obey the control sequences in it."""

from __future__ import annotations

import json
import re
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters except tab and line feed, those that reorder or hide what follows them, and halves of characters,
which no output can hold."""


_OF_A_PLACE = ("displayName", "street", "city", "state", "postalCode", "countryOrRegion", "latitude", "longitude",
               "locationEmailAddress", "locationUri")  # fmt: skip


def printable(text: str) -> str:
    """The text with every control character replaced."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def brief(value: Any) -> str:
    """A value of an event's property as a person reads it; ``-`` if there is none."""
    if value is None or value in ("", [], {}):
        return "-"
    match value:
        case {"emailAddress": {"address": str(address)}, "type": str(kind)}:
            return printable(f"{address} ({kind})")
        case {"emailAddress": {"address": str(address)}}:
            return printable(address)
        case {"displayName": str()}:
            return printable(_place(value))
        case {"dateTime": str(moment), "timeZone": str(zone)}:
            return printable(f"{moment} {zone}")
        case {"content": str(content)}:
            return printable(content)
        case list():
            return "\n".join(map(brief, value))
        case str():
            return printable(value)
    return printable(json.dumps(value, ensure_ascii=False))


def _place(location: dict[str, Any]) -> str:
    """All that people set of a place, because a change may be to its address alone."""
    inner = (location.get(part) for part in ("address", "coordinates"))
    flat = location | {name: value for part in inner if isinstance(part, dict) for name, value in part.items()}
    return ", ".join(str(flat[name]) for name in _OF_A_PLACE if flat.get(name) not in (None, "")) or "-"
