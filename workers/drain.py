"""How a worker process begins and ends.

After SIGTERM it claims nothing more and lets its jobs finish; after ``GRACE`` seconds it hands back those that are left
and ends, within ten seconds in all. Handing back is only a courtesy: a lease that is not handed back ends by itself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import structlog
from celery.signals import task_received, worker_init, worker_shutting_down

from workers.celery.ringer import QUEUES
from workers.celery.watchdog import Watchdog
from workers.executor import Executor
from workers.store import StoreUnavailable

GRACE = 8.0
AT_LATEST = 9.5
"""Seconds after which the process ends even if handing back hangs: a store that does not answer may take longer than
there is time."""

_log = structlog.get_logger(__name__)


def connect(executor: Executor) -> None:
    """Start and stop its leases and bells with the Celery worker of this process."""

    def begin(sender: Any, **_: Any) -> None:
        queues = sender.app.amqp.queues.consume_from
        kinds = [kind for kind, queue in QUEUES.items() if queue in queues]
        watchdog = Watchdog(executor.store, executor.leases, kinds, executor.bell.check)
        task_received.connect(lambda **_: watchdog.heard(), weak=False)
        watchdog.start()
        executor.leases.start()

    def end(**_: Any) -> None:
        executor.leases.close()
        _after(GRACE, _leave, executor)
        _after(AT_LATEST, os._exit, 0)

    worker_init.connect(begin, weak=False)
    worker_shutting_down.connect(end, weak=False)


def _after(seconds: float, then: Callable[[Any], object], what: Any) -> None:
    timer = threading.Timer(seconds, then, [what])
    timer.daemon = True
    timer.start()


def _leave(executor: Executor) -> None:
    held = executor.leases.held()
    _log.warning("leaving although jobs still run", jobs=[grant.id for grant in held])
    try:
        executor.bell.ring(*executor.store.hand_back(held))
        executor.bell.flush(timeout=1.0)
    except StoreUnavailable as error:
        _log.warning("jobs not handed back, their leases end by themselves", error=str(error))
    os._exit(0)
