"""Puts updates into the store without HTTP: ``Store.accept`` and the bell.

``python -m tests.benchmarks.feed ours|celery``: no-op work for the engine's measurement, as a process of its own whose
cost is counted; so much at a time as each line of standard input says. Celery's is put in with ``apply_async``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from tests.benchmarks.peers.loop import serve
from tests.benchmarks.rig import CLIENT
from workers import celery as application
from workers.celery.bell import Bell
from workers.configuration import load
from workers.identifiers import new_id
from workers.settings import Settings
from workers.store import Store
from workers.update import Intent, Target, Update

DAY = timedelta(days=1)


class Feed:
    """What a web process has of the store and the broker."""

    def __init__(self, settings: Settings) -> None:
        self._store, self._bell, self._settings = Store.connect(settings), Bell(application.create(settings)), settings

    def put(self, targets: Iterable[Target]) -> list[str]:
        """One update for each target; their ids. Returns when their bells are rung."""
        ids = [self._put(target) for target in targets]
        self._bell.flush(60)
        return ids

    def _put(self, target: Target) -> str:
        now, update_id = datetime.now(UTC), new_id("upd")
        intent = Intent(set={"subject": f"Has moved, {update_id}"})
        update = Update(update_id, CLIENT, target, intent, now, now + DAY)
        room = self._settings.backends[target.backend].max_concurrency
        self._bell.ring(*self._store.accept(update, key=update_id, fingerprint=update_id, room=room).rings)
        return update_id


def _celery() -> Callable[[int, int], None]:
    from tests.benchmarks.peers.celery_noop import noop

    def feed(number: int, threads: int) -> None:
        for _ in range(number):
            noop.apply_async((new_id("upd"),))

    return feed


def _ours() -> Callable[[int, int], None]:
    feed = Feed(load())

    def put(number: int, threads: int) -> None:
        feed.put(Target("hq", f"AAMk{new_id('upd')}", f"{serial % 200:08d}@hq.example") for serial in range(number))

    return put


if __name__ == "__main__":
    serve({"ours": _ours, "celery": _celery}[sys.argv[1]]())
