"""The one place that knows Redis: every key, and the atomic steps by which a job moves.

The store knows, Celery rings (ops/decisions/0001). Each step is one Lua script in workers/store/lua/ and gives the same
result when it is sent twice, because the client re-sends after a lost reply. Moments that decide anything are the
store's own (``TIME``); moments shown to people come from the caller.

    key                      type    what                                                           life
    rdv:job:{id}             hash    kind state body client owner line lane room label accepted     unsettled: for ever;
                                     bells ready not_before token fence started claims settled      then SETTLED_LIFE,
                                     intent doubt intended result error finished callback           dead: DEAD_LIFE;
                                     replay replayed_at since attempts (one JSON to a line)         a callback at least
                                     attempted lost cancel discard update (whose callback it is)    as its update; of
                                                                                                    watches: BRIEF_LIFE
    rdv:line:{line}          list    ids of the unsettled jobs of one event, oldest first           until empty
    rdv:running:{lane}       set     ids of the jobs that run in one mailbox                        until empty
    rdv:waiting:{lane}       zset    heads of lines that found the lane full or paused, by turn     until empty
    rdv:rooms                hash    backend → how many jobs may run at once in a mailbox of it      for ever
    rdv:paused:{lane}        string  until when the lane is paused, ms                              its own pause
    rdv:probe:{lane}         string  the lane was paused: one job at a time until one gets through  pause + 10 min
    rdv:failures:{lane}      string  failures in a row of a callback host, for its breaker          an hour
    rdv:wrote:{sha1 of line} list    our last writes: versions and contents after and before         SETTLED_LIFE
    rdv:due                  zset    ids (and lane/{lane} of waiting ones) by when sweep looks, ms  until empty
    rdv:deadlines            zset    ids of unsettled updates by their deadline, ms; of one that     with them
                                     runs beyond it, when to look again
    rdv:key:{client/digest}  string  idempotency key: id, fingerprint of the body                   KEY_LIFE
    rdv:seen:{client/digest} string  the idempotency key with which a signed message came first      SEEN_LIFE
    rdv:rate:…               string  how much a client asked for in a window (webhooks/rates)       its window
    rdv:updates:{client}     zset    ids of a client's updates by acceptance, ms                    trimmed with it
    rdv:dead:{client}        zset    ids of a client's dead letters by when they died, ms           trimmed with it
    rdv:backlog              hash    unsettled updates by client/{client} and lane/{lane}           for ever
    rdv:states               hash    unsettled jobs by {kind}/{client}/{state}                       for ever
    rdv:minute:{minute}      hash    what happened in a minute (since 1970), counted by              125 min
                                     {what}/{kind}/{client}/{class}/{backend, or callback/client@host};
                                     what: accepted succeeded retried dead cancelled took
    rdv:total                hash    the same of all time, callbacks not by host; late doubted       for ever
    rdv:pauses               zset    paused lanes by until when, ms                                  trimmed with it
    rdv:console_secret       string  what signs the console's sessions                               for ever
    rdv:subscription:{id}    hash    body client watch same: who is called back                      until deleted
    rdv:mirror:{id}          hash    the same of a mirror                                            until deleted
    rdv:subscriptions:{client}, rdv:mirrors:{client}
                             zset    ids of a client's by when they began, ms                        with them
    rdv:same:{sha256}        string  the subscription or mirror that does just this                  with it
    rdv:watchers:{watch}     set     subscription:{id} and mirror:{id} that want to know             with them
    rdv:watch:{watch}        hash    a watched mailbox (watch_fields): backend mailbox secret        until nobody wants
                                     graph_id expires renewed terms asked cursor walked caught_up    to know
                                     missed reauthorize heard usual tended problem wanted fence learnt;
                                     of each mirror spelled:{id} leads:{id} circle:{id} waits:{id}
    rdv:watches              zset    watches by when they have to be looked at, ms                   with them
    rdv:snapshots:{watch}    hash    event → as it was last told, as JSON                            with the watch
    rdv:heard:{sha256}       string  a notification that was taken in                                HEARD_LIFE
    rdv:sequence             string  counter; each acceptance and each claim (its fence) gets the next  for ever
    rdv:doctor               string  the test write of `rendezvous doctor`                          1 s
    rdv:swept                string  when sweep last ran, ms                                        for ever

A head of a line is in exactly one of rdv:due and rdv:waiting; the jobs behind it are in neither.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Self

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError
from redis.retry import Retry as Resend

from workers.settings import Settings
from workers.store.connection import Connection, StoreUnavailable
from workers.store.figures import Figures
from workers.store.reading import Reading
from workers.store.records import Accepted, Callback, Cancelled, DeadLetter, Grant, Ring
from workers.store.searching import BadCursor, Search, Searching
from workers.store.steps import BacklogFull, Limits, Steps
from workers.store.watching import Heard, Watching

__all__ = [
    "Accepted",
    "BacklogFull",
    "BadCursor",
    "Callback",
    "Cancelled",
    "DeadLetter",
    "Grant",
    "Heard",
    "Limits",
    "Ring",
    "Search",
    "Store",
    "StoreUnavailable",
]


class Store(Steps, Reading, Figures, Searching, Watching):
    """The jobs. Thread-safe. Every method raises StoreUnavailable where Redis does not answer. ``Steps`` holds the
    connection and the grace for all parts."""

    def __init__(self, redis: Redis, *, lease: timedelta, grace: timedelta) -> None:
        super().__init__(Connection(redis), lease=lease, grace=grace)

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """The store that the settings name; the first call connects."""
        redis = Redis.from_url(
            settings.store_url,
            decode_responses=True,
            socket_timeout=5,
            socket_connect_timeout=2,
            health_check_interval=30,
            # Only lost connections are tried again. A store that hangs is waited for once: the caller will ask again,
            # and so will sweep.
            retry=Resend(ExponentialBackoff(cap=0.5, base=0.05), 3, supported_errors=(ConnectionError,)),
        )
        engine = settings.engine
        return cls(redis, lease=timedelta(seconds=engine.lease), grace=timedelta(seconds=engine.grace))

    def check(self) -> None:
        """Raise StoreUnavailable unless the store answers and would keep what it is given."""
        self._redis.check()

    @property
    def hangs(self) -> bool:
        """Whether an answer did not come in time; ``check`` looks again."""
        return self._redis.hangs

    def console_secret(self) -> str:
        """What signs the console's sessions, the same for every web process; made when it is first asked for."""
        if kept := self._redis.call("get", "rdv:console_secret"):  # read first: a full store can still be read
            return str(kept)
        made = secrets.token_urlsafe(32)
        return str(self._redis.call("set", "rdv:console_secret", made, nx=True, get=True) or made)

    def close(self) -> None:
        self._redis.redis.close()
