"""Whole days are dates: which midnights mean the same day, whichever zone each is told in. Pure.

Graph tells the midnights of an all-day event, and their zones, in the zone that the request preferred, so these zones
say nothing. In EWS such an event lasts from midnight to midnight in its own zone, which can be changed; but UTC, which
asks for no zone, is how Graph told the day that a caller or a mirror brings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time

from workers.event.agreement import agrees
from workers.event.properties import NOT_KNOWN, OWN_ZONE, TIMES, asks_for_no_zone
from workers.event.zones import to_windows
from workers.update import BackendKind, Intent, Json


def by_date(intent: Intent, stands: Mapping[str, Json], kind: BackendKind) -> Intent:
    """The intent, its whole days told in the zone in which the event stands on a backend of this ``kind``."""
    if not stands.get("isAllDay"):
        begins = kind == "ews" and intent.set.get("isAllDay")
        return replace(intent, set=_to_set(intent.set, _as_a_day(stands), kind)) if begins else intent
    return replace(
        intent,
        set=_to_set(intent.set, stands, kind),
        expect=in_zone_of(intent.expect, stands, kind),
        only_where=in_zone_of(intent.only_where, stands, kind),
        or_where={
            name: [in_zone_of({name: one}, stands, kind)[name] for one in values]
            for name, values in intent.or_where.items()
        },
    )


def in_zone_of(values: Mapping[str, Json], stands: Mapping[str, Json], kind: BackendKind) -> Mapping[str, Json]:
    """The values, their whole days told in the zone in which the event stands, if it lasts whole days."""
    if not stands.get("isAllDay"):
        return values
    days = {name: _day(values[name], stands.get(name), kind) for name in TIMES if name in values}
    if kind == "ews" and values.get("recurrence"):
        days["recurrence"] = _of_days(values["recurrence"])
    return {**values, **days}


def check(changes: Mapping[str, Json], stands: Mapping[str, Json]) -> None:
    """Raises ValueError where a whole day would begin or end within a day. Graph refuses that; EWS makes longer days of
    it, and mails them. In a zone that is not known nobody can tell, so there the change has to name one. What stands
    like that is no business of ours."""
    if not changes.get("isAllDay", stands.get("isAllDay")):
        return
    for name in TIMES:
        was, value = stands.get(name) or {}, changes.get(name)
        if not value or agrees(name, stands.get(name), value):
            continue
        if OWN_ZONE in was and (OWN_ZONE in value or asks_for_no_zone(value)):
            raise ValueError(f"{name}: {NOT_KNOWN}")
        stood_whole = OWN_ZONE in was or _is_midnight(was) or not stands.get("isAllDay")
        if stood_whole and not _is_midnight(value):
            raise ValueError(f"{name}: an all-day event starts and ends at midnight")


def _to_set(asked: Mapping[str, Json], stands: Mapping[str, Json], kind: BackendKind) -> Mapping[str, Json]:
    """What is to be set, its whole days told in the zone in which the event stands. It is left as asked if the event
    is to last hours from then on; or if it moves to other days and both are told in a zone with a name, in which Graph
    then keeps them."""
    days = in_zone_of(asked, stands, kind)
    given = [name for name in TIMES if asked.get(name)]
    stay = all(agrees(name, stands.get(name), days[name]) for name in given)
    named = len(given) == len(TIMES) and not any(asks_for_no_zone(asked[name]) for name in given)
    return asked if not asked.get("isAllDay", True) or (named and not stay) else days


def _as_a_day(stands: Mapping[str, Json]) -> Mapping[str, Json]:
    """An event of some hours as if it lasted a day in its zone; as it is where that is not known."""
    start = stands.get("start")
    if not start or OWN_ZONE in start:
        return stands
    day = {"dateTime": f"{start['dateTime'][:10]}T00:00:00", "timeZone": start["timeZone"]}
    return {**stands, "isAllDay": True, "start": day, "end": day}


def _of_days(recurrence: Json) -> Json:
    """A recurrence whose days are in UTC as one that asks for no zone: the series is kept in that of its start."""
    span = recurrence.get("range") or {}
    if to_windows(span.get("recurrenceTimeZone") or "") != "UTC":
        return recurrence
    return {**recurrence, "range": {name: told for name, told in span.items() if name != "recurrenceTimeZone"}}


def _day(asked: Json, stands: Json, kind: BackendKind) -> Json:
    if not _is_midnight(asked) or not _is_midnight(stands):
        return asked
    return {**stands, "dateTime": asked["dateTime"]} if kind == "graph" or asks_for_no_zone(asked) else asked


def _is_midnight(value: Json) -> bool:
    if not value:
        return False
    wall = datetime.fromisoformat(value["dateTime"])
    return wall.time() == time.min and wall.tzinfo is None
