"""A bare Celery task that does nothing, with late acks: Celery's own way of not losing work.

https://docs.celeryq.dev/en/stable/userguide/configuration.html#task-acks-late
"""

from __future__ import annotations

import os

from celery import Celery

app = Celery("plain", broker=os.environ["BENCHMARK_BROKER"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
)


@app.task(name="noop")  # type: ignore[untyped-decorator]
def noop(job_id: str) -> None:
    """Nothing."""
