"""Time that passes for a store although nobody waits."""

from __future__ import annotations

from datetime import timedelta

from redis import Redis


def later(redis: Redis, by: timedelta) -> None:
    """As if so much time had passed: whatever the store has noted for a moment to come is nearer by so much."""
    ms = by // timedelta(milliseconds=1)
    for moments in ("rdv:due", "rdv:deadlines", "rdv:pauses"):
        for member in map(str, redis.zrange(moments, 0, -1)):
            redis.zincrby(moments, -ms, member)
    for job in redis.scan_iter("rdv:job:*"):
        if redis.hexists(job, "not_before"):
            redis.hincrby(job, "not_before", -ms)
    for pause in redis.scan_iter("rdv:paused:*"):
        reopens, left = int(redis.get(pause) or 0), redis.pttl(pause)
        redis.set(pause, reopens - ms, px=max(1, left - ms))
    if swept := redis.get("rdv:swept"):
        redis.set("rdv:swept", int(swept) - ms)
