"""How often a client may ask: for so many updates, and ten times as many reads, so that a client that has sent too many
updates can still see what became of them.

Counted in the store in fixed windows by the library limits (https://limits.readthedocs.io), so that all web processes
count together. A process adds small amounts up before it tells the store (ops/decisions/0014): a thousandth of the
budget and a tenth of a second at most. By so much for each process a client may exceed a budget of thousands; a small
budget is exact.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Literal

import structlog
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter

from workers.settings import Client

Kind = Literal["updates", "reads"]
READS = 10
"""For each update."""
SMALL_CHANGE = 1000
"""The part of a budget that a process may spend before it tells the store."""
TOLD_EVERY = 0.1
"""Seconds."""
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Purse:
    """What a client has spent here of which the store does not know yet, and until when it need not know."""

    spent: int = 0
    open_until: float = 0.0

    def take(self, budget: int, now: float) -> int:
        """Spend one. Returns how much the store has to be told of now; 0 for nothing."""
        self.spent += 1
        if self.spent <= budget // SMALL_CHANGE and now < self.open_until:
            return 0
        due, self.spent, self.open_until = self.spent, 0, now + TOLD_EVERY
        return due


class Rates:
    """Thread-safe. Opens no connection before it is asked."""

    def __init__(self, store_url: str) -> None:
        storage = RedisStorage(
            store_url, key_prefix="rdv:rate", wrap_exceptions=True, socket_timeout=2, socket_connect_timeout=2
        )
        self._windows = FixedWindowRateLimiter(storage)
        self._purses: dict[tuple[str, Kind], _Purse] = {}
        self._lock = threading.Lock()

    def spend(self, client: Client, kind: Kind) -> int | None:
        """None if the client may go on, otherwise the seconds after which it may come again. If the store cannot count,
        nobody is held up: one that is away says so itself, and with one that is full reading and cancelling must go on.
        """
        budget = _budget(client.rate_limit, kind)
        with self._lock:
            purse = self._purses.setdefault((client.name, kind), _Purse())
            due = purse.take(budget.amount, time.monotonic())
        if not due:
            return None
        try:
            if self._windows.hit(budget, client.name, cost=due):
                return None
            purse.open_until = 0.0
            ends = self._windows.get_window_stats(budget, client.name).reset_time
        except StorageError as error:
            _log.warning("rates not counted", reason=type(error.storage_error).__name__)
            return None
        return max(1, math.ceil(ends - time.time()))


def allowed(client: Client, kind: Kind) -> str:
    """``3 updates per hour``."""
    budget = _budget(client.rate_limit, kind)
    return f"{budget.amount} {kind} per {budget.GRANULARITY.name}"


@cache
def _budget(rate_limit: str, kind: Kind) -> RateLimitItem:
    updates = parse(rate_limit)
    return type(updates)(updates.amount * (READS if kind == "reads" else 1), namespace=kind)
