"""What ``/metrics`` says: the truth of the whole system, from the store at each scrape, and this host's HTTP traffic.

Web, worker, callbacks and beat are processes of their own, on machines of their own. What they did is counted in the
store (workers/store/figures), so any web process can tell it all; each web host tells the same, so that queries take
the ``max`` over instances and not the sum. The HTTP metrics of webhooks/traffic are one host's: its gunicorn workers
share them through files (ops/gunicorn.conf.py).

No mailbox, event or address of a caller is a label; a callback's host is, while its breaker is open.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import get_args

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from workers.celery.ringer import TASKS
from workers.changes.notification import Doubt
from workers.changes.subscription import state
from workers.changes.watch import Watch, quiet
from workers.job import TITLES, State
from workers.settings import Settings
from workers.store import Store
from workers.store.figures import BUCKETS, Health, Pause, Standing, Tally

_UNSETTLED = tuple(state.value for state in State if not state.settled)
_WHERE = ["kind", "client", "backend"]
_HAPPENS = (
    ("accepted", ""), ("cancelled", ""), ("succeeded", "succeeded"), ("succeeded", "noop"), ("retried", "lost"),
    *product(("retried", "dead"), TITLES), ("took", "sum"),
)  # fmt: skip
"""What may happen to a job and how the attempt ends then, and the time that it took."""


def exposition(figures: Iterable[Metric] | None, queues: Mapping[str, int] | None) -> bytes:
    """Everything, in Prometheus' text format. ``figures``: None where the store does not tell; ``queues``: a queue's
    name → the messages in it, None where the broker does not tell."""
    own = CollectorRegistry()
    own.register(_Told((*_store(figures), *_broker(queues))))
    return generate_latest(own) + generate_latest(_traffic())


class _Told(Collector):
    """Holds metrics that have been collected already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def figures(store: Store, settings: Settings) -> Iterator[Metric]:
    """The whole system as the store knows it. Raises StoreUnavailable."""
    clients = tuple(settings.clients)
    yield from _health(store.health())
    yield _standing(store.standings(), clients)
    dead = GaugeMetricFamily("rendezvous_dead_letters", "Dead letters that wait for somebody", labels=["client"])
    for client in sorted({*clients, *store.clients()}):
        dead.add_metric([client], store.dead_count(client))
    yield dead
    dues = store.dues()
    yield _gauge("due_entries", "Jobs and mailboxes that have a due time", dues.waiting)
    yield _gauge("overdue_entries", "Those of them that are past it", dues.overdue)
    yield _gauge("oldest_due_age_seconds", "By how much the oldest is past it", dues.oldest.total_seconds())
    yield _waiting(store.waits())
    yield from _paused(store.pauses(), (*settings.backends, "callback"))
    yield from _watched(store.all_watches(), store.time())
    if (swept := store.swept_at()) is not None:
        age = max(0.0, (store.time() - swept).total_seconds())
        yield _gauge("sweep_age_seconds", "Since beat last swept", age)
    totals = store.totals()
    yield from counted((*totals, *_not_yet(totals, settings)))
    yield from _heard(totals, [one.name for one in settings.backend if one.kind == "graph"])


def _store(figures: Iterable[Metric] | None) -> Iterator[Metric]:
    yield _gauge("store_up", "Whether the store answers", int(figures is not None))
    yield from figures or ()


def _broker(queues: Mapping[str, int] | None) -> Iterator[Metric]:
    yield _gauge("broker_up", "Whether the broker answers", int(queues is not None))
    if queues is not None:
        bells = GaugeMetricFamily(
            "rendezvous_broker_queue_length", "Bells that no worker has fetched", labels=["queue"]
        )
        for queue, length in queues.items():
            bells.add_metric([queue], length)
        yield bells


def _not_yet(totals: Iterable[Tally], settings: Settings) -> Iterator[Tally]:
    """Counters at 0 for what has not happened yet: to Prometheus and its alerts a series that begins with 1 has not
    increased."""
    there = {(one.kind, one.client, one.place, one.what, one.ended) for one in totals}
    places = [("update", client, backend) for client in settings.clients for backend in settings.backends]
    places += [("callback", client, "callback") for client in settings.clients]
    places += [(kind, "", "watch") for kind in ("notification", "watch")]
    for (kind, client, place), (what, ended) in product(places, _HAPPENS):
        if (kind, client, place, what, ended) not in there:
            yield Tally(what, kind, client, ended, place, 0)


def counted(tallies: Iterable[Tally]) -> Iterator[Metric]:
    """The counters of all time."""
    accepted = CounterMetricFamily("rendezvous_jobs_accepted", "Jobs taken in", labels=_WHERE)
    cancelled = CounterMetricFamily("rendezvous_jobs_cancelled", "Jobs taken back", labels=_WHERE)
    attempts = CounterMetricFamily("rendezvous_attempts", "Attempts: what came of the job (succeeded, retried, dead), "
                                   "and how the attempt ended", labels=[*_WHERE, "result", "outcome"])  # fmt: skip
    took: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for tally in tallies:
        where = (tally.kind, tally.client, tally.place)
        match tally.what:
            case "accepted":
                accepted.add_metric(where, tally.count)
            case "cancelled":
                cancelled.add_metric(where, tally.count)
            case "took":
                took[where][tally.ended] = tally.count
            case "late" | "doubted":
                pass
            case result:
                attempts.add_metric([*where, result, tally.ended], tally.count)
    yield from (accepted, cancelled, attempts, _durations(took))


def _durations(took: Mapping[tuple[str, str, str], Mapping[str, int]]) -> Metric:
    family = HistogramMetricFamily("rendezvous_time_to_done_seconds", "From acceptance to the end", labels=_WHERE)
    there = {int(bound) for counts in took.values() for bound in counts if bound.isdigit()}
    bounds = sorted({*BUCKETS, *there})
    for where, counts in took.items():
        so_far, buckets = 0, []
        for bound in bounds:
            so_far += counts.get(str(bound), 0)
            buckets.append((str(bound / 1000), float(so_far)))
        buckets.append(("+Inf", float(so_far + counts.get("inf", 0))))
        family.add_metric(where, buckets, counts.get("sum", 0) / 1000)
    return family


def _standing(standings: Iterable[Standing], clients: Iterable[str]) -> Metric:
    """A series for every client and state, also where it is 0: an alert or a scaler must always find one."""
    family = GaugeMetricFamily("rendezvous_jobs", "Unsettled jobs", labels=["kind", "client", "state"])
    kinds: list[str] = [*TASKS]
    counts = {(kind, client, state): 0 for kind in kinds for client in clients for state in _UNSETTLED}
    counts |= {(one.kind, one.client, one.state): one.count for one in standings}
    for labels, count in counts.items():
        family.add_metric(labels, count)
    return family


def _waiting(waits: Mapping[str, timedelta]) -> Metric:
    family = GaugeMetricFamily(
        "rendezvous_oldest_waiting_seconds", "How long the oldest job that could run has waited", labels=["kind"]
    )
    for kind in TASKS:
        family.add_metric([kind], waits.get(kind, timedelta()).total_seconds())
    return family


def _paused(pauses: Iterable[Pause], places: Iterable[str]) -> Iterator[Metric]:
    lanes = GaugeMetricFamily("rendezvous_lanes_paused", "Mailboxes and callback hosts left alone", labels=["backend"])
    breakers = GaugeMetricFamily("rendezvous_callback_breaker_open", "Callback hosts left alone", labels=["host"])
    counts = dict.fromkeys(places, 0)
    hosts = set[str]()
    for pause in pauses:
        place, _, rest = pause.lane.partition("/")
        counts[place] = counts.get(place, 0) + 1
        if place == "callback":
            hosts.add(rest.rpartition("@")[2])
    for host in sorted(hosts):
        breakers.add_metric([host], 1)
    for place, count in counts.items():
        lanes.add_metric([place], count)
    yield from (lanes, breakers)


def _watched(watches: Collection[Watch], now: datetime) -> Iterator[Metric]:
    """How many mailboxes are watched, and when the first Graph subscription of each backend would expire."""
    counts = Counter((watch.backend, state(watch)) for watch in watches)
    watched = GaugeMetricFamily("rendezvous_watches", "Mailboxes listened to", labels=["backend", "state"])
    for labels, count in counts.items():
        watched.add_metric(labels, count)
    first: dict[str, datetime] = {}
    for watch in watches:
        if watch.expires is not None:
            first[watch.backend] = min(watch.expires, first.get(watch.backend, watch.expires))
    expiry = GaugeMetricFamily(
        "rendezvous_subscription_expiry_seconds", "Until the first Graph subscription expires", labels=["backend"]
    )
    for backend, moment in first.items():
        expiry.add_metric([backend], (moment - now).total_seconds())
    silent = GaugeMetricFamily(
        "rendezvous_subscriptions_quiet", "Live Graph subscriptions that are silent for longer than they ever are",
        labels=["backend"],
    )  # fmt: skip
    for backend in first:
        silent.add_metric([backend], sum(watch.backend == backend and quiet(watch, now) for watch in watches))
    yield from (watched, expiry, silent)


def _heard(tallies: Iterable[Tally], backends: Iterable[str]) -> Iterator[Metric]:
    """What is wrong with Graph's notifications: some that never came, and some that were not believed."""
    late = CounterMetricFamily(
        "rendezvous_changes_found_late", "Changes that we found and Graph had not told by then", labels=["backend"]
    )
    doubted = CounterMetricFamily(
        "rendezvous_notifications_doubted", "Rich notifications that proved nothing", labels=["backend", "reason"]
    )
    counts = {(one.what, one.place, one.ended): one.count for one in tallies}
    for backend in backends:
        late.add_metric([backend], counts.get(("late", backend, ""), 0))
        for reason in get_args(Doubt):
            doubted.add_metric([backend, reason], counts.get(("doubted", backend, reason), 0))
    yield from (late, doubted)


def _health(health: Health) -> Iterator[Metric]:
    yield _gauge("store_durable", "Whether the store keeps what it is given", int(health.problem is None))
    yield _gauge("store_memory_bytes", "What the store uses", health.memory)
    yield _gauge("store_memory_limit_bytes", "What the store may use; 0: no limit", health.memory_limit)
    yield _gauge("store_sequence", "Rises with every acceptance and claim; falls if writes are lost", health.sequence)


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(f"rendezvous_{name}", documentation, value=value)


def _traffic() -> CollectorRegistry:
    """What webhooks/traffic counted: of all gunicorn workers where they share a folder, else of this process."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return REGISTRY
    shared = CollectorRegistry()
    if Path(folder).is_dir():  # the folder may have been removed, and the store's figures must be told all the same
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # untyped there
    return shared
