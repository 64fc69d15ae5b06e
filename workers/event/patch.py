"""What to write: an intent and the event as it stands → the smallest set of changes, nothing, or a conflict.

Pure. It asks in this order: does what the caller expects hold; has somebody else changed the event since we first
looked, and does that matter in this mode; what should the event look like; what of that is not so already?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from workers.event.agreement import agrees
from workers.event.duration import parse_duration, shifted
from workers.event.html_body import inserted
from workers.event.properties import (
    EXTENSION,
    NOT_KNOWN,
    OWN_ZONE,
    PROPERTIES,
    TIMES,
    asks_for_no_zone,
    group_of,
    members,
    writable_on,
)
from workers.event.series import moved
from workers.event.zones import instant, to_windows, wall_clock
from workers.job import Clash
from workers.update import BackendKind, ConflictResolution, Intent, Json

Properties: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs: property → its whole new value, None where it is to be unset. Empty: nothing to do."""

    values: Properties


@dataclass(frozen=True, slots=True)
class Conflict:
    clashes: tuple[Clash, ...]


def properties_needed(intent: Intent, conflict_resolution: ConflictResolution, kind: BackendKind) -> frozenset[str]:
    """What must be read before anything can be decided: whole groups, as far as a backend of this ``kind`` has them,
    and always attendees and recurrence, which tell how many people would be mailed."""
    needed = {*intent.touched, *intent.expect, "attendees", "recurrence"}
    if conflict_resolution == "neverOverwrite":
        needed |= {name for name in PROPERTIES if writable_on(kind, name)}
    partners = {partner for name in needed for partner in group_of(name) - needed}
    return frozenset(needed | {name for name in partners if writable_on(kind, name)})


def plan(
    intent: Intent, now: Properties, base: Properties | None, conflict_resolution: ConflictResolution
) -> Changes | Conflict:
    """``now``: the event as just read. ``base``: as it stood when we first read it; None if this is the first time."""
    ours = _in_its_zone(desired(intent, now), now)
    clashes = [
        Clash(name, value, now.get(name), ours.get(name, value))
        for name, value in intent.expect.items()
        if not agrees(name, now.get(name), value)
    ]
    if base is not None:
        wanted = desired(intent, base)
        if all(agrees(name, now.get(name), wanted[name]) for name in wanted):
            return Changes({})
        clashes += _clashes(intent, base, now, wanted, conflict_resolution)
    if clashes:
        return Conflict(tuple(clashes))
    return Changes(_complete({name: ours[name] for name in ours if not agrees(name, now.get(name), ours[name])}, now))


def desired(intent: Intent, stands: Properties) -> dict[str, Json]:
    """The touched properties as they should be, given how they stand. If one of a group must not be touched
    (``only_where``), the whole group is left as it is."""
    wanted = _desired(intent, stands)
    taken = {
        name
        for name, value in intent.only_where.items()
        if not any(agrees(name, stands.get(name), one) for one in (value, *intent.or_where.get(name, ())))
    }
    return {name: value for name, value in wanted.items() if not group_of(name) & taken} if taken else wanted


def _desired(intent: Intent, stands: Properties) -> dict[str, Json]:
    wanted: dict[str, Json] = dict(intent.set)
    for name, addition in intent.append.items():
        wanted[name] = _appended(name, stands.get(name), addition)
    for name, gone in intent.remove.items():
        wanted[name] = _removed(name, wanted.get(name, stands.get(name)), gone)
    for name, duration in intent.shift.items():
        wanted[name] = _shifted(name, stands.get(name), duration)
    if "start" in intent.shift and "recurrence" not in wanted:
        wanted |= _along(stands, wanted["start"])
    return wanted


def _shifted(name: str, stands: Json, duration: str) -> Json:
    """The time that stands, moved. Raises ValueError where nobody can say which moment that is: in a zone that is not
    known, whose clocks may change, the same time on another day."""
    if stands is None:
        raise ValueError(f"{name}: the event has none that could be moved")
    if OWN_ZONE in stands and parse_duration(duration).calendar:
        raise ValueError(f"{name}: {NOT_KNOWN}, or shift by hours")
    return {**stands, "dateTime": shifted(stands["dateTime"], stands["timeZone"], duration)}


def _along(stands: Properties, start: Json) -> dict[str, Json]:
    """The recurrence of a series that is shifted to another day. Left out if the days of the series are not known,
    because its zone has no name: then the backend has to judge."""
    series, (was, day) = stands.get("recurrence"), (time["dateTime"][:10] for time in (stands["start"], start))
    if not series or was == day or OWN_ZONE in start:
        return {}
    return {"recurrence": moved(series, was, day, shifted=True)}


def _clashes(
    intent: Intent, base: Properties, now: Properties, wanted: Properties, conflict_resolution: ConflictResolution
) -> list[Clash]:
    if conflict_resolution == "alwaysOverwrite":
        return []
    touched = {name for name in base if name in now and not _same(name, now[name], base[name])}
    if conflict_resolution == "neverOverwrite":
        theirs = sorted(name for name in touched if not _may_be_ours(name, now, wanted))
        return [Clash(name, base[name], now[name], wanted.get(name)) for name in theirs]
    additive = {*intent.append, *intent.remove} - {*intent.set}
    contested = {name for name in wanted.keys() - additive if not agrees(name, now.get(name), wanted[name])}
    theirs = sorted(name for name in touched if group_of(name) & contested)
    return [Clash(name, base[name], now[name], wanted.get(name, base[name])) for name in theirs]


def _may_be_ours(name: str, now: Properties, wanted: Properties) -> bool:
    """Whether an earlier attempt of ours may have changed it: an extension is written by a call of its own, before the
    rest of the update, which may then be refused."""
    return name.startswith(EXTENSION) and name in wanted and agrees(name, now[name], wanted[name])


def _same(name: str, one: Json, other: Json) -> bool:
    """Compared both ways, because ``agrees`` overlooks what only the first one has, and a detail that somebody added is
    a change."""
    return agrees(name, one, other) and agrees(name, other, one)


def _appended(name: str, stands: Json, addition: Json) -> Json:
    """Text is added as it is, in the format of what stands: to an HTML body as HTML, inside its document. A body that
    was never written is HTML: so Exchange has it."""
    if name == "subject":
        return f"{stands or ''}{addition}"
    if name == "body":
        body = stands or {"contentType": "html", "content": ""}
        content = body.get("content") or ""
        is_html = body.get("contentType") == "html"
        return {**body, "content": inserted(content, addition) if is_html else f"{content}{addition}"}
    present = members(name, stands)
    return [*(stands or []), *(value for key, value in members(name, addition).items() if key not in present)]


def _removed(name: str, stands: Json, gone: Json) -> Json:
    keys = {str(key).strip().lower() for key in gone}
    return [value for value in stands or [] if not keys & {key.strip() for key in members(name, [value])}]


def _in_its_zone(ours: dict[str, Json], now: Properties) -> dict[str, Json]:
    """What is wanted, with times in UTC turned into the zone in which the event is kept: they ask for no zone, and a
    series that is kept in UTC is an hour off when the clocks change.

    Whole days are not turned, because they are dates and no moments; nor is anything if a series is asked for that
    could not begin on the day there, because its days are meant in UTC.
    """
    if ours.get("isAllDay", now.get("isAllDay")):
        return ours
    there = {**ours, **{name: _by_the_clock(ours[name], now.get(name)) for name in TIMES if ours.get(name)}}
    return there if _can_begin(there.get("recurrence"), there.get("start")) else ours


def _by_the_clock(asked: Json, stands: Json) -> Json:
    """A time in UTC as the clock shows it in the zone of the time that stands; unchanged if that zone is not known."""
    zone = (stands or {}).get("timeZone")
    if not zone or not asks_for_no_zone(asked) or to_windows(zone) is None:
        return asked
    try:
        return {**stands, "dateTime": wall_clock(instant(asked["dateTime"], asked["timeZone"]), zone)}
    except OverflowError:  # beyond the year 9999 there
        return asked


def _can_begin(recurrence: Json, start: Json) -> bool:
    """Whether a series can begin at this start, by the day and the zone that it names. False if that zone, or the day
    there, is not known."""
    span = (recurrence or {}).get("range")
    if not span or not start:
        return True
    if OWN_ZONE in start:
        return False
    zone = span.get("recurrenceTimeZone") or start["timeZone"]
    return span.get("startDate") in (None, start["dateTime"][:10]) and to_windows(zone) == to_windows(start["timeZone"])


def _complete(changes: dict[str, Json], now: Properties) -> dict[str, Json]:
    """The changes, completed: start and end always go together, and attendees who stay keep what Exchange knows of
    them."""
    if any(name in changes for name in TIMES):
        changes = {**{name: now[name] for name in TIMES if name in now}, **changes}
    if changes.get("attendees"):
        known = members("attendees", now.get("attendees"))
        changes["attendees"] = [
            _joined(known.get(key, {}), value)
            for attendee in changes["attendees"]
            for key, value in members("attendees", [attendee]).items()
        ]
    return changes


def _joined(known: Json, attendee: Json) -> Json:
    """Keeps the attendee's name, too: a caller who gives only the address does not mean to remove the name."""
    address = {**(known.get("emailAddress") or {}), **(attendee.get("emailAddress") or {})}
    return {**known, **attendee, "emailAddress": address}
