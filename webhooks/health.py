"""``/livez``: this process answers. ``/readyz``: what it needs answers, too. ``/metrics``: for Prometheus."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from prometheus_client import CONTENT_TYPE_LATEST

from webhooks import document
from webhooks.door import door
from webhooks.metrics import exposition
from webhooks.problems import unavailable
from workers.bell import BrokerUnavailable
from workers.store import StoreUnavailable

health = APIBlueprint("health", __name__, abp_tags=[Tag(name="operations", description="For who runs it")])


@health.get("/livez", operation_id="livez", responses=document.answers(200, "ShownHealth"))
def livez() -> Response:
    """This process answers."""
    return jsonify({"status": "ok"})


@health.get("/readyz", operation_id="readyz", responses=document.answers(200, "ShownHealth", 503))
def readyz() -> Response:
    """The store and the broker answer, and the store keeps what it is given."""
    at = door()
    try:
        at.store.check()
        at.bell.check()
    except (StoreUnavailable, BrokerUnavailable) as error:
        raise unavailable(str(error)) from None
    return jsonify({"status": "ok", "store": "ok", "broker": "ok"})


@health.get("/metrics", doc_ui=False)
def metrics() -> Response:
    at = door()
    return Response(exposition(at.store, at.settings), content_type=CONTENT_TYPE_LATEST)
