"""``/v1/updates``: ask for an update, read it, list them, cancel one.

Thin: an update is taken in by webhooks/acceptance, kept by workers/store.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from webhooks import acceptance, document, idempotency, intake, problems
from webhooks.door import Door, door
from webhooks.page import PageQuery
from webhooks.passage import client, passage
from webhooks.problems import Problem
from workers.callbacks.callback import for_update
from workers.job import State, UpdateJob
from workers.public import public
from workers.store import Cancelled, Search
from workers.update import rfc3339

_ID = re.compile(r"upd_[0-9A-HJKMNP-TV-Z]{26}")


class UpdatePath(BaseModel):
    id: Annotated[str, Field(description="The update's id", json_schema_extra={"pattern": f"^{_ID.pattern}$"})]


class ListQuery(PageQuery):
    state: State | None = Field(None, description="Only updates in this state")
    mailbox: str | None = Field(None, pattern="^[!-~]+$", max_length=320, description="Only updates of this mailbox")


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
        202, "ShownUpdate", 400, 401, 403, 413, 415, 422, 429, 503, headers=document.ACCEPTED_HEADERS
    ),
)
def create() -> Response:
    """202 only after the update is durable. The same key and body again: the same update."""
    content = intake.content()
    return acceptance.accept(content, client(), key=intake.required_key(), fingerprint=idempotency.fingerprint(content))


@updates.get(
    "",
    summary="List updates",
    operation_id="listUpdates",
    responses=document.answers(200, "ShownPage", 400, 401, 429, 503),
)
def listed(query: ListQuery) -> Response:
    """The client's updates, newest first."""
    store, which = door().store, Search(query.state, mailbox=query.mailbox)
    found = store.search_updates((client().name,), which, query.limit, query.cursor)
    items = [public(job) for job in map(store.update, found.ids) if job is not None]
    return jsonify({"items": items, "nextCursor": found.next_cursor})


@updates.get(
    "/<string:id>",
    summary="Read an update",
    operation_id="readUpdate",
    responses=document.answers(200, "ShownUpdate", 401, 404, 429, 503),
)
def shown(path: UpdatePath) -> Response:
    """The update as it stands. It can be read for 10 days after its end; if it ended ``dead``, for 30."""
    return jsonify(public(_own(door(), path.id)))


@updates.post(
    "/<string:id>/cancel",
    summary="Cancel an update",
    operation_id="cancelUpdate",
    responses=document.answers(200, "ShownUpdate", 400, 401, 404, 409, 429, 503),
)
def cancel(path: UpdatePath) -> Response:
    """The update is taken back while it waits; 409 once it runs or has ended."""
    at = door()
    job = _own(at, path.id)
    if job.state.settled:
        raise Problem(problems.NOT_CANCELLABLE, "It has ended already.")
    came = take_back(at, job)
    if came in (Cancelled.RUNNING, Cancelled.ENDED):
        running = "It is being applied right now, or it is not known yet whether it was."
        said = running if came is Cancelled.RUNNING else "It has ended already."
        raise Problem(problems.NOT_CANCELLABLE, said)
    return jsonify(public(_own(at, path.id)))


def take_back(at: Door, job: UpdateJob) -> Cancelled:
    """Cancel it if it still waits; who asked for a callback is told."""
    now = rfc3339(at.clock())
    cancelled = replace(job, state=State.CANCELLED, finished_at=now, due_at=None)
    came, rings = at.store.cancel(job.update.id, now, for_update(cancelled))
    at.bell.ring(*rings)
    return came


def _own(at: Door, update_id: str) -> UpdateJob:
    """The client's update. Another client's is not there at all."""
    job = at.store.update(update_id) if _ID.fullmatch(update_id) else None
    if job is None or job.update.client != client().name:
        raise Problem(problems.NOT_FOUND, "There is no update of this id.")
    passage().update = update_id
    return job
