"""How much a client may ask for in a while. One budget per client: asking for an update costs ten, reading costs one.

Counted in the store in fixed windows by the library limits (https://limits.readthedocs.io), so that all web processes
count together.
"""

from __future__ import annotations

import math
import time

import structlog
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter

from workers.settings import Client

ASKING = 10
READING = 1
_log = structlog.get_logger(__name__)


class Rates:
    """Thread-safe. Opens no connection before it is asked."""

    def __init__(self, store_url: str) -> None:
        storage = RedisStorage(
            store_url, key_prefix="rdv:rate", wrap_exceptions=True, socket_timeout=2, socket_connect_timeout=2
        )
        self._windows = FixedWindowRateLimiter(storage)

    def spend(self, client: Client, cost: int) -> int | None:
        """None where the client may go on; else the seconds after which it may come again.

        Where it cannot be counted nobody is held up: if the store is away the store itself says so, and if it is full,
        reading and cancelling must go on.
        """
        budget = _budget(client)
        try:
            if self._windows.hit(budget, client.name, cost=cost):
                return None
            ends = self._windows.get_window_stats(budget, client.name).reset_time
        except StorageError as error:
            _log.warning("rates not counted", reason=type(error.storage_error).__name__)
            return None
        return max(1, math.ceil(ends - time.time()))


def _budget(client: Client) -> RateLimitItem:
    allowed = parse(client.rate_limit)
    return type(allowed)(allowed.amount * ASKING, namespace="client")
