"""An Exchange in memory, with a journal of who changed what and who was mailed; it fails as a test wants it to.

It keeps the promises of ``workers.exchange.Exchange`` and Exchange's own habits: it respells what it stores, its
versions move by themselves, and a write that nobody heard of again may be applied late.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from types import MappingProxyType

from workers.event.invitations import recipients
from workers.event.properties import EXTENSION, members
from workers.exchange import (
    AccessDenied,
    Event,
    ExchangeError,
    Patch,
    Refused,
    Throttled,
    Unavailable,
    Unknown,
    VersionMoved,
    Written,
)
from workers.update import Json, Target


class Fault(Enum):
    """What becomes of one write."""

    NONE = auto()
    LOST_AFTER = auto()
    """Applied, and the answer is lost."""
    LOST_BEFORE = auto()
    """Never applied, and nobody says so."""
    LATE = auto()
    """Applied only ``lateness`` seconds after we gave up waiting, if the version is still the same then."""
    SILENT = auto()
    """Answered with success, and nothing is applied."""
    TWICE = auto()
    """Applied, and sent again by something in between, which tells us the second answer: the version has moved."""
    BROKEN = auto()
    """Applied, and the answer breaks the code that reads it."""
    HALF = auto()
    """Only the open extensions are written, which bear no marker, and the answer is lost."""
    UNSEEN = auto()
    """Applied, and the event after it could not be read back."""
    CENSORED = auto()
    """Applied, and somebody in between says no in Exchange's place."""
    BARRED = auto()
    """Never applied: somebody in between says no, and looks the same."""
    THROTTLED = auto()
    UNAVAILABLE = auto()
    REFUSED = auto()


_NO: Mapping[Fault, ExchangeError] = {
    Fault.THROTTLED: Throttled("429", "Too many requests.", request_id="r-429", retry_after=10),
    Fault.UNAVAILABLE: Unavailable("ConnectError", "Nobody there."),
    Fault.REFUSED: Refused("ErrorOccurrenceCrossingBoundary", "It would overlap.", request_id="r-400"),
    Fault.LOST_BEFORE: Unknown("ReadTimeout", "No answer."),
    Fault.BARRED: AccessDenied("HTTP 403", "Blocked.", foreign=True),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of the event: ``by`` is an update's id, ``human`` or ``exchange``; ``before`` and ``after`` are the
    whole event; ``mailed``: the addresses that got mail about it; ``ignored``: what was asked for and not done."""

    by: str
    changes: Mapping[str, Json]
    before: Mapping[str, Json]
    after: Mapping[str, Json]
    mailed: frozenset[str] = frozenset()
    ignored: Mapping[str, Json] = field(default_factory=dict)


@dataclass
class FakeExchange:
    """One event. ``write_faults`` and ``read_faults``: what the next calls meet. ``between``: called, one for each
    write, after the event was read and before the write arrives. ``afterwards``: the same, after it was applied and
    before the event is read back. ``spend``: told how many seconds a call took. ``ignores``: which properties of a
    write are not changed, though it is applied."""

    properties: dict[str, Json]
    now: Callable[[], float] = lambda: 0.0
    spend: Callable[[float], None] = lambda seconds: None
    ignores: Callable[[Patch], Collection[str]] = lambda patch: ()
    lateness: float = 5.0
    enforces_versions: bool = True
    marker: tuple[str, ...] = ()
    is_meeting: bool = True
    created: datetime | None = None
    original: datetime | None = None
    number: int = 1
    journal: list[Entry] = field(default_factory=list)
    write_faults: deque[Fault] = field(default_factory=deque)
    read_faults: deque[ExchangeError | None] = field(default_factory=deque)
    between: deque[Callable[[], None]] = field(default_factory=deque)
    afterwards: deque[Callable[[], None]] = field(default_factory=deque)
    reads: int = 0
    last_read: Mapping[str, Json] = field(default_factory=dict)
    """The whole event as it stood at our last read, and how many journal entries there were by then."""
    read_after: int = 0
    writes: list[Patch] = field(default_factory=list)
    _late: list[tuple[float, Event, Patch]] = field(default_factory=list)

    @property
    def version(self) -> str:
        return f"v{self.number}"

    # What we do: the seam.

    def read(self, target: Target, properties: Collection[str]) -> Event:
        self.spend(0.1)
        self.arrive()
        self.reads += 1
        if self.read_faults and (error := self.read_faults.popleft()) is not None:
            raise error
        self.last_read, self.read_after = deepcopy(self.properties), len(self.journal)
        return self._event(target, properties)

    def write(self, target: Target, event: Event, patch: Patch) -> Written:
        if self.between:
            self.between.popleft()()
        self.spend(0.3)
        self.arrive()
        self.writes.append(patch)
        fault = self.write_faults.popleft() if self.write_faults else Fault.NONE
        if fault is Fault.LATE:
            self._late.append((self.now() + 30 + self.lateness, event, patch))
        if fault in (Fault.LATE, Fault.LOST_BEFORE):
            self.spend(30)
            raise Unknown("ReadTimeout", "No answer.")
        if fault in _NO:
            raise _NO[fault].with_traceback(None)  # else it keeps every world that it was raised in
        if self.enforces_versions and event.version != self.version:
            raise VersionMoved("ErrorIrresolvableConflict", "The change key does not match.")
        if fault is Fault.SILENT:
            return Written(self.version, self._event(target, patch.changes), "r-200")
        if fault is Fault.HALF:
            changes = {name: value for name, value in patch.changes.items() if name.startswith(EXTENSION)}
            self._change(patch.marker[0], changes)
            raise Unknown("ReadTimeout", "No answer.")
        self._apply(patch)
        if fault is Fault.CENSORED:
            raise AccessDenied("HTTP 403", "Blocked.", foreign=True)
        if fault is Fault.TWICE:
            raise VersionMoved("ErrorIrresolvableConflict", "The change key does not match.")
        if fault is Fault.LOST_AFTER:
            self.spend(30)
            raise Unknown("ReadTimeout", "No answer.")
        if fault is Fault.BROKEN:
            raise KeyError("a part of the answer that was always there")
        version = self.version
        if self.afterwards:
            self.afterwards.popleft()()
        seen = None if fault is Fault.UNSEEN else self._event(target, patch.changes)
        return Written(version, seen, "r-200")

    # What others do.

    def human(self, **changes: Json) -> None:
        """Somebody changes the event in Outlook."""
        self._change("human", changes)

    def bump(self) -> None:
        """Exchange moves the version by itself."""
        self._change("exchange", {})

    def arrive(self) -> None:
        """Apply the late writes whose time has come."""
        for moment, event, patch in sorted(self._late, key=lambda late: late[0]):
            if moment <= self.now():
                self._late.remove((moment, event, patch))
                if event.version == self.version or not self.enforces_versions:
                    self._apply(patch)

    # What the tests ask.

    def by(self, update_id: str) -> list[Entry]:
        """What this update changed."""
        return [entry for entry in self.journal if entry.by == update_id]

    @property
    def mails(self) -> int:
        return sum(len(entry.mailed) for entry in self.journal)

    def _event(self, target: Target, properties: Collection[str]) -> Event:
        seen = {name: deepcopy(self.properties.get(name)) for name in properties}
        return Event(target.event, self.version, self.is_meeting, self.marker, seen, created=self.created,
                     original=self.original)  # fmt: skip

    def _apply(self, patch: Patch) -> None:
        event = Event("", self.version, self.is_meeting, self.marker, self.properties)
        mailed = recipients(patch.invitations, event, patch.changes)
        self.marker = patch.marker
        ignored = {name: patch.changes[name] for name in self.ignores(patch)}
        done = {name: value for name, value in patch.changes.items() if name not in ignored}
        self._change(patch.marker[0], done, mailed, ignored)

    def _change(
        self,
        by: str,
        changes: Mapping[str, Json],
        mailed: frozenset[str] = frozenset(),
        ignored: Mapping[str, Json] = MappingProxyType({}),
    ) -> None:
        before = dict(self.properties)
        self.properties = {**before, **{name: _respelled(name, value) for name, value in changes.items()}}
        self.is_meeting = bool(self.properties.get("attendees"))
        self.number += 1
        self.journal.append(Entry(by, dict(changes), before, dict(self.properties), mailed, ignored))


def _respelled(name: str, value: Json) -> Json:
    """A value as Exchange stores it."""
    value = deepcopy(value)
    if name == "location":
        return (
            {"locationType": "default", "uniqueIdType": "private", **value} if value and value["displayName"] else None
        )
    if name == "body" and value and value["contentType"] == "html":
        return {**value, "content": f"<html><head>\r\n</head><body>\r\n{value['content']}\r\n</body></html>"}
    if name == "attendees":
        unknown = {"response": "none", "time": "0001-01-01T00:00:00Z"}
        return [{"status": unknown, **one} for one in members(name, value).values()]
    return value
