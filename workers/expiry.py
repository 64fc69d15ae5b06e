"""Updates whose deadline passes while they wait, for their turn or for a mailbox that is paused, end without a turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from workers import retry
from workers.callbacks.callback import for_update
from workers.job import State
from workers.store import Ring, Store
from workers.update import rfc3339

AT_ONCE = 50


def expire(store: Store, now: datetime) -> Iterator[tuple[Ring, ...]]:
    """Give up AT_ONCE of them, the longest overdue first; the bells to ring."""
    for job_id in store.overdue(now, AT_ONCE):
        job = store.update(job_id)
        failure = retry.expired(*retry.last_answer(job.attempts if job else ()), in_doubt=False).failure
        callback = None
        if job is not None:
            ended = replace(job, state=State.DEAD, error=failure.to_json(), finished_at=rfc3339(now), due_at=None)
            callback = for_update(ended)
        yield store.expire(job_id, now, failure, callback)
