"""What a mirror makes of a change: the update that the other event needs, or none.

Pure. A mirror's update is an ordinary one with all its promises. Two mirrors may keep two events equal both ways: what
one of them wrote is not sent back by the other, and where both events were changed at once the older mirror wins,
property by property, because the younger one's update touches only what stands as it was before. So both converge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from workers.changes.event_change import Change
from workers.changes.subscription import Mirror
from workers.exchange import Event
from workers.identifiers import new_id
from workers.properties import agrees
from workers.update import Intent, Json, Update

LIFE = timedelta(hours=24)


def update_for(
    mirror: Mirror, change: Change, event: Event, reverse: Mirror | None, now: datetime, *, whole: bool = False
) -> Update | None:
    """The update of the other event. ``whole``: a mirror of this event has just begun; the other is made equal whatever
    changed, by the older of two that mirror each other. ``reverse``: the mirror that keeps the same two events equal
    the other way."""
    younger = reverse is not None and reverse.id < mirror.id
    brought = _brought(change, reverse)
    names = mirror.properties if whole and not younger else _moved(mirror, change, event, brought)
    if not names:
        return None
    return Update(
        id=new_id("upd"),
        client=mirror.client,
        target=mirror.to,
        intent=Intent(
            set={name: _bare(name, event.properties.get(name)) for name in names},
            only_where=_common(change, names, brought) if younger else {},
        ),
        created_at=now,
        deadline=now + LIFE,
        conflict_resolution="alwaysOverwrite",
        callback_url=mirror.callback_url,
        metadata={"mirror": mirror.id},
    )


def key(mirror: Mirror, version: str, *, whole: bool = False) -> str:
    """The idempotency key: the same version of the source is mirrored once, and once as a whole."""
    return hashlib.sha256(f"mirror/{mirror.id}/{version}/{whole}".encode()).hexdigest()


def _brought(change: Change, reverse: Mirror | None) -> Mapping[str, Json]:
    """What the other direction wrote here since the event was last told."""
    back = [update.after for update in reversed(change.by) if reverse and update.mirror == reverse.id]
    return {name: value for after in back for name, value in after.items()}


def _moved(mirror: Mirror, change: Change, event: Event, brought: Mapping[str, Json]) -> tuple[str, ...]:
    """What changed and was not brought here by the other direction; and what it brought and somebody took back, which
    may look as if it never had been."""

    def moved(name: str) -> bool:
        if name in brought and name not in change.changed:
            return not agrees(name, event.properties.get(name), brought[name])
        return name in change.changed and not (name in brought and change.is_ours(name))

    return tuple(name for name in mirror.properties if moved(name))


def _common(change: Change, names: Collection[str], brought: Mapping[str, Json]) -> Mapping[str, Json]:
    """What the other event holds if nobody changed it meanwhile: what the two last had in common."""
    return {name: _bare(name, brought[name] if name in brought else change.changed[name]["before"]) for name in names}


def _bare(name: str, value: Json) -> Json:
    """Without what is true of one mailbox only: whether and when its attendees answered."""
    if name != "attendees" or not value:
        return value
    return [{"type": one.get("type") or "required", "emailAddress": one["emailAddress"]} for one in value]
