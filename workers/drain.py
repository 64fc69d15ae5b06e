"""How a worker process begins and ends.

SIGTERM: no more claims, what runs may finish, and after ``GRACE`` what is left is handed back and the process ends -
within ten seconds in all. A hand-back is only a courtesy: a lease that is not handed back ends by itself.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import structlog
from celery.signals import task_received, worker_init, worker_shutting_down

from workers.bell import TASKS
from workers.executor import Executor
from workers.store import StoreUnavailable
from workers.watchdog import Watchdog

GRACE = 8.0

_log = structlog.get_logger(__name__)


def connect(engine: Executor) -> None:
    """Start and stop the engine with the Celery worker of this process."""

    def begin(sender: Any, **_: Any) -> None:
        queues = sender.app.amqp.queues.consume_from
        kinds = [kind for kind, (_, queue) in TASKS.items() if queue in queues]
        watchdog = Watchdog(engine.store, engine.leases, kinds, engine.bell.check)
        task_received.connect(lambda **_: watchdog.heard(), weak=False)
        watchdog.start()
        engine.leases.start()

    def end(**_: Any) -> None:
        engine.leases.close()
        timer = threading.Timer(GRACE, _leave, [engine])
        timer.daemon = True
        timer.start()

    worker_init.connect(begin, weak=False)
    worker_shutting_down.connect(end, weak=False)


def _leave(engine: Executor) -> None:
    held = engine.leases.held()
    _log.warning("leaving although jobs still run", jobs=[grant.id for grant in held])
    try:
        engine.bell.ring(*engine.store.hand_back(held))
        engine.bell.flush(timeout=1.0)
    except StoreUnavailable as error:
        _log.warning("jobs not handed back, their leases end by themselves", error=str(error))
    os._exit(0)
