"""The Celery application: what Celery is used for here, and what it is not.

It distributes bells over processes and threads and shows them in Flower. Its own retries, countdowns, results and
chains stay unused, because on Redis they lose, double and delay messages (ops/decisions/0001).
"""

from __future__ import annotations

from celery import Celery

from workers.settings import Settings


def create(settings: Settings) -> Celery:
    """An application without tasks: enough to ring bells. workers/tasks adds what answers them."""
    app = Celery("rendezvous", broker=settings.broker_url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        beat_scheduler="workers.celery.scheduler:SweepScheduler",
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(settings.broker_url),
        enable_utc=True,
        task_acks_late=False,
        task_ignore_result=True,
        task_serializer="json",
        worker_concurrency=settings.engine.concurrency,
        worker_consumer="workers.celery.consumer:Consumer",
        worker_hijack_root_logger=False,
        worker_pool="threads",
        worker_prefetch_multiplier=1,
        worker_redirect_stdouts=False,
        worker_send_task_events=True,
    )
    return app


def _transport_options(broker_url: str) -> dict[str, object]:
    """A publisher gives up quickly, and what a dead worker had fetched is gone: sweep rings again. Kombu would keep a
    copy of each bell until it is answered, at twice the cost of the bell (ops/decisions/0015)."""
    if not broker_url.startswith(("redis", "rediss")):
        return {}
    return {
        "ack_emulation": False,
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "max_retries": 1,
        "interval_start": 0,
    }
