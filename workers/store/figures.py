"""What is counted: how many jobs stand where, what happened in each minute and in all, how the store itself is.

The counters are kept by the Lua steps (tally, moved, pause in workers/store/lua/shared.lua), so they are true for all
processes together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from workers.store.connection import Connection, ServerState, unfit
from workers.store.milliseconds import moment

WAITS_SEEN = 2000
BUCKETS = (100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 7_200_000, 86_400_000)
"""The upper bounds in ms by which the time to done is counted, as took in workers/store/lua/shared.lua has them."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many times something happened.

    ``what``: accepted, succeeded, retried, dead, cancelled, or took: the time from acceptance to the end, where
    ``ended`` is the upper bound of a bucket in ms, ``inf`` or ``sum``. Otherwise ``ended`` is how the attempt ended.
    ``place``: the backend, ``callback``, or in a minute's tally ``callback/{client}@{host}``. The totals also count
    late (changes that Graph had not told when we found them) and doubted (notifications that did not prove genuine,
    with the reason in ``ended``).
    """

    what: str
    kind: str
    client: str
    ended: str
    place: str
    count: int


@dataclass(frozen=True, slots=True)
class Minute:
    """What happened in the minute that began at ``start``."""

    start: datetime
    tallies: tuple[Tally, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How many unsettled jobs of a client are in this state."""

    kind: str
    client: str
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class Pause:
    """A lane (``backend/mailbox`` or ``callback/client@host``) that is left alone until a moment."""

    lane: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Dues:
    """How many jobs and lanes wait for their due time, how many are past it, and by how much the oldest is."""

    waiting: int
    overdue: int
    oldest: timedelta


@dataclass(frozen=True, slots=True)
class Health:
    """The server's memory in bytes (``memory_limit`` 0: none); the ``problem`` for which it would not keep what it is
    given, if there is one; and its ``sequence``, which rises with each acceptance and each claim and falls only if
    writes were lost."""

    memory: int
    memory_limit: int
    problem: str | None
    sequence: int


class Figures:
    """Every method raises StoreUnavailable where Redis does not answer."""

    _redis: Connection

    def minutes(self, count: int) -> tuple[Minute, ...]:
        """The last minutes by the store's clock, oldest first; the last one is not over yet."""
        last = self._redis.now() // 60_000
        numbers = range(last - count + 1, last + 1)
        rows = self._redis.call_all(("hgetall", f"rdv:minute:{number}") for number in numbers)
        return tuple(
            Minute(datetime.fromtimestamp(number * 60, UTC), tallies(row))
            for number, row in zip(numbers, rows, strict=True)
        )

    def totals(self) -> tuple[Tally, ...]:
        """What happened since the store was new."""
        return tallies(self._redis.call("hgetall", "rdv:total"))

    def clients(self) -> set[str]:
        """The clients whose work was ever taken in, whether they are still configured or not."""
        return {tally.client for tally in self.totals()} - {""}

    def standings(self) -> tuple[Standing, ...]:
        """The unsettled jobs, counted."""
        counts: Mapping[str, str] = self._redis.call("hgetall", "rdv:states")
        return tuple(
            Standing(kind, client, state, int(counts[field]))
            for field in sorted(counts)
            for kind, client, state in [field.split("/")]
        )

    def dead_count(self, client: str) -> int:
        """A client's dead letters."""
        return int(self._redis.call("zcard", f"rdv:dead:{client}"))

    def pauses(self) -> tuple[Pause, ...]:
        """The lanes that are paused now, soonest open first."""
        found = self._redis.call("zrangebyscore", "rdv:pauses", f"({self._redis.now()}", "+inf", withscores=True)
        return tuple(Pause(lane, moment(until)) for lane, until in found)

    def dues(self) -> Dues:
        """What sweep has to look at."""
        now = self._redis.now()
        waiting, overdue, first = self._redis.call_all(
            [("zcard", "rdv:due"), ("zcount", "rdv:due", "-inf", now), ("zrangebyscore", "rdv:due", "-inf", now, 0, 1)]
        )
        score = self._redis.call("zscore", "rdv:due", first[0]) if first else None
        late = max(0, now - int(score)) if score is not None else 0
        return Dues(waiting, overdue, timedelta(milliseconds=late))

    def waits(self) -> Mapping[str, timedelta]:
        """Kind → how long the oldest of its jobs has been ready to run, among the first WAITS_SEEN that are due, of all
        kinds. Jobs whose lane is paused or full are not due."""
        now, ids = self._redis.now(), self._redis.call("zrange", "rdv:due", 0, WAITS_SEEN - 1)
        found = self._redis.call_all(
            ("hmget", f"rdv:job:{job_id}", "kind", "state", "since", "ready", "not_before") for job_id in ids
        )
        waits: dict[str, timedelta] = {}
        for kind, state, *moments in found:
            if state in ("queued", "retrying"):
                ready = timedelta(milliseconds=now - max(int(one or 0) for one in moments))
                waits[kind] = max(ready, waits.get(kind, timedelta()))
        return waits

    def state(self) -> ServerState:
        """How the server is set up, and how it is."""
        return self._redis.state()

    def health(self) -> Health:
        """How the server is."""
        state, sequence = self.state(), self._redis.call("get", "rdv:sequence")
        return Health(state.memory, state.memory_limit, unfit(state), int(sequence or 0))


def tallies(counts: Mapping[str, str]) -> tuple[Tally, ...]:
    """A hash of counters, read. The place comes last because a host may hold anything but a slash."""
    return tuple(
        Tally(*cast("tuple[str, str, str, str, str]", tuple(field.split("/", 4))), int(count))
        for field, count in sorted(counts.items())
    )
