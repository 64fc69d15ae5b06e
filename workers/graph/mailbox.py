"""What Graph tells about a mailbox as a whole, remembered for a day: its events' ids in Graph's form, its time zones.

Both are asked only when a caller's update needs them, and an update does not fail because they cannot be had.
"""

from __future__ import annotations

from dataclasses import replace

from workers.event.item_ids import is_ews_spelling
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
        if not is_ews_spelling(target.event):
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
        if known is None and target.group is None:  # a group has no such list
            path = supported_time_zones.path(target)
            try:
                known = supported_time_zones.answer(self._connection.call("read", target, "GET", path).body)
            except ExchangeError:
                return None
            if known is not None:
                self._zones.put(target.owner, known)
        return known

    def _translation(self, target: Target) -> tuple[str, bool]:
        """The id, and whether it is worth remembering: an answer that may be different tomorrow is not."""
        by_rule = exchange_ids.respelled(target.event)
        if target.group is not None:  # a group's ids cannot be translated
            return by_rule, True
        path, question = exchange_ids.path(target), exchange_ids.question(target.event, "restId")
        try:
            answer = self._connection.call("read", target, "POST", path, content=question)
        except (Throttled, Unavailable):
            return by_rule, False
        except ExchangeError:
            return by_rule, True
        return exchange_ids.answer(answer.body) or by_rule, True
