"""How much a client may ask for in a while. One budget per client: asking for an update costs ten, reading costs one.

Counted in the store in fixed windows by the library limits (https://limits.readthedocs.io), so that all web processes
count together. A process tells the store of small change in one sum (ops/decisions/0014): of a thousandth of the
budget, and a tenth of a second, at most. By so much, for each process, a client may go over a budget of thousands; a
small one is kept to exactly.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from functools import cache

import structlog
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter

from workers.settings import Client

ASKING = 10
READING = 1
SMALL_CHANGE = 1000
"""The part of a budget that a process may spend before it tells the store."""
TOLD_EVERY = 0.1
"""Seconds."""
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Purse:
    """What a client spent here that the store does not know of yet, and until when it need not."""

    spent: int = 0
    open_until: float = 0.0

    def take(self, cost: int, budget: int, now: float) -> int:
        """Spend ``cost``; what the store has to be told of now, 0 for nothing."""
        self.spent += cost
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
        self._purses: dict[str, _Purse] = {}
        self._lock = threading.Lock()

    def spend(self, client: Client, cost: int) -> int | None:
        """None where the client may go on; else the seconds after which it may come again.

        Where it cannot be counted nobody is held up: if the store is away the store itself says so, and if it is full,
        reading and cancelling must go on.
        """
        budget = _budget(client.rate_limit)
        with self._lock:
            purse = self._purses.setdefault(client.name, _Purse())
            due = purse.take(cost, budget.amount, time.monotonic())
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


@cache
def _budget(rate_limit: str) -> RateLimitItem:
    allowed = parse(rate_limit)
    return type(allowed)(allowed.amount * ASKING, namespace="client")
