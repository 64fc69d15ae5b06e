"""What passes the door: one log line and one count per request, and the headers that every answer bears.

Neither shows a body, a mailbox, an address or a key: the line has the same fields for every request, and each is a
number, a name from the configuration, an id of ours, or one of our own words.
"""

from __future__ import annotations

import re
from time import perf_counter
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram

REQUESTS = Counter("rendezvous_http_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("rendezvous_http_request_seconds", "How long answers took", ["route"])
ACCEPTED = Counter("rendezvous_updates_accepted", "Updates accepted with 202", ["client", "replayed"])
REFUSED = Counter("rendezvous_http_refused", "Requests answered with a problem", ["problem"])
LOST = Counter("rendezvous_bells_lost", "Bells that the broker did not take from this host; sweep rings for them")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_log = structlog.get_logger("webhooks")


def install(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began = perf_counter()
    offered = request.headers.get("X-Request-Id", "")
    g.request_id = offered if _REQUEST_ID.fullmatch(offered) else uuid4().hex


def _end(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "unknown"
    method = request.method if request.method in _METHODS else "other"
    took = perf_counter() - g.began
    client = g.client.name if "client" in g else None
    REQUESTS.labels(method, route, response.status_code).inc()
    SECONDS.labels(route).observe(took)
    if problem := g.get("problem"):
        REFUSED.labels(problem).inc()
    _log.info(
        "request", method=method, route=route, status=response.status_code, client=client, backend=g.get("backend"),
        update=g.get("update_id"), replayed=g.get("replayed"), problem=problem, faults=g.get("faults"),
        suspicion=g.get("suspicion"), bytes=request.content_length, request_id=g.request_id, seconds=round(took, 4),
    )  # fmt: skip
    response.headers["X-Request-Id"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.path.startswith("/v1/"):
        response.headers["Cache-Control"] = "no-store"
    return response
