"""What a mirror makes of a change: the update that the other event needs, or none.

Pure. A mirror's update is an ordinary update with all its promises.

Mirrors may lead in circles. Therefore each value remembers the events that it came through and is not written to any of
them again: so every change comes to an end. And the youngest mirror of a circle yields to the older ones, first when it
begins and later by changing only what stands as it was before. So two events that are mirrored both ways become equal
even if both were changed at once.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workers.changes.event_change import Change
from workers.changes.subscription import Mirror
from workers.event.agreement import agrees
from workers.event.properties import group_of, property_of
from workers.exchange import Event
from workers.identifiers import new_id
from workers.update import Intent, Json, Target, Update

LIFE = timedelta(hours=24)
_VALUES_KEPT = 7
"""While updates have not arrived, the other event may hold any of several older values: so many of them are kept, the
oldest."""

_NOTHING: Mapping[str, Json] = {}


@dataclass(frozen=True, slots=True)
class Way:
    """From where to where a mirror leads. Each event is known by its marks, one for every spelling of its id.
    ``yields``: the properties that the older mirrors of its circle bring back, or may bring back."""

    source: frozenset[str]
    to: frozenset[str]
    yields: frozenset[str] = frozenset()


def way(mirror: Mirror, source: str, to: str, elders: Sequence[Mirror | None] | None = ()) -> Way:
    """``source``, ``to``: the events' ids as notifications spell them. ``elders``: the older mirrors that bring back
    what this one writes (see ``circle``), with None for one that has ended, which ends the circle; None instead of a
    sequence while they are not known."""
    return Way(
        frozenset({_mark(mirror.source), _mark(replace(mirror.source, event=source))}),
        frozenset({_mark(mirror.to), _mark(replace(mirror.to, event=to))}),
        frozenset(mirror.properties) if elders is None else _yields(mirror, elders),
    )


def _yields(mirror: Mirror, elders: Sequence[Mirror | None]) -> frozenset[str]:
    """The properties that every one of the elders carries on, so that they come back to the source."""
    there = [elder.properties for elder in elders if elder is not None]
    whole = bool(there) and len(there) == len(elders)
    return frozenset(mirror.properties).intersection(*there) if whole else frozenset()


def circle(
    mirror: Mirror, source: Target, to: Target, onward: Callable[[Target], Iterable[tuple[Mirror, Target]]]
) -> tuple[str, ...]:
    """The older mirrors that, one after the other, bring back to the source what this one writes; empty if nothing
    comes back. ``onward``: the mirrors that lead on from an event, and where to. All ids as notifications spell
    them."""
    ways: deque[tuple[tuple[str, ...], Target, frozenset[str]]] = deque([((), to, frozenset(mirror.properties))])
    met = set[str]()
    while ways:
        passed, at, names = ways.popleft()
        if at.line == source.line:
            return passed
        if at.line in met:
            continue
        met.add(at.line)
        for one, there in onward(at):
            if one.id < mirror.id and (left := names.intersection(one.properties)):
                ways.append(((*passed, one.id), there, left))
    return ()


def update_for(
    mirror: Mirror,
    way: Way,
    change: Change,
    event: Event,
    now: datetime,
    *,
    whole: bool = False,
    waiting: Mapping[str, Intent] = _NOTHING,
    lost: Mapping[str, Json] = _NOTHING,
) -> Update | None:
    """The update of the other event. ``whole``: the mirror has just begun, so the other event is made equal whatever
    has changed, except for what the older mirrors of its circle make equal. ``waiting``: property → what the mirror
    last asked for, where that has not arrived and perhaps never will. ``lost``: property → what the other event holds
    and should have been brought here, but never will be."""
    brought = _brought(change, way)
    names = [
        name
        for name in mirror.properties
        if _can_stand(name, event) and ((whole and name not in way.yields) or _moved(name, way, change, event, brought))
    ]
    if not names:
        return None
    only_where = _common(change, way.yields.intersection(names), brought)
    return Update(
        id=new_id("upd"),
        client=mirror.client,
        target=mirror.to,
        intent=Intent(
            set={name: _bare(name, event.properties.get(name)) for name in names},
            only_where=only_where,
            or_where={name: more for name in only_where if (more := _unchanged_too(name, brought, waiting, lost))},
        ),
        created_at=now,
        deadline=now + LIFE,
        conflict_resolution="alwaysOverwrite",
        callback_url=mirror.callback_url,
        metadata={"mirror": mirror.id},
        through={name: sorted({*_through(name, change, event), *way.source}) for name in names},
    )


def key(mirror: Mirror, version: str, *, whole: bool = False) -> str:
    """The idempotency key: each version of the source is mirrored once, and once more where it is mirrored as a
    whole."""
    return hashlib.sha256(f"mirror/{mirror.id}/{version}/{whole}".encode()).hexdigest()


def _mark(event: Target) -> str:
    """Stands for the event. Short, because an update carries many."""
    return hashlib.sha256(event.line.encode()).hexdigest()[:16]


def _through(name: str, change: Change, event: Event) -> frozenset[str]:
    """The events through which the value came to this one. Empty where it was set here, by somebody else or by an
    update that no mirror asked for."""
    group = group_of(name)
    last = next((update for update in change.by if group & update.after.keys()), None)
    if last is None:
        return frozenset()
    written = {name} & last.after.keys() or group & last.after.keys()
    stands = all(agrees(one, event.properties[one], last.after[one]) for one in written & event.properties.keys())
    return frozenset(mark for one in written for mark in last.through.get(one, ())) if stands else frozenset()


def _brought(change: Change, way: Way) -> Mapping[str, Json]:
    """What came here from the other event since the event was last told."""
    return {
        name: value
        for update in reversed(change.by)
        for name, value in update.after.items()
        if way.to.intersection(update.through.get(name, ()))
    }


def _can_stand(name: str, event: Event) -> bool:
    """Whether the value can be written: a property that no event can lack is sometimes not told, and then not known."""
    return event.properties.get(name) is not None or property_of(name).clearable


def _moved(name: str, way: Way, change: Change, event: Event, brought: Mapping[str, Json]) -> bool:
    """Whether the other event has to get the value. It does if the property changed, or if the other event's value came
    here and was taken back, which may look like no change at all. It does not if the value has been in the other event,
    or has come this way, before."""
    if (way.source | way.to) & _through(name, change, event):
        return False
    if name in change.changed:
        return True
    return name in brought and not agrees(name, event.properties.get(name), brought[name])


def _common(change: Change, names: Collection[str], brought: Mapping[str, Json]) -> Mapping[str, Json]:
    """The values that the two events last had in common: the other one still holds them if nobody has changed it and
    our updates of it have arrived."""
    return {name: _bare(name, brought[name] if name in brought else change.changed[name]["before"]) for name in names}


def _unchanged_too(
    name: str, brought: Mapping[str, Json], waiting: Mapping[str, Intent], lost: Mapping[str, Json]
) -> Sequence[Json]:
    """The other values that the other event may hold although nobody has changed it since. One is ``lost`` on its way
    here. The others are there as long as our last update is ``waiting``; but if something came from there meanwhile, we
    know better."""
    older = _replaceable(name, waiting[name]) if name in waiting and name not in brought else []
    return [*older, *([lost[name]] if name in lost else [])]


def _replaceable(name: str, asked: Intent) -> Sequence[Json]:
    """The values that an update may replace: until it arrives, the other event holds one of them."""
    first = [asked.only_where[name]] if name in asked.only_where else []
    return [*first, *asked.or_where.get(name, ())][-_VALUES_KEPT:]


def _bare(name: str, value: Json) -> Json:
    """The value without what is true in one mailbox, or on one backend, only: of attendees whether and when they
    answered, and how an address is routed."""
    if name != "attendees" or not value:
        return value
    return [{"type": one.get("type") or "required", "emailAddress": _address(one["emailAddress"])} for one in value]


def _address(email: Json) -> Json:
    return {part: email[part] for part in ("address", "name") if part in email}
