"""The parts of a worker process, put together once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

from celery import Celery

from workers import trace
from workers.callbacks.callback import Deliverer
from workers.celery.bell import Bell
from workers.changes.feed import Feed, Push
from workers.changes.telling import Teller
from workers.changes.tending import Tender
from workers.ews.call import Caller
from workers.ews.exchange import EwsExchange
from workers.ews.feed import EwsFeed
from workers.exchange import Exchange
from workers.executor import Executor
from workers.graph.calendar_view_delta import GraphFeed
from workers.graph.connection import Connection
from workers.graph.exchange import GraphExchange
from workers.graph.proof import Prover
from workers.graph.rich_notification import Certificate, certificate
from workers.graph.signing_keys import SigningKeys
from workers.graph.subscriptions import GraphPush
from workers.leases import Leases
from workers.settings import EwsBackend, GraphBackend, Settings
from workers.store import Store
from workers.tls import trust

Connections: TypeAlias = Mapping[str, Connection | Caller]


def build(settings: Settings, app: Celery, *, clock: Callable[[], datetime], dice: Callable[[], float]) -> Executor:
    """An executor with its store, bell, leases, backends and callback deliverer. Opens no connection yet."""
    store, bell = Store.connect(settings), Bell(app)
    called = connections(settings)
    backends = {name: trace.traced(exchange) for name, exchange in exchanges(called).items()}
    feeds, pushes = hearing(settings, called)
    return Executor(
        settings=settings,
        store=store,
        bell=bell,
        leases=Leases(store, timedelta(seconds=settings.engine.lease)),
        exchanges=backends,
        deliverer=Deliverer(settings.clients, trust(), trust(*(backend.ca_file for backend in settings.backend))),
        clock=clock,
        dice=dice,
        others={
            "notification": Teller(settings, store, bell, backends, clock, dice, provers(settings, clock)).tell,
            "watch": Tender(settings, store, bell, feeds, pushes, dice).tend,
        },
    )


def connections(settings: Settings) -> Connections:
    """How each backend is called, by its name: all that call it share its sign-in and its sockets."""
    return {
        backend.name: Connection(backend)
        if backend.kind == "graph"
        else Caller(backend, instead=_instead(backend, settings))
        for backend in settings.backend
    }


def exchanges(called: Connections) -> Mapping[str, Exchange]:
    """Each configured backend by its name."""
    return {name: EwsExchange(one) if isinstance(one, Caller) else GraphExchange(one) for name, one in called.items()}


def hearing(settings: Settings, called: Connections) -> tuple[Mapping[str, Feed], Mapping[str, Push]]:
    """How each backend is heard of, by its name. Graph pushes where it is told how to reach us."""
    feeds: dict[str, Feed] = {}
    pushes: dict[str, Push] = {}
    for backend in settings.backend:
        match backend, called[backend.name]:
            case GraphBackend(base_url=url), Connection() as connection:
                feeds[backend.name] = GraphFeed(connection, url)
                if settings.public_url is not None:
                    seal = next(iter(certificates(backend)), None)
                    pushes[backend.name] = GraphPush(connection, url, settings.public_url, seal)
            case _, Caller() as caller:
                feeds[backend.name] = EwsFeed(caller)
    return feeds, pushes


def provers(settings: Settings, clock: Callable[[], datetime]) -> Mapping[str, Prover]:
    """Who judges rich notifications, for each backend that is to send them."""
    found: dict[str, Prover] = {}
    for backend in settings.backend:
        if backend.kind == "graph" and backend.notification_certificate_files:
            keys = SigningKeys(backend)
            found[backend.name] = Prover(backend, certificates(backend), keys.find, clock, beside=found.values())
    return found


def certificates(backend: GraphBackend) -> tuple[Certificate, ...]:
    """Those with which Graph seals notifications, the newest first. Raises ValueError for a file without one."""
    return tuple(certificate(path.read_bytes()) for path in backend.notification_certificate_files)


def _instead(backend: EwsBackend, settings: Settings) -> str | None:
    """The Graph backend to use where Exchange Online refuses EWS: one for the same mailboxes, else any."""
    graph = [other for other in settings.backend if other.kind == "graph"]
    same = [other for other in graph if set(other.mailboxes) & set(backend.mailboxes)]
    return next((other.name for other in (*same, *graph)), None)
