"""``/v1/mirrors``: events that are kept equal to others.

What is asked is read and judged by webhooks/watching, kept by workers/store, and comes true in workers/changes/tending.
"""

from __future__ import annotations

from typing import Annotated

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from webhooks import document, intake, problems, watching
from webhooks.door import Door, door
from webhooks.passage import client
from webhooks.problems import Problem
from workers.changes.subscription import Mirror, shown_mirror
from workers.update import Json


class MirrorPath(BaseModel):
    id: Annotated[str, Field(description="The mirror's id")]


mirrors = APIBlueprint(
    "mirrors",
    __name__,
    url_prefix="/v1/mirrors",
    abp_tags=[Tag(name="change notifications", description="What changes in mailboxes")],
    abp_security=[{"apiKey": []}],
)
mirrors.before_request(intake.authenticate)


@mirrors.post(
    "",
    summary="Keep an event equal to another",
    operation_id="createMirror",
    request_body=document.required("AskedMirror"),
    responses=document.created("ShownMirror", 400, 401, 403, 413, 415, 422, 429, 503),
)
def create() -> Response:
    """201 once it is durable; 200 with the one that there is where the same was asked for before. It is ``active`` a
    moment later."""
    at = door()
    asked = watching.mirror(intake.content(), client(), at.settings, at.clock())
    kept = at.store.begin(asked)
    response = jsonify(_shown(at, _own(at, kept)))
    response.status_code = 201 if kept == asked.id else 200
    response.headers["Location"] = f"/v1/mirrors/{kept}"
    return response


@mirrors.get(
    "",
    summary="List mirrors",
    operation_id="listMirrors",
    responses=document.answers(200, "ShownMirrors", 401, 429, 503),
)
def listed() -> Response:
    """The client's mirrors, newest first."""
    at = door()
    items = [_shown(at, one) for one in at.store.watchers_of(client().name, Mirror)]
    return jsonify({"items": items, "nextCursor": None})


@mirrors.get(
    "/<string:id>",
    summary="Read a mirror",
    operation_id="readMirror",
    responses=document.answers(200, "ShownMirror", 401, 404, 429, 503),
)
def shown(path: MirrorPath) -> Response:
    """The mirror as it stands."""
    return jsonify(_shown(door(), _own(door(), path.id)))


@mirrors.delete(
    "/<string:id>",
    summary="End a mirror",
    operation_id="deleteMirror",
    responses={"204": {"description": "It has ended"}, **document.refusals(401, 404, 429, 503)},
)
def delete(path: MirrorPath) -> Response:
    """It has ended; what was on its way may still come."""
    if not door().store.end(_own(door(), path.id)):
        raise _gone()
    return Response(status=204)


def _own(at: Door, mirror_id: str) -> Mirror:
    """The client's mirror. Another client's is not there at all."""
    found = at.store.mirror(mirror_id) if mirror_id.isascii() and len(mirror_id) <= 64 else None
    if found is None or found.client != client().name:
        raise _gone()
    return found


def _gone() -> Problem:
    return Problem(problems.NOT_FOUND, "There is no mirror of this id.")


def _shown(at: Door, one: Mirror) -> dict[str, Json]:
    watch = at.store.watch(one.watch)
    snapshot = at.store.snapshot(watch, watch.spelled.get(one.id, one.source.event)) if watch else None
    return shown_mirror(one, watch, source_gone=snapshot is not None and snapshot.gone)
