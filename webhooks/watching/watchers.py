"""``/v1/subscriptions`` and ``/v1/mirrors``: who is told of the changes in a mailbox, and which events are kept equal
to others. Both are created, listed, read and ended in the same way.

Not here: reading and judging what is asked (webhooks/watching/asked), keeping it (workers/store), and watching the
mailbox (workers/changes/tending).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from webhooks import document, intake, problems
from webhooks.door import Door, door
from webhooks.faults import fault
from webhooks.page import PageQuery
from webhooks.passage import client
from webhooks.problems import Problem
from webhooks.watching.asked import mirror, subscription
from workers.changes.subscription import Mirror, Subscription, state, watch_for
from workers.public import shown_target
from workers.settings import Client, Settings
from workers.update import Json, rfc3339

W = TypeVar("W", Subscription, Mirror)
_ID = re.compile(r"(sub|mir)_[0-9A-HJKMNP-TV-Z]{26}")


class WatcherPath(BaseModel):
    id: Annotated[str, Field(description="Its id")]


@dataclass(frozen=True, slots=True)
class _Sort(Generic[W]):
    """What the two differ in. ``purpose``: what one is for. ``told``: its callbacks, for the document. ``mailbox``:
    where the body names the watched mailbox."""

    type: type[W]
    purpose: str
    told: dict[str, Json]
    mailbox: tuple[str, ...]
    asked: Callable[[Mapping[str, Json], Client, Settings, datetime], W]
    shown: Callable[[Door, W], dict[str, Json]]


def _views(sort: _Sort[W]) -> APIBlueprint:
    noun, model = sort.type.kind, sort.type.kind.capitalize()
    blueprint = APIBlueprint(
        f"{noun}s",
        __name__,
        url_prefix=f"/v1/{noun}s",
        abp_tags=[Tag(name="change notifications", description="What changes in mailboxes")],
        abp_security=[{"apiKey": []}],
    )
    blueprint.before_request(intake.authenticate)

    @blueprint.post(
        "",
        summary=sort.purpose,
        operation_id=f"create{model}",
        request_body=document.required(f"Asked{model}"),
        openapi_extensions=sort.told,
        responses=document.created(f"Shown{model}", 400, 401, 403, 413, 415, 422, 429, 503),
    )
    def create() -> Response:
        """201 once it is durable; 200 with the one that there is where the same was asked for before. It is ``active``
        a moment later. 422 where a mailbox has as many subscriptions and mirrors as the operator allows, 1000 unless
        ``max_watchers_per_mailbox`` says otherwise."""
        at = door()
        asked = sort.asked(intake.content(), client(), at.settings, at.clock())
        most = client().max_watchers_per_mailbox
        kept = at.store.begin(asked, most=most)
        if kept is None:
            said = f"there are {most} subscriptions and mirrors of this mailbox, and no more may be"
            raise problems.invalid([fault(said, *sort.mailbox)])
        response = jsonify(sort.shown(at, _own(sort.type, kept)))
        response.status_code = 201 if kept == asked.id else 200
        response.headers["Location"] = f"/v1/{noun}s/{kept}"
        return response

    @blueprint.get(
        "",
        summary=f"List {noun}s",
        operation_id=f"list{model}s",
        responses=document.answers(200, f"Shown{model}s", 400, 401, 429, 503),
    )
    def listed(query: PageQuery) -> Response:
        """The client's, newest first."""
        at, (page, following) = door(), _page(sort.type, query)
        return jsonify({"items": [sort.shown(at, one) for one in page], "nextCursor": following})

    @blueprint.get(
        "/<string:id>",
        summary=f"Read a {noun}",
        operation_id=f"read{model}",
        responses=document.answers(200, f"Shown{model}", 401, 404, 429, 503),
    )
    def shown(path: WatcherPath) -> Response:
        """As it stands."""
        return jsonify(sort.shown(door(), _own(sort.type, path.id)))

    @blueprint.delete(
        "/<string:id>",
        summary=f"End a {noun}",
        operation_id=f"delete{model}",
        responses={"204": {"description": "It has ended"}, **document.refusals(400, 401, 404, 429, 503)},
    )
    def delete(path: WatcherPath) -> Response:
        """It has ended; what was on its way may still come."""
        door().store.end(_own(sort.type, path.id))
        return Response(status=204)

    return blueprint


def _own(kind: type[W], watcher_id: str) -> W:
    """The client's. Another client's is not there at all."""
    found = door().store.watcher(kind, watcher_id) if watcher_id.isascii() and len(watcher_id) <= 64 else None
    if found is None or found.client != client().name:
        raise Problem(problems.NOT_FOUND, f"There is no {kind.kind} of this id.")
    return found


def _page(kind: type[W], query: PageQuery) -> tuple[list[W], str | None]:
    """The client's that are asked for, newest first, and the cursor of the next page."""
    if query.cursor is not None and not _ID.fullmatch(query.cursor):
        raise problems.unreadable("cursor", "give the nextCursor of a list as it is")
    every = door().store.watchers_of(client().name, kind)
    older = [one for one in every if query.cursor is None or one.id < query.cursor]
    page = older[: query.limit]
    return page, page[-1].id if len(older) > len(page) else None


def _shown_subscription(at: Door, one: Subscription) -> dict[str, Json]:
    watch = watch_for(one, at.store.watch(one.watch), at.settings)
    return {
        "id": one.id,
        "state": state(watch),
        "mailbox": one.mailbox,
        "backend": one.backend,
        "callbackUrl": one.callback_url,
        "properties": list(one.properties),
        "createdAt": one.created_at,
        "lastToldAt": rfc3339(watch.heard) if watch and watch.heard else None,
        "problem": watch.problem if watch else None,
    }


def _shown_mirror(at: Door, one: Mirror) -> dict[str, Json]:
    watch = at.store.watch(one.watch)
    snapshot = at.store.snapshot(watch, watch.spelled.get(one.id, one.source.event)) if watch else None
    watch = watch_for(one, watch, at.settings)
    return {
        "id": one.id,
        "state": "sourceDeleted" if snapshot is not None and snapshot.gone else state(watch),
        "from": shown_target(one.source),
        "to": shown_target(one.to),
        "properties": list(one.properties),
        "callbackUrl": one.callback_url,
        "createdAt": one.created_at,
        "problem": watch.problem if watch else None,
    }


subscriptions = _views(
    _Sort(
        Subscription,
        "Be told of the changes in a mailbox",
        document.SUBSCRIBE,
        ("mailbox",),
        subscription,
        _shown_subscription,
    )
)
mirrors = _views(
    _Sort(Mirror, "Keep an event equal to another", document.MIRROR, ("from", "mailbox"), mirror, _shown_mirror)
)
