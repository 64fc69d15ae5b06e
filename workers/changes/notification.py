"""A notification: an event may have changed. Data only.

It is only a hint, unless it says that the event was deleted: it may be late, doubled, or about a write of ours.
Not here: taking notifications in (webhooks/watching/notifications), what is done about one (telling).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal, Self

from workers.changes.watch import Watch
from workers.identifiers import new_id
from workers.store import Heard
from workers.update import known_fields

FIRST_SIGHT = "firstSight"
"""The ``change`` of an event that is only read, so that later changes can be found. Nobody is told."""
MIRRORED = "mirrored"
"""The ``change`` of an event that somebody has begun to mirror; its ``version`` is the mirror's id."""
FOUND = "found "
"""Stands before the version where we found the change ourselves."""
Doubt = Literal[
    "token", "size", "key", "signature", "audience", "issuer", "application", "expired", "content", "certificate",
    "event",
]  # fmt: skip
"""Why a notification that Graph sealed is not believed (workers/graph/rich_notification)."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notification job holds. ``change``: Graph's ``changeType``, or one of ours; ``version``: the event's, if
    it was told. ``proof``: what vouches for it, where Graph has to seal what it tells (workers/graph/proof); None for
    what we found ourselves."""

    watch: str
    event: str
    change: str
    version: str
    proof: str | None = None

    def heard(self, watch: Watch) -> Heard:
        """The notification as the store takes it in.

        However often the same change of the same version is told, it is one job, as long as the watch lives: a new
        watch has everything to learn. A change without a version may be another one every time, so it is the same only
        as one that still waits.
        """
        what = {FIRST_SIGHT: FIRST_SIGHT, MIRRORED: f"{MIRRORED} {self.version}"}.get(self.change, "event changed")
        # A notification that has to be proved never stands for another one: it may turn out to be forged.
        seal = f", sealed {hashlib.sha256(self.proof.encode()).hexdigest()[:12]}" if self.proof else ""
        label = f"{watch.mailbox}, {what}{seal}"
        job, text = new_id("ntf"), self.to_json()
        same = f"{watch.secret} {text}" if self.version or self.change == FIRST_SIGHT else job
        return Heard(job, watch, self.event, text, label, same)

    def is_of(self, version: str) -> bool:
        """Whether it only says that the event has this version. A deletion does not: it names the last version."""
        return self.change != "deleted" and self.version == version != ""

    @property
    def says_deleted(self) -> bool:
        """Whether Exchange says that the event was deleted, even if it can still be read in Deleted Items. An event
        that we only miss ourselves may have been moved elsewhere."""
        return self.change == "deleted" and not self.version.startswith(FOUND)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**known_fields(cls, json.loads(text)))
