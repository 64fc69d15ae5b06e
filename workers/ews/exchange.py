"""The seam of ``workers.exchange`` for Exchange Web Services: read an event, write a patch to it.

Not here: which item a target means (locate), calls (call), XML (soap and the operations), what answers mean (errors),
retries (nowhere in ews).
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

from workers.event.properties import TIMES
from workers.event.zones import to_windows
from workers.ews import get_item, get_server_time_zones, update_item
from workers.ews.call import Caller
from workers.ews.errors import malformed
from workers.ews.fields import START_ZONE, known
from workers.ews.get_item import EwsEvent
from workers.ews.locate import located
from workers.ews.server_zones import ServerZones
from workers.ews.soap import NotAnAnswer
from workers.exchange import Event, ExchangeError, Patch, Refused, Written
from workers.update import Json, Target


class EwsExchange:
    """One EWS endpoint, as ``workers.exchange.Exchange``. Shared by threads."""

    def __init__(self, caller: Caller):
        self._caller = caller
        self._zones = ServerZones()

    def read(self, target: Target, properties: Collection[str]) -> Event:
        """The event with these properties (start and end only together), its ChangeKey and its marker."""
        get_item.check(properties)
        return self._read(located(self._caller, target), properties)

    def write(self, target: Target, event: Event, patch: Patch) -> Written:
        """Apply the patch if the ChangeKey is still that of ``event``, then read back what was changed. The version is
        that of our write; the event read back may be a later one."""
        if target.occurrence is not None and "recurrence" in patch.changes:
            raise update_item.no_recurrence()
        request = update_item.build(event, patch, self._caller.version)
        self._check_zones(target, event, patch)
        reply, answer = self._caller.call(update_item.NAME, request, target, "write", _zone(event, patch))
        item_id, version, doubt = event.id, "", ""
        try:
            item_id, version = update_item.read(answer)
        except NotAnAnswer as error:
            doubt = str(error)
        seen = self._read_back(target, item_id, _touched(event, patch))
        if seen is None and doubt:
            raise malformed(reply, "write", doubt)
        return Written(version or (seen.version if seen is not None else ""), seen, reply.request_id)

    def _read(self, target: Target, properties: Collection[str]) -> Event:
        request = get_item.build(target, properties, self._caller.version)
        return self._caller.ask(get_item.NAME, request, target, lambda answer: get_item.read(answer, properties))

    def _read_back(self, target: Target, item_id: str, properties: Collection[str]) -> Event | None:
        """The event as it stands after an applied write. The write counts even if the event cannot be read now."""
        with suppress(ExchangeError):
            return self._read(replace(target, event=item_id, occurrence=None), properties)
        return None

    def _check_zones(self, target: Target, event: Event, patch: Patch) -> None:
        """Raise Refused for a zone that the server does not know. If the server does not tell, the write will show
        it."""
        asked = _new_zones(event, patch) if known(START_ZONE, self._caller.version) else {}
        lacking = self._lacking(target, asked.values())
        for name, zone in asked.items():
            if zone in lacking:
                said = f"{name}.timeZone: the mailbox's server knows no time zone named {zone!r}"
                raise Refused("TimeZoneNotSupported", said)

    def _lacking(self, target: Target, zones: Collection[str]) -> frozenset[str]:
        """Those of ``zones`` that the server does not know; none where it does not say."""

        def ask(unknown: Collection[str]) -> frozenset[str]:
            request = get_server_time_zones.build(unknown)
            return self._caller.ask(get_server_time_zones.NAME, request, target, get_server_time_zones.read)

        with suppress(ExchangeError):
            return self._zones.lacking(zones, ask)
        return frozenset()


def _touched(event: Event, patch: Patch) -> Collection[str]:
    """What a write may change: the recurrence of a series goes along with its start."""
    goes_along = isinstance(event, EwsEvent) and event.series and "start" in patch.changes
    return {*patch.changes, "recurrence"} if goes_along else patch.changes


def _new_zones(event: Event, patch: Patch) -> dict[str, str]:
    """Start or end → the Windows name of the zone that it is to be kept in, if that is not its own by now."""
    return {
        name: zone
        for name in TIMES
        if name in patch.changes
        and (zone := _windows(patch.changes[name])) is not None
        and zone != _windows(event.properties.get(name))
    }


def _windows(time: Json) -> str | None:
    return to_windows(time["timeZone"]) if time else None


def _zone(event: Event, patch: Patch) -> str:
    """The zone for times that have none, such as the days of a series: that of the event's start, if it is known."""
    return _windows(patch.changes.get("start") or event.properties.get("start")) or "UTC"
