"""What can be said about an event's versions: which came from our own writes, and whether the content is still as we
left it. Exchange moves versions by itself, so a version that moved says little; what moved it says more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from workers.patch import WATCHED
from workers.properties import normal_form
from workers.update import Json


@dataclass(frozen=True, slots=True)
class Wrote:
    """A write of ours: the version before and after, and the ``content`` that we left (see ``content_of``), empty where
    not all of it was known."""

    before: str
    after: str
    content: str = ""

    def to_line(self) -> str:
        return f"{self.before} {self.after} {self.content}"

    @classmethod
    def from_line(cls, line: str) -> Wrote:
        before, after, content = (*line.split(" "), "", "")[:3]
        return cls(before, after, content)


def content_of(properties: Mapping[str, Json]) -> str:
    """A digest of everything that counts as content; empty where not all of it is there."""
    if not properties.keys() >= WATCHED:
        return ""
    normal = [normal_form(name, properties[name]) for name in sorted(WATCHED)]
    return blake2b(json.dumps(normal, sort_keys=True).encode(), digest_size=16).hexdigest()


def is_ours(version: str, content: str, seen: str, wrote: Sequence[Wrote]) -> bool:
    """Whether ``version`` with this ``content`` is ``seen``, or came from it by writes of ours and by Exchange's moving
    the version of what we left."""
    known = {_bare(one.before): one for one in wrote}
    left = {_bare(one.after): one.content for one in wrote}
    at = _bare(seen)
    for _ in range(len(wrote) + 1):
        if at == _bare(version) or (content and left.get(at) == content):
            return True
        if at not in known:
            return False
        at = _bare(known[at].after)
    return False


def _bare(version: str) -> str:
    """A Graph ETag ``W/"…"`` and the bare changeKey inside it are the same version."""
    return version.removeprefix("W/").strip('"')
