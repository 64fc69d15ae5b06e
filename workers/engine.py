"""The parts of a worker process, put together once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from celery import Celery

from workers.bell import Bell
from workers.callback import Deliverer
from workers.ews.exchange import EwsExchange
from workers.exchange import Exchange
from workers.executor import Executor
from workers.graph.client import GraphExchange
from workers.leases import Leases
from workers.settings import EwsBackend, Settings
from workers.store import Store
from workers.tls import trust


def build(settings: Settings, app: Celery, *, clock: Callable[[], datetime], dice: Callable[[], float]) -> Executor:
    """An executor with its store, bell, leases, backends and callback deliverer. Opens no connection yet."""
    store = Store.connect(settings)
    return Executor(
        settings=settings,
        store=store,
        bell=Bell(app),
        leases=Leases(store, timedelta(seconds=settings.engine.lease)),
        exchanges=exchanges(settings),
        deliverer=Deliverer(settings.clients, trust(), trust(*(backend.ca_file for backend in settings.backend))),
        clock=clock,
        dice=dice,
    )


def exchanges(settings: Settings) -> Mapping[str, Exchange]:
    """Each configured backend by its name."""
    return {
        backend.name: GraphExchange(backend)
        if backend.kind == "graph"
        else EwsExchange(backend, instead=_instead(backend, settings))
        for backend in settings.backend
    }


def _instead(backend: EwsBackend, settings: Settings) -> str | None:
    """The Graph backend to use where Exchange Online refuses EWS: one for the same mailboxes, else any."""
    graph = [other for other in settings.backend if other.kind == "graph"]
    same = [other for other in graph if set(other.mailboxes) & set(backend.mailboxes)]
    return next((other.name for other in (*same, *graph)), None)
