"""The processes: does web answer, and does a worker serve each queue? For beat see doctor/store."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx
from celery.exceptions import DuplicateNodenameWarning

from workers import celery
from workers.celery.bell import BrokerUnavailable, connected
from workers.celery.ringer import QUEUES
from workers.cli.api import WHOM_TO_TRUST, client, refuses_tls
from workers.cli.doctor.finding import Finding
from workers.cli.failure import Failed
from workers.settings import Settings

ASK = 2.0
"""Seconds within which workers have to answer."""
PROCESSES = {"updates": "worker", "callbacks": "callbacks", "notifications": "worker"}
"""Queue → the process of the Procfile that serves it."""


def check_web(url: str) -> Iterable[Finding]:
    """GET /readyz."""
    try:
        with client(url, timeout=5) as http:
            answer = http.get("/readyz")
    except httpx.HTTPError as error:
        start = "Start `web` of the Procfile, or say where it is with --url or RENDEZVOUS_URL."
        remedy = WHOM_TO_TRUST if refuses_tls(error) else start
        return (Finding.wrong("web", f"{url} does not answer: {error}", remedy),)
    except Failed as error:
        return (Finding.wrong("web", f"{url} cannot be asked", error.message),)
    return (judge_web(url, answer),)


def judge_web(url: str, answer: httpx.Response) -> Finding:
    """200 means ready; the problem of a 503 says what is missing."""
    if answer.status_code == 200:
        return Finding.good("web", f"{url} is ready")
    if answer.status_code != 503:
        return Finding.wrong("web", f"{url}/readyz answers {answer.status_code}", "Is it Rendezvous? See --url.")
    try:
        detail = str(answer.json().get("detail"))
    except (ValueError, AttributeError):
        detail = "it does not say why"
    return Finding.wrong("web", f"{url} is not ready: {detail}", "Look at the store and the broker as *it* sees them.")


def check_workers(settings: Settings) -> Iterable[Finding]:
    """Ask every Celery worker which queues it serves."""
    warnings.simplefilter("ignore", DuplicateNodenameWarning)  # Python would print it among the findings
    with celery.create(settings) as app:
        try:
            with connected(app) as connection:
                served = app.control.inspect(timeout=ASK, connection=connection).active_queues()
        except BrokerUnavailable as error:
            return (Finding.wrong("workers", f"cannot be asked: {error}", "See to the broker first."),)
    return tuple(judge_workers(served or {}))


def judge_workers(served: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterator[Finding]:
    """``served``: worker → its queues, as Celery reports them."""
    for queue in dict.fromkeys(QUEUES.values()):
        names = sorted(worker for worker, queues in served.items() if any(one.get("name") == queue for one in queues))
        process = PROCESSES.get(queue, queue)
        name = process if process == queue else f"{process} ({queue})"
        if names:
            yield Finding.good(name, f"{len(names)} alive: {', '.join(names)}")
        else:
            yield Finding.wrong(name, f"nobody serves the queue {queue}", f"Start `{process}` of the Procfile.")
