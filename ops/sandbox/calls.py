"""A record of every call received, and how many were in each mailbox at once."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

KEPT = 50_000
"""Calls that are remembered; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Received:
    """One call as it came in, and its answer. ``status`` 0: the connection was reset."""

    number: int
    at: str
    api: str
    operation: str
    mailbox: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Without Authorization."""
    body: str
    """Empty for token calls: they hold secrets."""
    status: int
    request_id: str


@dataclass(slots=True)
class Calls:
    """Thread-safe."""

    _received: deque[Received] = field(default_factory=lambda: deque(maxlen=KEPT))
    _inside: Counter[str] = field(default_factory=Counter)
    _most: Counter[str] = field(default_factory=Counter)
    _count: int = 0
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def inside(self, mailbox: str) -> Iterator[int]:
        """Count a call as inside a mailbox; yields how many are inside now, this one included."""
        key = mailbox.lower()
        with self._lock:
            self._inside[key] += 1
            now = self._inside[key]
            self._most[key] = max(self._most[key], now)
        try:
            yield now
        finally:
            with self._lock:
                self._inside[key] -= 1

    def number(self) -> int:
        """The next call's number."""
        with self._lock:
            self._count += 1
            return self._count

    def record(self, received: Received) -> None:
        """Keep a call."""
        self._received.append(received)

    def received(self, since: int = 0) -> list[Received]:
        """The calls after number ``since``, in the order in which they were answered."""
        return [call for call in list(self._received) if call.number > since]

    def most(self) -> dict[str, int]:
        """The most calls at once that each mailbox has seen."""
        return dict(self._most)
