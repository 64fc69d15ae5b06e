"""The store: is it reachable, new enough, durable at every write and quick, does it never evict, has it room, and does
beat sweep it?

It asks Redis directly, too, because workers/store tells neither version nor latency: nothing else needs them. It writes
one key of its own, `rdv:doctor`, which lives for a second.
Settings of Redis: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.retry import Retry

from workers.cli.doctor import clock
from workers.cli.doctor.finding import HANGS, Finding, hangs
from workers.settings import Settings
from workers.store import Store, StoreUnavailable
from workers.store.connection import ServerState

OLDEST = 7
"""Scripts begin with `#!lua flags=allow-oom`, which Redis understands from 7.0 on."""
NEARLY_FULL = 0.8
SLOW = 0.05
"""Seconds for one durable write. Each update needs several of them."""
WRITES = 5
MISSED_SWEEPS = 10


@dataclass(frozen=True, slots=True)
class Report:
    """What was seen. ``version``: of Redis, or the Redis version that a Valkey claims to be. ``valkey``: Valkey's own
    version. ``state``: as intake sees it. ``writing``: the median of the seconds that a few writes took; None if the
    store takes no writes. ``ours``: this machine's time when the store told ``now``. ``swept``: when beat last swept.
    """

    version: str
    valkey: str | None
    state: ServerState
    writing: float | None
    now: datetime
    ours: datetime
    swept: datetime | None


def check(settings: Settings) -> Iterable[Finding]:
    """Look and judge. If the store cannot be reached, that is the only finding."""
    try:
        report = look(settings)
    except (RedisError, StoreUnavailable) as error:
        return (unreached(error),)
    return tuple(judge(report, settings.engine.sweep))


def unreached(error: RedisError | StoreUnavailable) -> Finding:
    """It is not there, hangs, or does not know us."""
    if isinstance(error, AuthenticationError):
        remedy = "Put its user name and password into RENDEZVOUS_STORE_URL: redis://user:password@host:6379/0."
        return Finding.wrong("store", f"does not let us in: {error}", remedy)
    start = "Start Redis 7 or Valkey with ops/redis.conf, or correct RENDEZVOUS_STORE_URL."
    return Finding.wrong("store", f"does not answer: {error}", HANGS if hangs(error) else start)


def judge(report: Report, sweep: float) -> Iterator[Finding]:
    """``sweep``: seconds between two sweeps."""
    yield _version(report)
    yield _eviction(report.state)
    yield _room(report.state)
    yield _durability(report.state)
    yield _speed(report)
    yield clock.compare("store's clock", report.ours, report.now)
    yield _beat(report, sweep)


def look(settings: Settings) -> Report:
    """Ask the store. Raises RedisError or StoreUnavailable."""
    with (
        closing(Store.connect(settings)) as store,
        Redis.from_url(
            settings.store_url,
            decode_responses=True,
            socket_timeout=5,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),
        ) as redis,
    ):
        server = cast("dict[str, Any]", redis.info("server"))
        return Report(
            version=str(server.get("redis_version", "0")),
            valkey=server.get("valkey_version"),
            state=store.state(),
            writing=_writing(redis),
            now=store.time(),
            ours=datetime.now(UTC),
            swept=store.swept_at(),
        )


def _writing(redis: Redis) -> float | None:
    took = []
    for _ in range(WRITES):
        began = time.perf_counter()
        try:
            redis.set("rdv:doctor", "", px=1000)
        except ResponseError:  # full, or it cannot write its file: other findings say which
            return None
        took.append(time.perf_counter() - began)
    return median(took)


def _version(report: Report) -> Finding:
    major = report.version.partition(".")[0]
    if major.isdigit() and int(major) >= OLDEST:
        named = f"Valkey {report.valkey}" if report.valkey else f"Redis {report.version}"
        return Finding.good("store", f"{named} answers")
    return Finding.wrong("store", f"Redis {report.version} is too old", f"Use Redis {OLDEST} or later, or Valkey.")


def _eviction(state: ServerState) -> Finding:
    if not state.memory_limit or state.eviction == "noeviction":
        return Finding.good("store keeps", "never evicts")
    return Finding.wrong("store keeps", f"evicts keys ({state.eviction})", "Set maxmemory-policy noeviction.")


def _room(state: ServerState) -> Finding:
    name, used = "store's memory", f"{state.memory / 2**20:,.0f} MiB used"
    if not state.memory_limit:
        remedy = (
            "Set maxmemory below the memory of the machine or container: a full store says so, without a limit it is"
            " killed."
        )
        return Finding.doubtful(name, f"{used}, without a limit", remedy)
    said = f"{used} of {state.memory_limit / 2**20:,.0f}"
    share = state.memory / state.memory_limit
    if share >= 1:
        remedy = "Raise maxmemory (CONFIG SET, and redis.conf): until then nothing is accepted."
        return Finding.wrong(name, f"full: {said}", remedy)
    if share >= NEARLY_FULL:
        return Finding.doubtful(name, f"nearly full: {said}", "Raise maxmemory, or see why so much waits (/console).")
    return Finding.good(name, said)


def _durability(state: ServerState) -> Finding:
    name = "store persists"
    if not state.appends:
        return Finding.wrong(name, "writes no append-only file", "Set appendonly yes and appendfsync always.")
    if not state.written:
        return Finding.wrong(name, "cannot write its append-only file", "Look at its disk: it is full or failing.")
    if state.fsync is None:
        return Finding.doubtful(
            name, "writes an append-only file, but does not tell when", "Make sure of appendfsync always."
        )
    if state.fsync != "always":
        return Finding.wrong(name, f"appendfsync {state.fsync}: intake is closed", "Set appendfsync always.")
    return Finding.good(name, "every write is on disk before it is answered")


def _speed(report: Report) -> Finding:
    if report.writing is None:
        return Finding.wrong("store's speed", "takes no writes", "See the store's other findings; then its log.")
    said = f"a write takes {report.writing * 1000:.1f} ms"
    if report.writing <= SLOW:
        return Finding.good("store's speed", said)
    return Finding.doubtful(
        "store's speed", said, "Bring it nearer, or give it a faster disk: each update writes often."
    )


def _beat(report: Report, sweep: float) -> Finding:
    remedy = "Start `beat` of the Procfile: without it nothing is retried and no lost bell is rung again."
    if report.swept is None:
        return Finding.wrong("beat", "has never swept this store", remedy)
    ago = (report.now - report.swept).total_seconds()
    if ago > max(MISSED_SWEEPS * sweep, 5.0):
        return Finding.wrong("beat", f"last swept {ago:.0f} s ago", remedy)
    return Finding.good("beat", f"swept {max(ago, 0):.1f} s ago")
