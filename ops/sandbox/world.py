"""Everything that one sandbox holds, and how it behaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ops.sandbox.callbacks import Catcher
from ops.sandbox.calls import Calls
from ops.sandbox.event import Event
from ops.sandbox.faults import Faults, run_later
from ops.sandbox.graph.notifier import Manner, Notifier
from ops.sandbox.journal import Entry, Journal
from ops.sandbox.store import Missing, Store
from ops.sandbox.tokens import Provider


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Lasting traits of the server, unlike faults, which happen to single calls."""

    preconditions: bool = True
    """False: If-Match and ChangeKeys are ignored, as by servers that do not know them."""
    graph_concurrency: int | None = 4
    """Graph's MailboxConcurrency; None: unlimited."""
    ews_concurrency: int | None = 27
    latency: float = 0.0
    """Seconds that every call takes at least."""
    touch_after: float | None = None
    """Seconds after a write at which Exchange moves the version by itself; None: never."""
    notify_copies: int = 1
    """How often each change notification is sent; 0: not at all."""
    notify_delay: float = 0.0
    """Seconds after which it is sent."""
    notify_spread: float = 0.0
    """At most so many seconds more, at random, so that notifications overtake one another."""
    subscription_life: float | None = None
    """Seconds that Graph grants a subscription at most; None: what its documentation says."""
    notify_spoil: str = ""
    """What is wrong with rich notifications: one of ``sealing.SPOILS``."""


@dataclass(frozen=True, slots=True)
class Account:
    """An EWS user. ``impersonates``: holds the ApplicationImpersonation role."""

    name: str
    password: str
    mailbox: str | None = None
    impersonates: bool = False


@dataclass(slots=True)
class World:
    """One sandbox. ``file``: where the journal is appended to."""

    file: Path | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)
    faults: Faults = field(default_factory=Faults)
    calls: Calls = field(default_factory=Calls)
    catcher: Catcher = field(default_factory=Catcher)
    provider: Provider = field(default_factory=Provider)
    accounts: dict[str, Account] = field(default_factory=dict)
    notifier: Notifier = field(default_factory=Notifier)
    journal: Journal = field(init=False)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal(self.file, on_entry=self._tell)
        self.store = Store(self.journal, self._after_write)

    def _after_write(self, event: Event) -> None:
        if self.behaviour.touch_after is not None:
            run_later(self.behaviour.touch_after, lambda: self._touch(event.id))

    def _tell(self, entry: Entry) -> None:
        as_asked = self.behaviour
        manner = Manner(as_asked.notify_copies, as_asked.notify_delay, as_asked.notify_spread, as_asked.notify_spoil)
        self.notifier.hear(entry, manner)

    def _touch(self, event_id: str) -> None:
        try:
            self.store.touch(event_id)
        except Missing:
            return
