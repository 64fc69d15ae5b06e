"""A look at one event that may have changed: what is known before it is decided what to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workers.changes.event_change import Snapshot
from workers.changes.notification import MIRRORED, Notification
from workers.changes.subscription import Mirror, Watcher
from workers.changes.watch import Watch
from workers.store import Grant


@dataclass(frozen=True, slots=True)
class Look:
    """A look at an event: for which job, who wants to know, and what the event was like when it was last told."""

    grant: Grant
    watch: Watch
    notification: Notification
    watchers: Sequence[Watcher]
    before: Snapshot | None

    @property
    def untold(self) -> bool:
        """Whether subscriptions have yet to hear that the event was created: so far only a mirror has met it."""
        return self.before is not None and not self.before.told and self.notification.change == "created"

    @property
    def only_mirrored(self) -> bool:
        """Whether the event is met for no other reason than that a mirror of it has begun."""
        return self.before is None and self.begun is not None

    @property
    def begun(self) -> str | None:
        """The id of the mirror that has just begun, if this look is its first."""
        return self.notification.version if self.notification.change == MIRRORED else None

    @property
    def mirrors(self) -> tuple[Mirror, ...]:
        """The mirrors of this event."""
        spelled, event = self.watch.spelled, self.notification.event
        return tuple(
            one
            for one in self.watchers
            if isinstance(one, Mirror) and (one.id == self.begun or event in (one.source.event, spelled.get(one.id)))
        )
