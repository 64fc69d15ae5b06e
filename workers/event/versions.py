"""What can be said about an event's versions: which came from our own writes, and whether the content is still as we
left it. Exchange moves versions by itself, so a version that moved says little; what moved it says more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

from workers.event.agreement import normal_form
from workers.event.properties import PROPERTIES, WATCHED
from workers.update import Json


@dataclass(frozen=True, slots=True)
class Wrote:
    """A write of ours: the version before and after it (empty if the answer was lost), and the contents that it
    ``left`` and had ``found`` (see ``content_of``)."""

    before: str
    after: str
    left: str = ""
    found: str = ""

    def to_line(self) -> str:
        return f"{self.before} {self.after} {self.left} {self.found}"

    @classmethod
    def from_line(cls, line: str) -> Self:
        """The inverse of ``to_line``, also of what a newer release has written, which may hold more."""
        return cls(*line.split(" ")[:4])


def content_of(properties: Mapping[str, Json]) -> str:
    """A digest of everything that callers can write; empty if something of it was not read."""
    if not properties.keys() >= WATCHED:
        return ""
    normal = [(name, normal_form(name, properties[name])) for name in PROPERTIES if name in properties]
    return blake2b(json.dumps(normal, sort_keys=True).encode(), digest_size=16).hexdigest()


def is_ours(version: str, content: str, seen: str, wrote: Sequence[Wrote]) -> bool:
    """Whether only writes of ours, and Exchange itself, lie between the version ``seen`` and this ``version``. Exchange
    moves versions of what we left by itself: then the ``content`` is still the same. ``wrote``: newest first."""
    at, left = _bare(seen), ""
    passed = {at}
    for one in reversed(wrote):
        if _bare(one.before) == at or (left and one.found == left):
            at, left = _bare(one.after), one.left
        elif one.after and _bare(one.after) == at:
            left = one.left
        passed.add(at)
    return _bare(version) in passed or bool(content and content == left)


def _bare(version: str) -> str:
    """A Graph ETag ``W/"…"`` and the bare changeKey inside it are the same version."""
    return version.removeprefix("W/").strip('"')
