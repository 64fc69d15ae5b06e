"""The way to Redis: scripts, commands and pipelines, with one error for all that can go wrong on it.

Not here: what is asked (steps, reading).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import RedisError, ResponseError

from workers.store.together import Together

INTAKE = ("accept", "watch", "notify", "see")
ALLOWED_WHEN_FULL = (
    "claim", "renew", "intend", "settle", "hand_back", "sweep", "cancel", "replay", "discard",
    "wake", "keep", "tell", "forget", "unwatch", "lifecycle",
)  # fmt: skip
"""What only finishes work must go on when Redis is full, so that it can drain; taking work in must not."""
_CHECK_EVERY = 5.0
"""Seconds after which intake asks again whether the store would keep what it is given."""
_DISK_MS = 2000
"""How long to wait for a store that writes to its disk now and then."""


class StoreUnavailable(Exception):
    """The store cannot be reached, is full, or would not keep what it is given."""


class Connection:
    """Thread-safe."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._together = Together(redis)
        self._checked = -_CHECK_EVERY
        self._always_fsyncs = False
        self._scripts = {name: self._register(name) for name in (*INTAKE, *ALLOWED_WHEN_FULL)}

    def run(self, script: str, *args: str | int) -> Any:
        """One atomic step, in one round trip with those of other threads that come meanwhile."""
        try:
            return self._together.run(self._scripts[script], args)
        except RedisError as error:
            raise StoreUnavailable(f"the store did not {script}: {error}") from error

    def run_durably(self, script: str, *args: str | int) -> Any:
        """One atomic step that is on disk when this returns: at once with ``appendfsync always``. A store that does not
        tell how it is set up is asked to say when it is; with ``everysec`` many say so too early (decisions/0003).

        Raises StoreUnavailable where the store does not write it in time; then it may have happened all the same.
        """
        if self._always_fsyncs:
            return self.run(script, *args)
        pipe: Any = self.redis.pipeline(transaction=False)
        try:
            self._scripts[script](args=args, client=pipe)
            pipe.execute_command("WAITAOF", 1, 0, _DISK_MS)
            answer, (written, _) = pipe.execute()
        except RedisError as error:
            raise StoreUnavailable(f"the store did not {script} durably (set appendfsync always): {error}") from error
        if not written:
            raise StoreUnavailable("the store does not write to its disk in time: set appendfsync always")
        return answer

    def call(self, command: str, *args: str | int, **options: bool | int) -> Any:
        """One command, by the name of redis-py's method."""
        try:
            return getattr(self.redis, command)(*args, **options)
        except RedisError as error:
            raise StoreUnavailable(f"the store did not answer: {error}") from error

    def call_all(self, calls: Iterable[tuple[str | int, ...]]) -> list[Any]:
        """Several commands in one round trip, not atomic; each is the command's name and its arguments."""
        pipe = self.redis.pipeline(transaction=False)
        for command, *args in calls:
            getattr(pipe, str(command))(*args)
        try:
            return pipe.execute()
        except RedisError as error:
            raise StoreUnavailable(f"the store did not answer: {error}") from error

    def check(self) -> None:
        """Raise StoreUnavailable unless the store answers, never evicts, has room, and writes an append-only file, at
        every write as far as it tells."""
        memory = self.call("info", "memory")
        if memory.get("maxmemory", 0) and memory.get("maxmemory_policy") != "noeviction":
            raise StoreUnavailable(
                f"the store evicts keys (maxmemory-policy {memory.get('maxmemory_policy')}); set it to noeviction"
            )
        if 0 < memory.get("maxmemory", 0) <= memory.get("used_memory", 0):
            raise StoreUnavailable("the store is full: what was accepted is worked off, give it more memory")
        persistence = self.call("info", "persistence")
        if not persistence.get("aof_enabled"):
            raise StoreUnavailable("the store does not persist: set appendonly yes and appendfsync always")
        if persistence.get("aof_last_write_status") != "ok":
            raise StoreUnavailable("the store cannot write its append-only file: its disk is full or failing")
        policy = self._fsync_policy()
        if policy not in ("always", None):
            raise StoreUnavailable(
                f"a power cut takes what was accepted (appendfsync {policy}): set appendfsync always"
            )
        self._always_fsyncs = policy == "always"
        self._checked = time.monotonic()

    def check_now_and_then(self) -> None:
        """``check``, unless it was done a moment ago."""
        if time.monotonic() - self._checked > _CHECK_EVERY:
            self.check()

    def _fsync_policy(self) -> str | None:
        """None where the store does not tell: managed ones forbid CONFIG."""
        try:
            return str(self.redis.config_get("appendfsync").get("appendfsync"))
        except ResponseError:
            return None
        except RedisError as error:
            raise StoreUnavailable(f"the store did not answer: {error}") from error

    def _register(self, name: str) -> Script:
        folder = files("workers").joinpath("lua")
        head = "#!lua flags=allow-oom\n" if name in ALLOWED_WHEN_FULL else "#!lua\n"
        texts = [folder.joinpath(f"{part}.lua").read_text(encoding="utf-8") for part in ("shared", name)]
        return self.redis.register_script(head + "".join(texts))
