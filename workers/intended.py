"""What is recorded before a write, and what an event tells of it afterwards. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from workers.event import whole_days
from workers.event.agreement import agrees
from workers.event.properties import EXTENSION
from workers.event.versions import Wrote, content_of
from workers.exchange import MARKER_LENGTH, Event, Written
from workers.job import Clash, Failure, Result, failure, named
from workers.outcome import Dead, Succeeded
from workers.update import BackendKind, Json, compact, known_fields, rfc3339


@dataclass(frozen=True, slots=True)
class Intended:
    """``base``: the properties as first read, the base of every merge. ``before`` and ``after``: what this write was to
    change, as it stood and as it was set; ``version``: the one that it was written against. ``invitations``: who was to
    be mailed, in at most so many ``mails``. ``newest``: the newest update in the marker that was found.
    ``original``: when that meeting of a series was to start, empty for other events. ``ignored``: what was found not to
    have been changed by the write, whatever stands there since."""

    base: Mapping[str, Json]
    before: Mapping[str, Json]
    after: Mapping[str, Json]
    invitations: str
    version: str
    mails: int
    newest: str
    original: str = ""
    ignored: Sequence[str] = ()

    @classmethod
    def nothing(cls, event: Event) -> Self:
        """Of an event that was first read like this, and not written."""
        newest = next(iter(event.marker), "")
        original = rfc3339(event.original) if event.original else ""
        return cls(event.properties, {}, {}, invitations="", version=event.version, mails=0, newest=newest,
                   original=original)  # fmt: skip

    def to_json(self) -> str:
        return compact({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**known_fields(cls, json.loads(text)))

    def forgotten_by(self, event: Event) -> Failure | None:
        """Why ``event``, without our marker, does not tell whether the write was applied; None if it was not."""
        lost = "A write was sent, its answer was lost, and"
        if self.original and event.original is not None and rfc3339(event.original) != self.original:
            detail = f"{lost} that number of the series is another meeting by now; ours was to start {self.original}."
            return failure("unknownOutcome", "AnotherMeeting", detail)
        if self.newest not in event.marker and len(event.marker) >= MARKER_LENGTH:
            detail = f"{lost} the event does not tell any more what came of it."
            return failure("unknownOutcome", "MarkerForgotten", detail)
        return None

    def done_without_marker(self, event: Event) -> Mapping[str, tuple[Json, Json]]:
        """The open extensions that this write has changed: name → before and after. They are resources of their own, so
        the event's marker says nothing about them."""
        return {
            name: (self.before[name], value)
            for name, value in self.after.items()
            if name.startswith(EXTENSION)
            if agrees(name, event.properties.get(name), value)
        }

    def applied(
        self, values: Mapping[str, Json], event: Event, written: Written, kind: BackendKind, *, in_doubt: bool
    ) -> Succeeded | Dead:
        """What came of the write of ``values`` to ``event`` that Exchange answered with success. ``in_doubt``: part of
        it may have been applied, so that it must not be written again."""
        stands = written.event.properties if written.event else None
        asked = whole_days.in_zone_of(values, {**event.properties, **(stands or {})}, kind)
        if ignored := self._ignored(asked, stands or {}):
            names = {clash.property for clash in ignored}
            others = ", ".join(name for name in values if name not in names)
            detail = f"Exchange answered success but did not change {named(ignored)}"
            detail += f" (it changed {others})." if others else "."
            if in_doubt:
                return self._in_part(detail, ignored, written.request_id)
            return Dead(failure("refused", "NotApplied", detail, ignored), written.request_id)
        verified = stands is not None and _all_agree(stands, asked)
        # What was read back counts only if nobody else has written in between.
        seen = written.event.properties if written.event and written.event.version == written.version else {}
        found, left = content_of(event.properties), content_of({**event.properties, **self.after, **seen})
        wrote = Wrote(self.version, written.version, left, found) if written.version else None
        result = replace(self._result(written.version, verified=verified), notices=written.notices)
        return Succeeded(result, request_id=written.request_id, wrote=wrote)

    def recovered(self, event: Event, kind: BackendKind) -> Succeeded | Dead:
        """What came of the write whose answer was lost, seen in an event that bears its marker. Which version the write
        made is not known, only the content that it left."""
        after = whole_days.in_zone_of(self.after, event.properties, kind)
        if ignored := self._ignored(after, event.properties):
            return self._in_part(f"An earlier write was applied, but did not change {named(ignored)}.", ignored)
        wrote = Wrote(self.version, "", content_of({**self.base, **after}), content_of(self.base))
        result = self._result(event.version, verified=_all_agree(event.properties, after))
        return Succeeded(result, "the earlier write had been applied", wrote=wrote)

    def _in_part(self, detail: str, ignored: tuple[Clash, ...], request_id: str | None = None) -> Dead:
        """The end of a write that was applied, but for what was ``ignored``. That is recorded: once somebody else has
        changed it, the event does not tell any more."""
        found = replace(self, ignored=[clash.property for clash in ignored])
        return Dead(failure("unknownOutcome", "NotApplied", detail, ignored), request_id, intent=found.to_json())

    def _ignored(self, asked: Mapping[str, Json], stands: Mapping[str, Json]) -> tuple[Clash, ...]:
        """What of this write an event that has taken it does not show: it still ``stands`` there as it did before, or
        did when we looked earlier. ``asked``: what was written, in the event's own zones."""
        return tuple(
            Clash(name, self.before[name], stands[name], value)
            for name, value in asked.items()
            if name in stands
            if name in self.ignored
            or (not agrees(name, stands[name], value) and agrees(name, stands[name], self.before[name]))
        )

    def _result(self, version: str, *, verified: bool) -> Result:
        """What came of it, as callers see it."""
        changed = {
            name: {"before": self.before[name], "after": value}
            for name, value in self.after.items()
            if not agrees(name, self.before[name], value)
        }
        return Result(version, noop=False, changed=changed, invitations=self.invitations, verified=verified,
                      mails=self.mails)  # fmt: skip


def _all_agree(stands: Mapping[str, Json], asked: Mapping[str, Json]) -> bool:
    return all(agrees(name, stands.get(name), value) for name, value in asked.items())
