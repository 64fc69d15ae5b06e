"""The time zones that a mailbox's server knows: supportedTimeZones.

https://learn.microsoft.com/graph/api/outlookuser-supportedtimezones. A zone that the server does not know is refused
before anything is written. Not here: HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from workers.event.properties import TIMES
from workers.exchange import Refused
from workers.graph.paths import owner_path
from workers.graph.times import zone_of
from workers.update import Json, Target


def path(target: Target) -> str:
    """Where to ask. Not for a group, which has no such list."""
    return f"{owner_path(target)}/outlook/supportedTimeZones"


def answer(body: bytes) -> frozenset[str] | None:
    """The zones' Windows names in lower case; None if the answer holds none."""
    try:
        names = frozenset(str(zone["alias"]).lower() for zone in json.loads(body)["value"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return names or None


def new_zones(stands: Mapping[str, Json], changes: Mapping[str, Json]) -> dict[str, str]:
    """``start`` and ``end`` → the zone that a write would move them into, by its Windows name where it has one."""
    written = {name: zone_of(changes[name]) for name in TIMES if changes.get(name)}
    return {name: zone for name, zone in written.items() if zone not in ("UTC", zone_of(stands.get(name)))}


def check(zones: Mapping[str, str], known: frozenset[str] | None) -> None:
    """Raise Refused, naming the property and the zone, for one that is not known. ``known`` None: nobody could tell."""
    for name, zone in zones.items():
        if known is not None and zone.lower() not in known:
            raise Refused(
                "TimeZoneNotSupported", f"{name}.timeZone: the mailbox's server knows no time zone named {zone!r}."
            )
