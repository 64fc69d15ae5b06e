"""The one way in which an update is taken in, whichever view it came through.

What is asked is read by webhooks/schema, judged by webhooks/admission, kept by workers/store.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, jsonify, request

from webhooks import problems, schema
from webhooks.admission import Admitted, admit, overdue
from webhooks.door import Door, door
from webhooks.passage import passage
from webhooks.problems import Problem
from webhooks.traffic import ACCEPTED
from workers import trace
from workers.failpoint import failpoint
from workers.identifiers import new_id
from workers.job import State, UpdateJob
from workers.public import public
from workers.settings import Client
from workers.store import Accepted, BacklogFull, Limits
from workers.update import Json

_FULL = {
    "client": "As many updates of your client are waiting as may wait at once.",
    "mailbox": "As many updates of this mailbox are waiting as may wait at once.",
}
_DRAINING = 30
"""Seconds after which it is worth trying again if too many updates wait."""


def accept(document: Mapping[str, Json], client: Client, *, key: str, fingerprint: str) -> Response:
    """Answers 202 with the update once it is durable, and with the same update if key and fingerprint are the same
    again. ``key``: the idempotency key, hashed. Raises Problem: 403, 422 or 429."""
    with trace.span("accept", trace.received(request.headers.get("traceparent")), client=client.name):
        return _accepted(document, client, key, fingerprint)


def _accepted(document: Mapping[str, Json], client: Client, key: str, fingerprint: str) -> Response:
    at = door()
    asked = schema.read(document)
    if isinstance(asked, tuple):
        raise problems.invalid(asked)
    now = at.clock()
    admitted = admit(asked, client, at.settings, update_id=new_id("upd"), now=now, traceparent=trace.current())
    passage().backend = admitted.update.target.backend
    if (late := overdue(asked, now)) and at.store.earlier(client.name, key) is None:
        raise problems.invalid([late])
    accepted = _kept(at, admitted, client, key, fingerprint)
    failpoint("accept.after")
    return _answer(at, admitted, accepted)


def _kept(at: Door, admitted: Admitted, client: Client, key: str, fingerprint: str) -> Accepted:
    limits = Limits(client=client.max_backlog, mailbox=client.max_backlog_per_mailbox)
    failpoint("accept.before")
    try:
        return at.store.accept(admitted.update, key=key, fingerprint=fingerprint, room=admitted.room, limits=limits)
    except BacklogFull as full:
        raise Problem(problems.BACKLOG_FULL, _FULL[full.which], headers={"Retry-After": str(_DRAINING)}) from None


def _answer(at: Door, admitted: Admitted, accepted: Accepted) -> Response:
    known = passage()
    known.update, known.replayed = accepted.id, not accepted.created
    if not accepted.same_body:
        raise Problem(problems.KEY_REUSED, "This Idempotency-Key was used with another body.")
    at.bell.ring(*accepted.rings)
    if accepted.created:
        # Not read back: it is durable, and a read that fails now must not make it look refused.
        return _receipt(UpdateJob(admitted.update, State.QUEUED), replayed=False)
    earlier = at.store.update(accepted.id)
    if earlier is None:
        raise Problem(problems.KEY_REUSED, "The update that this Idempotency-Key stands for is no longer kept.")
    return _receipt(earlier, replayed=True)


def _receipt(job: UpdateJob, *, replayed: bool) -> Response:
    ACCEPTED.labels(job.update.client, str(replayed).lower()).inc()
    response = jsonify(public(job))
    response.status_code = 202
    response.headers["Location"] = f"/v1/updates/{job.update.id}"
    response.headers["Retry-After"] = "1"
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response
