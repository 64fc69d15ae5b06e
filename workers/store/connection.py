"""The way to Redis: scripts, commands and pipelines, with one error for all that can go wrong on it.

Not here: what is asked (steps, reading).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import AuthenticationError, RedisError, ResponseError, TimeoutError

from workers.store.together import Together

INTAKE = ("accept", "watch", "notify", "see")
ALLOWED_WHEN_FULL = (
    "claim", "renew", "intend", "settle", "hand_back", "sweep", "cancel", "expire", "replay", "discard",
    "rooms", "wake", "keep", "tell", "forget", "unwatch", "lifecycle",
)  # fmt: skip
"""The scripts that only finish work: when Redis is full they go on, so that it can drain. Those of INTAKE do not."""
_CHECK_EVERY = 5.0
"""Seconds between two checks of intake whether the store would keep what it is given."""
_DISK_MS = 2000
"""How long to wait for the disk of a store that does not write to it at once."""


class StoreUnavailable(Exception):
    """The store cannot be reached, is full, or would not keep what it is given."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """``memory`` and ``memory_limit`` in bytes, the latter 0 for none. ``appends``: whether there is an append-only
    file; ``written``: whether its last write went well; ``fsync``: its policy, None where the server does not tell."""

    memory: int
    memory_limit: int
    eviction: str
    appends: bool
    written: bool
    fsync: str | None


def unfit(state: ServerState) -> str | None:
    """Why the store would not keep what it is given, as a sentence; None: it would."""
    if state.memory_limit and state.eviction != "noeviction":
        return f"the store evicts keys (maxmemory-policy {state.eviction}); set it to noeviction"
    if 0 < state.memory_limit <= state.memory:
        return "the store is full: give it more memory"
    if not state.appends:
        return "the store does not persist: set appendonly yes and appendfsync always"
    if not state.written:
        return "the store cannot write its append-only file: its disk is full or failing"
    if state.fsync not in ("always", None):
        return f"a power cut takes what was accepted (appendfsync {state.fsync}): set appendfsync always"
    return None


class Connection:
    """Thread-safe. ``hangs``: an answer did not come in time, and none has been looked for since (``state``)."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.hangs = False
        self._together = Together(redis)
        self._checked = -_CHECK_EVERY
        self._always_fsyncs = False
        self._scripts = {name: self._register(name) for name in (*INTAKE, *ALLOWED_WHEN_FULL)}

    def run(self, script: str, *args: str | int) -> Any:
        """One atomic step. Steps that other threads ask for at the same time share its round trip."""
        try:
            return self._together.run(self._scripts[script], args)
        except RedisError as error:
            raise self._unanswered(error, script) from error

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
            raise self._unanswered(error, f"{script} durably (set appendfsync always)") from error
        if not written:
            raise StoreUnavailable("the store does not write to its disk in time: set appendfsync always")
        return answer

    def run_all(self, script: str, many: Iterable[Sequence[str | int]]) -> list[Any]:
        """The same step with each of these arguments, one after the other, in one round trip."""
        pipe: Any = self.redis.pipeline(transaction=False)
        for args in many:
            self._scripts[script](args=args, client=pipe)
        try:
            return list(pipe.execute())
        except RedisError as error:
            raise self._unanswered(error, script) from error

    def call(self, command: str, *args: str | int, **options: bool | int) -> Any:
        """One command, by the name of redis-py's method."""
        try:
            return getattr(self.redis, command)(*args, **options)
        except RedisError as error:
            raise self._unanswered(error) from error

    def call_all(self, calls: Iterable[tuple[str | int, ...]]) -> list[Any]:
        """Several commands in one round trip, not atomic; each is the command's name and its arguments."""
        pipe = self.redis.pipeline(transaction=False)
        for command, *args in calls:
            getattr(pipe, str(command))(*args)
        try:
            return pipe.execute()
        except RedisError as error:
            raise self._unanswered(error) from error

    def now(self) -> int:
        """The store's clock, in ms."""
        seconds, micros = self.call("time")
        return int(seconds) * 1000 + int(micros) // 1000

    def check(self) -> None:
        """Raise StoreUnavailable unless the store answers, never evicts, has room, and writes an append-only file; at
        every write, if it tells its policy."""
        state = self.state()
        if (why := unfit(state)) is not None:
            raise StoreUnavailable(why)
        self._always_fsyncs = state.fsync == "always"
        self._checked = time.monotonic()

    def state(self) -> ServerState:
        """How the server is set up, and how it is."""
        memory, disk = self.call_all([("info", "memory"), ("info", "persistence")])
        self.hangs = False
        return ServerState(
            memory=memory.get("used_memory", 0),
            memory_limit=memory.get("maxmemory", 0),
            eviction=str(memory.get("maxmemory_policy")),
            appends=bool(disk.get("aof_enabled")),
            written=disk.get("aof_last_write_status") == "ok",
            fsync=self._fsync_policy(),
        )

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
            raise self._unanswered(error) from error

    def _unanswered(self, error: RedisError, asked: str = "answer") -> StoreUnavailable:
        if isinstance(error, TimeoutError):
            self.hangs = True
        if isinstance(error, AuthenticationError):
            return StoreUnavailable("the store does not let us in: put its user name and password into its URL")
        return StoreUnavailable(f"the store did not {asked}: {error}")

    def _register(self, name: str) -> Script:
        folder = files("workers.store").joinpath("lua")
        head = "#!lua flags=allow-oom\n" if name in ALLOWED_WHEN_FULL else "#!lua\n"
        texts = [folder.joinpath(f"{part}.lua").read_text(encoding="utf-8") for part in ("shared", name)]
        return self.redis.register_script(head + "".join(texts))
