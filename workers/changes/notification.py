"""A notification: an event may have changed. Data only.

What it says is no more than a hint, save that an event was deleted: it may be late, doubled, or about a write of ours.
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
"""The change of an event that is only looked at, so that later ones can be compared with it. Nobody is told."""
MIRRORED = "mirrored"
"""The change of an event that somebody has begun to mirror; its ``version`` is the mirror's id."""
FOUND = "found "
"""Before the version of what we found ourselves."""
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
        """The same, for the store. The same change of the same version is one, however often it is told to one life of
        the watch: one that began anew has everything to learn. Told without a version it may be another change every
        time: it is one with what waits to be looked at, and no more."""
        what = {FIRST_SIGHT: FIRST_SIGHT, MIRRORED: f"{MIRRORED} {self.version}"}.get(self.change, "event changed")
        # One that has to be proved never stands for another: it may turn out to be forged.
        seal = f", sealed {hashlib.sha256(self.proof.encode()).hexdigest()[:12]}" if self.proof else ""
        label = f"{watch.mailbox}, {what}{seal}"
        job, text = new_id("ntf"), self.to_json()
        same = f"{watch.secret} {text}" if self.version or self.change == FIRST_SIGHT else job
        return Heard(job, watch, self.event, text, label, same)

    def is_of(self, version: str) -> bool:
        """Whether it tells no more than that the event has this version. A deletion names the last one there was."""
        return self.change != "deleted" and self.version == version != ""

    @property
    def says_deleted(self) -> bool:
        """Whether Exchange says that the event was deleted; it may be read all the same, in Deleted Items. What we miss
        ourselves may only have gone elsewhere."""
        return self.change == "deleted" and not self.version.startswith(FOUND)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**known_fields(cls, json.loads(text)))
