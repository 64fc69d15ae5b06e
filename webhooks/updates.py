"""``/v1/updates``: ask for an update, read it, list them, cancel one.

Thin: what is asked is read by webhooks/schema, judged by webhooks/admission, kept by workers/store.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated

from flask import Response, g, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from webhooks import document, idempotency, intake, problems, schema
from webhooks.admission import Admitted, admit, overdue
from webhooks.door import Door, door
from webhooks.problems import Problem
from webhooks.traffic import ACCEPTED
from workers.callback import for_update
from workers.identifiers import new_id
from workers.job import State, UpdateJob
from workers.public import public
from workers.store import BadCursor, Cancelled
from workers.update import rfc3339

_ID = re.compile(r"upd_[0-9A-HJKMNP-TV-Z]{26}")


class UpdatePath(BaseModel):
    id: Annotated[str, Field(description="The update's id", json_schema_extra={"pattern": f"^{_ID.pattern}$"})]


def _digits(text: str) -> str:
    if not text.isascii() or not text.isdigit():
        raise ValueError("must be a whole number")
    return text


class ListQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: State | None = Field(None, description="Only updates in this state")
    mailbox: str | None = Field(None, pattern="^[!-~]{1,320}$", description="Only updates of this mailbox")
    limit: Annotated[int, BeforeValidator(_digits)] = Field(20, ge=1, le=100, description="How many")
    cursor: str | None = Field(None, pattern="^[!-~]{1,200}$", description="nextCursor of the page before")


updates = APIBlueprint(
    "updates",
    __name__,
    url_prefix="/v1/updates",
    abp_tags=[Tag(name="updates", description="Changes of calendar events")],
    abp_security=[{"apiKey": []}],
)
updates.before_request(intake.authenticate)


@updates.post(
    "",
    summary="Ask for an update",
    operation_id="createUpdate",
    request_body=document.ASKED,
    openapi_extensions=document.CREATE,
    responses=document.answers(
        202, "ShownUpdate", 400, 401, 403, 413, 415, 422, 503, headers=document.ACCEPTED_HEADERS
    ),
)
def create() -> Response:
    """202 only after the update is durable. The same key and body again: the same update."""
    at = door()
    content = intake.content()
    key = intake.key()
    asked = schema.read(content)
    if isinstance(asked, tuple):
        raise problems.invalid(asked)
    now = at.clock()
    admitted = admit(asked, g.client, at.settings, update_id=new_id("upd"), now=now)
    if (late := overdue(asked, now)) and at.store.earlier(g.client.name, key) is None:
        raise problems.invalid([late])
    return _accepted(at, admitted, key, idempotency.fingerprint(content))


@updates.get(
    "",
    summary="List updates",
    operation_id="listUpdates",
    responses=document.answers(200, "ShownPage", 400, 401, 503),
)
def listed(query: ListQuery) -> Response:
    """The client's updates, newest first."""
    intake.check_parameters()
    try:
        page = door().store.updates(
            g.client.name, state=query.state, mailbox=query.mailbox, limit=query.limit, cursor=query.cursor
        )
    except BadCursor as error:
        raise problems.unreadable("cursor", str(error)) from None
    return jsonify({"items": [public(job) for job in page.jobs], "nextCursor": page.next_cursor})


@updates.get(
    "/<string:id>",
    summary="Read an update",
    operation_id="readUpdate",
    responses=document.answers(200, "ShownUpdate", 401, 404, 503),
)
def shown(path: UpdatePath) -> Response:
    """The update as it stands."""
    return jsonify(public(_own(door(), path.id)))


@updates.post(
    "/<string:id>/cancel",
    summary="Cancel an update",
    operation_id="cancelUpdate",
    responses=document.answers(200, "ShownUpdate", 401, 404, 409, 503),
)
def cancel(path: UpdatePath) -> Response:
    """The update is taken back while it waits; 409 once it runs or has ended."""
    at = door()
    job = _own(at, path.id)
    cancelled = replace(job, state=State.CANCELLED, finished_at=rfc3339(at.clock()), due_at=None)
    came, rings = at.store.cancel(path.id, for_update(cancelled))
    at.bell.ring(*rings)
    if came in (Cancelled.RUNNING, Cancelled.ENDED):
        said = "It is being applied right now." if came is Cancelled.RUNNING else "It has ended already."
        raise Problem(problems.NOT_CANCELLABLE, said)
    return jsonify(public(_own(at, path.id)))


def _accepted(at: Door, admitted: Admitted, key: str, fingerprint: str) -> Response:
    accepted = at.store.accept(admitted.update, key=key, fingerprint=fingerprint, room=admitted.room)
    g.update_id = accepted.id
    if not accepted.same_body:
        raise Problem(problems.KEY_REUSED, "This Idempotency-Key was used with another body.")
    at.bell.ring(*accepted.rings)
    ACCEPTED.labels(g.client.name, str(not accepted.created).lower()).inc()
    if accepted.created:
        # Not read back: it is durable, and a read that fails now must not make it look refused.
        return _receipt(UpdateJob(admitted.update, State.QUEUED), replayed=False)
    earlier = at.store.update(accepted.id)
    if earlier is None:
        raise Problem(problems.KEY_REUSED, "The update that this Idempotency-Key stands for is no longer kept.")
    return _receipt(earlier, replayed=True)


def _receipt(job: UpdateJob, *, replayed: bool) -> Response:
    response = jsonify(public(job))
    response.status_code = 202
    response.headers["Location"] = f"/v1/updates/{job.update.id}"
    response.headers["Retry-After"] = "1"
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _own(at: Door, update_id: str) -> UpdateJob:
    """The client's update. Another client's is not there at all."""
    job = at.store.update(update_id) if _ID.fullmatch(update_id) else None
    if job is None or job.update.client != g.client.name:
        raise Problem(problems.NOT_FOUND, "There is no update of this id.")
    g.update_id = update_id
    return job
