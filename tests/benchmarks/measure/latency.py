"""How many updates a second there are where Exchange takes 50 ms to answer: many mailboxes, two cores, two worker
processes. Against exchangelib with as many threads as do it good, in one process and in two."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.measure.whole import Work, await_succeeded, finished, put_in, succeeded, working
from tests.benchmarks.measurement import Measured, Series, Target, alternated
from tests.benchmarks.peers.loop import Loop, loop
from tests.benchmarks.plan import Plan
from tests.benchmarks.rig import EWS_MAILBOX, Rig, Tuning, go_on, raised, stand_still

LATENCY = 50
CREWS = ((1, 8), (1, 64), (2, 32))
"""Processes of the peer, and threads of each. One process is bound by Python's lock, two are what ours have."""
WORKERS = ("worker", "worker.2")
CONCURRENCY = 32
"""Threads of each of the two."""
CALLERS = 16


def latency(folder: Path, plan: Plan) -> list[Measured]:
    """From the first request to the last update done; and from a backlog, where nobody asks meanwhile."""
    with raised(folder, Tuning(latency=LATENCY, concurrency=CONCURRENCY)) as rig:
        working(rig, *WORKERS)
        work = finished(rig, EWS_MAILBOX, plan.updates, CALLERS)
        with ExitStack() as stack:
            theirs = [
                stack.enter_context(loop(rig, "peers.exchangelib_loop", rig.ews_url))
                for _ in range(max(processes for processes, _ in CREWS))
            ]
            sides = [
                lambda: finished(rig, EWS_MAILBOX, plan.updates, CALLERS).per_second,
                lambda: _from_backlog(rig, plan.updates),
                *(lambda many=many, each=each: _looped(theirs[:many], plan.updates, each) for many, each in CREWS),
            ]
            ours, backlog, *peers = alternated(sides, plan.rounds)
    loops = [Series(f"exchangelib, {_crew(*one)}", speeds) for one, speeds in zip(CREWS, peers, strict=True)]
    best = max(loops, key=lambda one: one.median)
    others = ", ".join(f"{one.median:.0f} with {_crew(*crew)}" for crew, one in zip(CREWS, loops, strict=True))
    return [
        Measured("latency", f"updates a second at {LATENCY} ms, taken in meanwhile", "1/s",
                 Series("Rendezvous", ours), best, Target("at least", 4.0),
                 f"2 worker processes of {CONCURRENCY} threads, 3 calls an update; exchangelib's loop, 2 calls,"
                 f" {others}; {_bound(work)}"),
        Measured("latency", "… taken in before", "1/s", Series("Rendezvous", backlog), best),
    ]  # fmt: skip


def _crew(processes: int, threads: int) -> str:
    return f"one process of {threads} threads" if processes == 1 else f"{processes} processes of {threads} threads"


def _looped(theirs: Sequence[Loop], count: int, threads: int) -> float:
    """Updates a second of all of them at once, each with its share."""
    with ThreadPoolExecutor(len(theirs)) as pool:
        began = time.monotonic()
        list(pool.map(lambda one: one.run(count // len(theirs), threads), theirs))
        return count // len(theirs) * len(theirs) / (time.monotonic() - began)


def _from_backlog(rig: Rig, count: int) -> float:
    done = succeeded(rig)
    stand_still(rig, *WORKERS)
    put_in(rig, EWS_MAILBOX, count, CALLERS)
    go_on(rig, *WORKERS)
    began = time.monotonic()
    await_succeeded(rig, done + count)
    return count / (time.monotonic() - began)


def _bound(work: Work) -> str:
    """What the processor alone would allow."""
    used, cores = work.total + work.store, os.cpu_count() or 1
    allowed = cores * 1000 / used
    return f"{used:.1f} ms of the processor for an update, with the store's, allow {allowed:.0f} on {cores} cores"
