"""What happened to events, append-only: every applied write and every mail, each also as a line of JSON on disk.

The journal is the judge in tests: it knows nothing of the client whose writes it records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Literal

from ops.sandbox.call import Json

Author = Literal["graph", "ews", "human", "exchange"]
Action = Literal["create", "update", "delete", "touch"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One applied write. ``changed`` holds only what differs, ``written`` every property that was sent."""

    number: int
    at: str
    mailbox: str
    calendar: str
    event: str
    author: Author
    action: Action
    written: tuple[str, ...]
    changed: Mapping[str, Json]
    """property → {"before", "after"}"""
    extended: Mapping[str, str | None]
    """The extended properties that the write carried, a client's marker among them: id → new value."""
    version_before: str | None
    version_after: str
    call: str
    """The request id of the HTTP call that did it; empty for people and for Exchange itself."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """One mail to one attendee. ``write`` is the number of the journal entry it is about."""

    at: str
    mailbox: str
    event: str
    attendee: str
    kind: Literal["request", "update", "cancellation"]
    mode: str
    subject: str
    about: tuple[str, ...]
    write: int


@dataclass(slots=True)
class Journal:
    """Keeps entries and invitations in memory and, if it has one, in a file."""

    file: Path | None = None
    entries: list[Entry] = field(default_factory=list)
    invitations: list[Invitation] = field(default_factory=list)
    on_entry: Callable[[Entry], None] = lambda entry: None
    """Called with each entry, in the thread of the write."""
    _lock: Lock = field(default_factory=Lock)

    def record(self, entry: Entry, invitations: tuple[Invitation, ...] = ()) -> None:
        """Append one write and its mails."""
        with self._lock:
            self.entries.append(entry)
            self.invitations.extend(invitations)
            if self.file is not None:
                line = {"entry": asdict(entry), "invitations": [asdict(letter) for letter in invitations]}
                with self.file.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.on_entry(entry)


def generation(entries: Sequence[Entry]) -> str:
    """A word that differs from world to world, so that a place in the journal from before a reset is too old."""
    return re.sub(r"\D", "", entries[0].at) if entries else "0"
