"""A whole update: taken in, read, changed, verified, settled, without a callback. What it costs of the processor in all
our processes, against a loop that reads, changes and writes and promises nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from statistics import median

from tests.benchmarks.load import Job, put
from tests.benchmarks.measurement import Measured, Target, alternated, series
from tests.benchmarks.peers.loop import Loop, loop
from tests.benchmarks.plan import Plan
from tests.benchmarks.rig import API_KEY, CLIENT, EWS_MAILBOX, GRAPH_MAILBOX, Rig, asked, raised
from workers.identifiers import new_id

PROCESSES = ("web", "worker", "callbacks", "beat")
CALLERS = 8
MAILBOXES = 200


@dataclass(frozen=True, slots=True)
class Work:
    """What an update cost of the processor in ms, in each kind of process and in the store; updates a second."""

    cpu: Mapping[str, float]
    store: float
    per_second: float

    @property
    def total(self) -> float:
        """Without the store's."""
        return sum(self.cpu.values())


def whole(folder: Path, plan: Plan) -> list[Measured]:
    """EWS against exchangelib, Graph against msgraph-sdk."""
    with raised(folder) as rig:
        working(rig)
        ews = _against(rig, plan, EWS_MAILBOX, "exchangelib", rig.ews_url, Target("at most", 1.5))
        graph = _against(rig, plan, GRAPH_MAILBOX, "msgraph", rig.graph_url, Target("at most", 0.5))
    return [*ews, *graph]


def working(rig: Rig, *more: str) -> None:
    """Start the Procfile's processes and ``more``, until all of them are up."""
    names = tuple(dict.fromkeys((*PROCESSES, *more)))
    for name in names:
        rig.start(name)
    rig.await_web()
    kinds = (name.partition(".") for name in names)
    rig.await_worker(*(f"{'updates' if kind == 'worker' else kind}{number}" for kind, _, number in kinds
                       if kind in ("worker", "callbacks")))  # fmt: skip


def _against(rig: Rig, plan: Plan, mailbox: str, peer: str, url: str, target: Target) -> list[Measured]:
    with loop(rig, f"peers.{peer}_loop", url) as theirs:
        sides: list[Callable[[], Work]] = [
            lambda: finished(rig, mailbox, plan.updates),
            lambda: _looped(theirs, plan.updates),
        ]
        ours, peers = alternated(sides, plan.rounds)
    kind = "EWS" if mailbox == EWS_MAILBOX else "Graph"
    used = series("Rendezvous", ours, lambda work: work.total)
    loops = series(f"{peer}'s loop", peers, lambda work: work.total)
    speed = attrgetter("per_second")
    return [
        Measured("whole", f"CPU of an update on {kind}", "ms", used, loops, target, _parts(ours)),
        Measured("whole", "… with the store's server", "ms",
                 series("Rendezvous", ours, lambda work: work.total + work.store), loops),
        Measured("whole", f"updates a second on {kind}", "1/s", series("Rendezvous", ours, speed),
                 series(f"{peer}'s loop, one thread", peers, speed)),
    ]  # fmt: skip


def _parts(ours: Sequence[Work]) -> str:
    """Whose CPU it is."""
    each = ", ".join(f"{name} {median(work.cpu[name] for work in ours):.2f}" for name in PROCESSES)
    return f"{each} ms; the store's server {median(work.store for work in ours):.2f} ms besides"


def _looped(theirs: Loop, count: int) -> Work:
    run = theirs.run(count)
    return Work({"loop": run.cpu / count * 1000}, 0.0, count / run.seconds)


def finished(rig: Rig, mailbox: str, count: int, callers: int = CALLERS) -> Work:
    """Have so many updates done, each of another event."""
    before, done = _used(rig), succeeded(rig)
    began = time.monotonic()
    put_in(rig, mailbox, count, callers)
    await_succeeded(rig, done + count)
    took = time.monotonic() - began
    spent = {name: (seconds - before[name]) / count * 1000 for name, seconds in _used(rig).items()}
    store = spent.pop("store")
    return Work(spent, store, count / took)


def put_in(rig: Rig, mailbox: str, count: int, callers: int) -> None:
    """Ask for so many updates over HTTP, each of an event that nobody has asked for before."""
    body = json.dumps(asked(mailbox, f"AAMk{new_id('upd')}-@SERIAL@"))
    put(Job(rig.port, "/v1/updates", body, callers, requests=count, mailboxes=MAILBOXES, api_key=API_KEY))


def await_succeeded(rig: Rig, count: int) -> None:
    """Until so many have ended well since the store was new."""
    rig.until(lambda: succeeded(rig) >= count, f"{count} updates are done", patience=300)


def _used(rig: Rig) -> dict[str, float]:
    """Seconds of the processor: by kind of process, and the store's."""
    used = dict.fromkeys((*PROCESSES, "store"), 0.0)
    for name in rig.processes:
        if (kind := name.partition(".")[0]) in used:
            used[kind] += rig.cpu(name)
    return used


def succeeded(rig: Rig) -> int:
    """Updates that have ended well since the store was new. Raises RuntimeError where one ended otherwise."""
    ended = {"succeeded": 0, "dead": 0}
    for tally in rig.totals():
        if tally.client == CLIENT and tally.kind == "update" and tally.what in ended:
            ended[tally.what] += tally.count
    if ended["dead"]:
        raise RuntimeError(f"{ended['dead']} updates are dead")
    return ended["succeeded"]
