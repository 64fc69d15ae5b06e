"""A store's server set up in another way for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis


@contextmanager
def configured(redis: Redis, **options: str | int) -> Iterator[None]:
    """With these options, as ``maxmemory_policy="allkeys-lru"``; afterwards they are as they were."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    before = {name: str(redis.config_get(name)[name]) for name in given}
    try:
        for name, value in given.items():
            redis.config_set(name, value)
        yield
    finally:
        for name, value in before.items():
            redis.config_set(name, value)
