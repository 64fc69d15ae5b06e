"""What Graph tells about a mailbox as a whole, remembered for a day: its events' ids in Graph's form, its time zones.

Both are asked only when a caller's update needs them, and an update does not fail because they cannot be had.
"""

from __future__ import annotations

from dataclasses import replace

from workers.exchange import ExchangeError, Throttled, Unavailable
from workers.exchange.memory import Memory
from workers.graph import exchange_ids, supported_time_zones
from workers.graph.connection import Connection
from workers.update import Target


class Mailboxes:
    """Shared by threads."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self._ids: Memory[tuple[str, str], str] = Memory(10_000)
        self._zones: Memory[str, frozenset[str]] = Memory(1_000)

    def translated(self, target: Target) -> Target:
        """The target with its event's id as Graph writes it. See exchange_ids."""
        if not exchange_ids.is_ews(target.event):
            return target
        key = (target.owner, target.event)
        known = self._ids.get(key)
        if known is None:
            known, lasting = self._translation(target)
            if lasting:
                self._ids.put(key, known)
        return replace(target, event=known)

    def zones(self, target: Target) -> frozenset[str] | None:
        """The time zones that the mailbox's server knows, None if that cannot be found out. See
        supported_time_zones."""
        known = self._zones.get(target.owner)
        path = supported_time_zones.path(target)
        if known is None and path is not None:
            try:
                known = supported_time_zones.answer(self._connection.call("read", target, "GET", path).body)
            except ExchangeError:
                return None
            if known is not None:
                self._zones.put(target.owner, known)
        return known

    def _translation(self, target: Target) -> tuple[str, bool]:
        """The id, and whether it is worth remembering: an answer that may be different tomorrow is not."""
        by_rule, path = exchange_ids.respelled(target.event), exchange_ids.path(target)
        if path is None:
            return by_rule, True
        try:
            answer = self._connection.call("read", target, "POST", path, content=exchange_ids.question(target.event))
        except (Throttled, Unavailable):
            return by_rule, False
        except ExchangeError:
            return by_rule, True
        return exchange_ids.answer(answer.body) or by_rule, True
