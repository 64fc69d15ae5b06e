"""``/v1/subscriptions``: who is told of the changes in a mailbox.

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
from workers.changes.subscription import Subscription, shown_subscription
from workers.update import Json


class SubscriptionPath(BaseModel):
    id: Annotated[str, Field(description="The subscription's id")]


subscriptions = APIBlueprint(
    "subscriptions",
    __name__,
    url_prefix="/v1/subscriptions",
    abp_tags=[Tag(name="change notifications", description="What changes in mailboxes")],
    abp_security=[{"apiKey": []}],
)
subscriptions.before_request(intake.authenticate)


@subscriptions.post(
    "",
    summary="Be told of the changes in a mailbox",
    operation_id="createSubscription",
    request_body=document.required("AskedSubscription"),
    responses=document.created("ShownSubscription", 400, 401, 403, 413, 415, 422, 429, 503),
)
def create() -> Response:
    """201 once it is durable; 200 with the one that there is where the same was asked for before. It is ``active`` a
    moment later."""
    at = door()
    asked = watching.subscription(intake.content(), client(), at.settings, at.clock())
    kept = at.store.begin(asked)
    response = jsonify(_shown(at, _own(at, kept)))
    response.status_code = 201 if kept == asked.id else 200
    response.headers["Location"] = f"/v1/subscriptions/{kept}"
    return response


@subscriptions.get(
    "",
    summary="List subscriptions",
    operation_id="listSubscriptions",
    responses=document.answers(200, "ShownSubscriptions", 401, 429, 503),
)
def listed() -> Response:
    """The client's subscriptions, newest first."""
    at = door()
    items = [_shown(at, one) for one in at.store.watchers_of(client().name, Subscription)]
    return jsonify({"items": items, "nextCursor": None})


@subscriptions.get(
    "/<string:id>",
    summary="Read a subscription",
    operation_id="readSubscription",
    responses=document.answers(200, "ShownSubscription", 401, 404, 429, 503),
)
def shown(path: SubscriptionPath) -> Response:
    """The subscription as it stands."""
    return jsonify(_shown(door(), _own(door(), path.id)))


@subscriptions.delete(
    "/<string:id>",
    summary="End a subscription",
    operation_id="deleteSubscription",
    responses={"204": {"description": "It has ended"}, **document.refusals(401, 404, 429, 503)},
)
def delete(path: SubscriptionPath) -> Response:
    """It has ended; what was on its way may still come."""
    if not door().store.end(_own(door(), path.id)):
        raise _gone()
    return Response(status=204)


def _own(at: Door, subscription_id: str) -> Subscription:
    """The client's subscription. Another client's is not there at all."""
    found = at.store.subscription(subscription_id) if subscription_id.isascii() and len(subscription_id) <= 64 else None
    if found is None or found.client != client().name:
        raise _gone()
    return found


def _gone() -> Problem:
    return Problem(problems.NOT_FOUND, "There is no subscription of this id.")


def _shown(at: Door, one: Subscription) -> dict[str, Json]:
    return shown_subscription(one, at.store.watch(one.watch))
