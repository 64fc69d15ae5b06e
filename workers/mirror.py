"""What a mirror makes of a change: the update that the other event needs, or none.

Pure. A mirror's update is an ordinary one with all its promises. Two mirrors may keep two events equal both ways: what
one of them wrote is not sent back by the other, and where both events were changed at once the older mirror wins,
because the younger one's update expects what stood there before. So both converge, and what lost is a dead letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from workers.event_change import Change
from workers.exchange import Event
from workers.identifiers import new_id
from workers.subscription import Mirror
from workers.update import Intent, Json, Update

LIFE = timedelta(hours=24)


def update_for(
    mirror: Mirror, change: Change | None, event: Event, reverse: Mirror | None, now: datetime
) -> Update | None:
    """The update of the other event. ``change`` None: make it equal, whatever changed (of
    two that mirror each other, as the older one has it). ``reverse``: the mirror that
    keeps the same two events equal the other way."""
    younger = reverse is not None and reverse.id < mirror.id
    names = _moved(mirror, change, reverse) if change is not None else () if younger else mirror.properties
    if not names:
        return None
    return Update(
        id=new_id("upd"),
        client=mirror.client,
        target=mirror.to,
        intent=Intent(
            set={name: _bare(name, event.properties.get(name)) for name in names},
            expect=_expected(change, names) if change is not None and younger else {},
        ),
        created_at=now,
        deadline=now + LIFE,
        conflict_resolution="alwaysOverwrite",
        callback_url=mirror.callback_url,
        metadata={"mirror": mirror.id},
    )


def key(mirror: Mirror, version: str) -> str:
    """The idempotency key: the same version of the source is mirrored once."""
    return hashlib.sha256(f"mirror/{mirror.id}/{version}".encode()).hexdigest()


def _moved(mirror: Mirror, change: Change, reverse: Mirror | None) -> tuple[str, ...]:
    """What changed and was not brought here by the other direction."""
    back = {name for update in change.by if reverse and update.mirror == reverse.id for name in update.after}
    return tuple(
        name for name in mirror.properties if name in change.changed and not (name in back and change.is_ours(name))
    )


def _expected(change: Change, names: Collection[str]) -> Mapping[str, Json]:
    """What the other event holds if nobody changed it meanwhile: what the two last had in common."""
    common = {name: change.ours.get(name, change.changed[name]["before"]) for name in names}
    return {name: _bare(name, value) for name, value in common.items()}


def _bare(name: str, value: Json) -> Json:
    """Without what is true of one mailbox only: whether and when its attendees answered."""
    if name != "attendees" or not value:
        return value
    return [{"type": one.get("type") or "required", "emailAddress": one["emailAddress"]} for one in value]
