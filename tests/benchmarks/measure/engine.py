"""What the engine itself costs: a job that does nothing through accept, claim and settle, against a bare Celery task
that does nothing, with late acks. Both with a threads pool of the same size, fed from a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from statistics import median

from tests.benchmarks.measure.whole import succeeded
from tests.benchmarks.measurement import Measured, Target, alternated, series
from tests.benchmarks.peers.loop import Loop, loop
from tests.benchmarks.plan import Plan
from tests.benchmarks.rig import Rig, raised

PEER = "Celery, late acks"
BROKER_DATABASE = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """What a job cost of the processor in ms: who puts it in, the worker, the store's server; jobs a second."""

    put_in: float
    worked: float
    store: float
    per_second: float

    @property
    def cpu(self) -> float:
        """Without the store's."""
        return self.put_in + self.worked

    @property
    def with_store(self) -> float:
        return self.cpu + self.store


def engine(folder: Path, plan: Plan) -> list[Measured]:
    """CPU of who puts it in and of the worker."""
    count = plan.updates * 2
    with raised(folder) as rig:
        broker = f"{rig.store_url[:-1]}{BROKER_DATABASE}"
        _start(rig, broker)
        feed = partial(loop, rig, "feed", BENCHMARK_BROKER=broker)
        with feed("ours") as ours, feed("celery") as theirs:
            sides = [lambda: _ours(rig, ours, count), lambda: _theirs(rig, theirs, count)]
            measured, peers = alternated(sides, plan.rounds)
    put_in, worked, store, peers_store = (
        median(attrgetter(name)(cost) for cost in side)
        for name, side in (("put_in", measured), ("worked", measured), ("store", measured), ("store", peers))
    )
    cpu, with_store, speed = attrgetter("cpu"), attrgetter("with_store"), attrgetter("per_second")
    return [
        Measured("engine", "CPU of a job that does nothing", "ms", series("Rendezvous", measured, cpu),
                 series(PEER, peers, cpu), Target("at most", 1.5),
                 f"put in {put_in:.2f}, worker {worked:.2f} ms; the store's server besides {store:.2f} ms, with Celery"
                 f" {peers_store:.2f}"),
        Measured("engine", "… with the store's server", "ms", series("Rendezvous", measured, with_store),
                 series(PEER, peers, with_store)),
        Measured("engine", "such jobs a second", "1/s", series("Rendezvous", measured, speed),
                 series(PEER, peers, speed)),
    ]  # fmt: skip


def _start(rig: Rig, broker: str) -> None:
    worker = ("celery", "--app", "tests.benchmarks.peers.rendezvous_noop", "worker", "--loglevel", "WARNING")
    rig.run("worker", *worker, "--queues", "updates", "--hostname", "updates@%h")
    plain = ("celery", "--app", "tests.benchmarks.peers.celery_noop", "worker", "--loglevel", "WARNING")
    rig.run("celery", *plain, "--pool", "threads", "--concurrency", str(rig.tuning.concurrency),
            BENCHMARK_BROKER=broker)  # fmt: skip
    rig.await_worker("updates")


def _ours(rig: Rig, feed: Loop, count: int) -> Cost:
    done = succeeded(rig)
    return _fed(rig, feed, count, "worker", lambda: succeeded(rig) >= done + count)


def _theirs(rig: Rig, feed: Loop, count: int) -> Cost:
    queue = rig.redis(BROKER_DATABASE)
    return _fed(rig, feed, count, "celery", lambda: not (queue.llen("celery") or queue.hlen("unacked")))


def _fed(rig: Rig, feed: Loop, count: int, worker: str, over: Callable[[], bool]) -> Cost:

    def used() -> tuple[float, float, float]:
        return feed.cpu(), rig.cpu(worker), rig.cpu("store")

    before, began = used(), time.monotonic()
    feed.run(count)
    rig.until(over, f"{count} jobs are done", patience=300)
    took = time.monotonic() - began
    put_in, worked, store = (1000 * (now - then) / count for now, then in zip(used(), before, strict=True))
    return Cost(put_in, worked, store, count / took)
