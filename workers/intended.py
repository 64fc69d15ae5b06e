"""What is recorded before a write, and what an event tells of it afterwards. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from workers.event.agreement import agrees
from workers.event.properties import EXTENSION
from workers.exchange import MARKER_LENGTH, Event
from workers.job import Clash, Result
from workers.update import Json, compact, known_fields


@dataclass(frozen=True, slots=True)
class Intended:
    """The properties as first read (the base of every merge), the properties as they stood before this write and the
    version they had, what it set them to, who was to be mailed, and the newest update in the marker that was found
    (None: an older version of us did not say)."""

    base: Mapping[str, Json]
    before: Mapping[str, Json]
    after: Mapping[str, Json]
    invitations: str
    version: str
    mails: int
    newest: str | None = None

    def to_json(self) -> str:
        return compact({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**known_fields(cls, json.loads(text)))

    def forgotten_by(self, event: Event) -> bool:
        """Whether so many updates were written since that ours may have fallen out of the marker."""
        return self.newest is not None and self.newest not in event.marker and len(event.marker) >= MARKER_LENGTH

    def ignored(self, asked: Mapping[str, Json], stands: Mapping[str, Json]) -> tuple[Clash, ...]:
        """What of this write (``asked``, in the event's own zones) is not so in an event that has taken it, and stands
        as it did before."""
        return tuple(
            Clash(name, self.before[name], stands[name], value)
            for name, value in asked.items()
            if name in stands
            if not agrees(name, stands[name], value)
            if agrees(name, stands[name], self.before[name])
        )

    def done_without_marker(self, event: Event) -> Mapping[str, tuple[Json, Json]]:
        """The open extensions that this write has changed, before and after: they are resources of their own and bear
        no marker."""
        return {
            name: (self.before[name], value)
            for name, value in self.after.items()
            if name.startswith(EXTENSION)
            if agrees(name, event.properties.get(name), value) and not agrees(name, self.before[name], value)
        }

    def result(self, version: str, *, verified: bool) -> Result:
        """What came of it, as callers see it."""
        changed = {
            name: {"before": self.before[name], "after": value}
            for name, value in self.after.items()
            if not agrees(name, self.before[name], value)
        }
        return Result(version, noop=False, changed=changed, invitations=self.invitations, verified=verified,
                      mails=self.mails)  # fmt: skip
