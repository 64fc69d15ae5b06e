"""``/livez``: this process answers. ``/readyz``: what it needs answers, too. ``/metrics``: for Prometheus.

Each answers in a bounded time, whatever hangs behind it: a probe that is given up tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self, cast

from flask import Response, current_app, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.core import Metric

from webhooks import document, metrics
from webhooks.door import Door, door
from webhooks.probe import Probe
from webhooks.problems import unavailable
from workers import celery
from workers.celery import queues
from workers.celery.bell import BrokerUnavailable
from workers.store import StoreUnavailable

READY_WITHIN = 0.9
"""Seconds for each of store and broker, so that both are told of within two; Kubernetes' probe waits for five
(ops/kubernetes/web.yaml)."""
TOLD_WITHIN = 3.0
"""Seconds for the store's figures; Prometheus waits for ten."""
COUNTED_WITHIN = 1.0
"""Seconds for the lengths of the broker's queues."""

_PLACE = "rendezvous-health"
_ASK_NO_STORE = frozenset({None, "health", "manual", "swagger"})
"""Blueprints whose views do without the store, or know how to ask one that hangs."""

health = APIBlueprint("health", __name__, abp_tags=[Tag(name="operations", description="For who runs it")])


@dataclass(frozen=True, slots=True)
class Probes:
    """What may hang. Made once for each app."""

    store: Probe[None]
    broker: Probe[None]
    figures: Probe[Sequence[Metric]]
    queues: Probe[Mapping[str, int]]

    @classmethod
    def of(cls, at: Door) -> Self:
        app = celery.create(at.settings)
        return cls(
            Probe(at.store.check, READY_WITHIN),
            Probe(at.bell.check, READY_WITHIN),
            Probe(lambda: tuple(metrics.figures(at.store, at.settings)), TOLD_WITHIN),
            Probe(lambda: queues.lengths(app), COUNTED_WITHIN),
        )


def probes() -> Probes:
    """Those of the app that answers the current request."""
    if _PLACE not in current_app.extensions:
        current_app.extensions[_PLACE] = Probes.of(door())
    return cast(Probes, current_app.extensions[_PLACE])


def refuse_while_the_store_hangs() -> None:
    """Before every request. Each would hold a thread for seconds, until none is left that could say that we live.
    Raises Problem (503)."""
    if request.blueprint in _ASK_NO_STORE or request.endpoint == "console.static" or not door().store.hangs:
        return
    with suppress(StoreUnavailable):  # whether that matters the view knows
        try:
            probes().store.ask()
        except TimeoutError:
            raise unavailable("The store that keeps the updates hangs, or is out of reach.") from None


def queue_lengths() -> Mapping[str, int] | None:
    """Each of the broker's queues → the bells in it; None where it does not tell in time."""
    try:
        return probes().queues.ask()
    except (BrokerUnavailable, TimeoutError):
        return None


@health.get("/livez", operation_id="livez", responses=document.answers(200, "ShownHealth"))
def livez() -> Response:
    """This process answers."""
    return jsonify({"status": "ok"})


@health.get("/readyz", operation_id="readyz", responses=document.answers(200, "ShownHealth", 503))
def readyz() -> Response:
    """The store and the broker answer, and the store keeps what it is given. Told within two seconds."""
    for name, probe in {"store": probes().store, "broker": probes().broker}.items():
        try:
            probe.ask()
        except (StoreUnavailable, BrokerUnavailable) as error:
            raise unavailable(str(error)) from None
        except TimeoutError:
            raise unavailable(f"the {name} does not answer in time: it hangs, or is out of reach") from None
    return jsonify({"status": "ok", "store": "ok", "broker": "ok"})


@health.get("/metrics", doc_ui=False)
def shown_metrics() -> Response:
    try:
        figures = probes().figures.ask()
    except (StoreUnavailable, TimeoutError):
        figures = None
    return Response(metrics.exposition(figures, queue_lengths()), content_type=CONTENT_TYPE_LATEST)
