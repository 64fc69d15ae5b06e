"""One log line and one count for every request, and the headers of every answer.

Neither shows a body, a mailbox, an address or a key: the line has the same fields for every request, and each is a
number, a name from the configuration, an id of ours, or one of our own words.
"""

from __future__ import annotations

import re
import secrets
from time import perf_counter

import structlog
from flask import Flask, Response, request
from prometheus_client import Counter, Histogram

from webhooks.passage import begin, passage

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
    offered = request.headers.get("X-Request-Id", "")
    begin(offered if _REQUEST_ID.fullmatch(offered) else secrets.token_hex(16))


def _end(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "unknown"
    method = request.method if request.method in _METHODS else "other"
    known = passage()
    took = perf_counter() - known.began
    REQUESTS.labels(method, route, response.status_code).inc()
    SECONDS.labels(route).observe(took)
    if known.problem:
        REFUSED.labels(known.problem).inc()
    _log.info(
        "request", method=method, route=route, status=response.status_code,
        client=known.client.name if known.client else None, backend=known.backend, update=known.update,
        replayed=known.replayed, problem=known.problem, faults=known.faults, suspicion=known.suspicion,
        bytes=request.content_length, request_id=known.request_id, seconds=round(took, 4),
    )  # fmt: skip
    if response.calculate_content_length() == 0:
        response.headers.pop("Content-Type", None)
    response.headers["X-Request-Id"] = known.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.path.startswith("/v1/"):
        response.headers["Cache-Control"] = "no-store"
    return response
