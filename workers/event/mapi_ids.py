"""The ids that Graph gives to single MAPI properties: ``String {guid} Name x`` and the like.

https://learn.microsoft.com/graph/api/resources/extended-properties-overview. Exchange spells an id its own way when it
gives it back. Not here: which of them Exchange Web Services can hold (ews/mapi) and a caller may give
(webhooks/schema/extended).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KINDS = ("ApplicationTime", "Binary", "Boolean", "CLSID", "Currency", "Double", "Float", "Integer", "Long", "Short",
         "String", "SystemTime")  # fmt: skip
"""The types of a value that can be read and written as one text, as Exchange names them."""

_SPELLED = {kind.lower(): kind for kind in KINDS}
_ID = re.compile(
    r"(?P<kind>\w+)\s+(?:\{(?P<set>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}"
    r"\s+(?:Name\s+(?P<name>\S.*)|Id\s+(?P<number>0x[0-9a-f]+|[0-9]+))|(?P<tag>0x[0-9a-f]+|[0-9]+))",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class PropertyId:
    """Which property: one with a ``tag``, or in the set ``guid`` one with a ``name`` or a ``number``. ``kind`` is the
    type of its value. Equal for all spellings of an id: in any case they say the same, except for the name."""

    kind: str
    guid: str = ""
    name: str | None = None
    number: int | None = None
    tag: int | None = None


def parse(text: str) -> PropertyId:
    """The property that an id names: ``String {guid} Name x``, ``Integer {guid} Id 0x8233`` or ``String 0x3001``.
    Raises ValueError, with a sentence."""
    match = _ID.fullmatch(text.strip())
    if match is None:
        raise ValueError("an id is like 'String {guid} Name x', 'Integer {guid} Id 0x8233' or 'String 0x3001'")
    kind, guid = match["kind"], match["set"] or ""
    return PropertyId(
        _SPELLED.get(kind.lower(), kind), guid.lower(), match["name"], _number(match["number"]), _number(match["tag"])
    )


def _number(text: str | None) -> int | None:
    return None if text is None else int(text, 16 if text[:2].lower() == "0x" else 10)
