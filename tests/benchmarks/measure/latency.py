"""How many updates a second there are where Exchange takes 50 ms to answer: many mailboxes, two cores, two worker
processes. Against exchangelib with as many threads as do it good."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.benchmarks.measure.whole import Work, await_succeeded, finished, put_in, succeeded, working
from tests.benchmarks.measurement import Measured, Series, Target, alternated
from tests.benchmarks.peers.loop import Loop, loop
from tests.benchmarks.plan import Plan
from tests.benchmarks.rig import EWS_MAILBOX, Rig, Tuning, go_on, raised, stand_still

LATENCY = 50
THREADS = (8, 64)
WORKERS = ("worker", "worker.2")
CONCURRENCY = 32
"""Threads of each of the two."""
CALLERS = 16


def latency(folder: Path, plan: Plan) -> list[Measured]:
    """From the first request to the last update done; and from a backlog, where nobody asks meanwhile."""
    with raised(folder, Tuning(latency=LATENCY, concurrency=CONCURRENCY)) as rig:
        working(rig, *WORKERS)
        work = finished(rig, EWS_MAILBOX, plan.updates, CALLERS)
        with loop(rig, "peers.exchangelib_loop", rig.ews_url) as theirs:
            sides = [
                lambda: finished(rig, EWS_MAILBOX, plan.updates, CALLERS).per_second,
                lambda: _from_backlog(rig, plan.updates),
                *(lambda threads=threads: _looped(theirs, plan.updates, threads) for threads in THREADS),
            ]
            ours, backlog, *peers = alternated(sides, plan.rounds)
    loops = [Series(f"exchangelib, {many} threads", speeds) for many, speeds in zip(THREADS, peers, strict=True)]
    best = max(loops, key=lambda one: one.median)
    others = ", ".join(f"{one.median:.0f} with {many} threads" for many, one in zip(THREADS, loops, strict=True))
    return [
        Measured("latency", f"updates a second at {LATENCY} ms, taken in meanwhile", "1/s",
                 Series("Rendezvous", ours), best, Target("at least", 4.0),
                 f"2 worker processes of {CONCURRENCY} threads, 3 calls an update; exchangelib's loop, 2 calls,"
                 f" {others}; {_bound(work)}"),
        Measured("latency", "… taken in before", "1/s", Series("Rendezvous", backlog), best),
    ]  # fmt: skip


def _looped(theirs: Loop, count: int, threads: int) -> float:
    return count / theirs.run(count, threads).seconds


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
