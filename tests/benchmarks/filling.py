"""A store that holds very many finished updates: copies of one that was really done, under other ids.

What belongs to it is found by looking, not known: whatever keys it left behind, and the list that names it.
"""

from __future__ import annotations

import time

from tests.benchmarks.measure.whole import finished
from tests.benchmarks.rig import CLIENT, EWS_MAILBOX, Rig

PER_SCRIPT = 1000
SCRIPT = """
-- KEYS: the list of the client's updates; then the keys of one update. ARGV: first number, how many, its id.
for number = ARGV[1], ARGV[1] + ARGV[2] - 1 do
  local digits = string.format('%012d', number)
  for at = 2, #KEYS do
    local from = KEYS[at]
    redis.call('COPY', from, from:sub(1, -13) .. digits)
  end
  redis.call('ZADD', KEYS[1], number, ARGV[3]:sub(1, -13) .. digits)
end
"""
"""The ids, keys and digests end in more than twelve characters of their own, so a copy's name is as long as its own."""
NOT_KEPT = ("mem_clients_normal", "mem_aof_buffer", "used_memory_scripts")


def fill(rig: Rig, count: int) -> float:
    """Copy one finished update so often; kB that a copy takes. What so many at once leave behind in the store's file is
    tidied up before it returns: a day's work has that done in between, and not all of it at once."""
    redis = rig.redis()
    before = _keys(rig)
    finished(rig, EWS_MAILBOX, 1)
    names = f"rdv:updates:{CLIENT}"
    update_id = str(redis.zrange(names, -1, -1)[0])
    left = sorted(key for key in _keys(rig) - before if _belongs(key, update_id))
    rewriting = str(redis.config_get("auto-aof-rewrite-percentage")["auto-aof-rewrite-percentage"])
    redis.config_set("auto-aof-rewrite-percentage", 0)
    start, script = used(rig), redis.register_script(SCRIPT)
    for number in range(0, count, PER_SCRIPT):
        script(keys=[names, *left], args=[number, min(PER_SCRIPT, count - number), update_id])
    each = (used(rig) - start) / count / 1000
    redis.bgrewriteaof()
    while redis.info("persistence")["aof_rewrite_in_progress"]:
        time.sleep(0.5)
    redis.config_set("auto-aof-rewrite-percentage", rewriting)
    return each


def _keys(rig: Rig) -> set[str]:
    return set(map(str, rig.redis().scan_iter("rdv:*", count=1000)))


def _belongs(key: str, update_id: str) -> bool:
    return update_id in key or key.startswith(("rdv:key:", "rdv:wrote:"))


def used(rig: Rig) -> int:
    """Bytes that the store uses for what it keeps, its own tables included; not what it uses for its callers."""
    told = rig.redis().info("memory")
    return int(told["used_memory"]) - sum(int(told[name]) for name in NOT_KEPT)
