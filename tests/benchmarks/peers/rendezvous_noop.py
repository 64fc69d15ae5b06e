"""Our own worker, whose attempt at an update does nothing: what is left is the engine.

``celery --app tests.benchmarks.peers.rendezvous_noop worker`` instead of ``workers.tasks``.
"""

from __future__ import annotations

from dataclasses import replace

from workers import tasks
from workers.job import Result
from workers.outcome import Outcome, Succeeded
from workers.store import Grant

DONE = Succeeded(Result(version=None, noop=True))


def nothing(grant: Grant) -> Outcome:
    return DONE


tasks._engine = replace(tasks._engine, others={**tasks._engine.others, "update": nothing})
app = tasks.app
