"""``/v1/graph/notifications`` and ``/v1/graph/lifecycle``: Graph tells what changed, and how its subscriptions are.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks. Graph stops telling those who answer slowly,
so all that is done here is to keep what came: 202 once it is durable, 503 otherwise, whoever sent it. Graph shows no
key; what tells it from others is a secret in what it sends (webhooks/watching/graph_notice). No lock is held and nobody
else is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import Response, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from prometheus_client import Counter

from webhooks import document, intake, problems
from webhooks.door import Door, door
from webhooks.problems import Problem
from webhooks.watching.graph_notice import Dropped, Lifecycle, claimed, understood, validation_token
from workers.changes.notification import Notification
from workers.changes.watch import Watch
from workers.store import Heard
from workers.update import Json

BYTES_AT_MOST = 1024 * 1024
ITEMS_AT_MOST = 2000
"""About as many of Graph's own as fit in a mebibyte. Each may name another watch to look for, and anybody can post."""
HEARD = Counter("rendezvous_graph_notifications", "Items that Graph told, genuine ones", ["kind"])
HEARD.labels("change")  # 0 until the first one, for who compares with it
DROPPED = Counter("rendezvous_graph_notifications_dropped", "Items that were not believed or not known", ["reason"])

notifications = APIBlueprint(
    "notifications",
    __name__,
    url_prefix="/v1/graph",
    abp_tags=[Tag(name="change notifications", description="What changes in mailboxes")],
)
_RESPONSES = {
    "200": {
        "description": "The validation token, as it came",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    },
    "202": {"description": "Kept, or not believed"},
    **document.refusals(400, 413, 503),
}


@notifications.post(
    "/notifications",
    summary="Graph tells what changed",
    operation_id="receiveNotifications",
    request_body=document.FROM_GRAPH,
    responses=_RESPONSES,
)
def changed() -> Response:
    """Graph's notificationUrl: the validation handshake, and changes."""
    return _received()


@notifications.post(
    "/lifecycle",
    summary="Graph tells how its subscriptions are",
    operation_id="receiveLifecycleNotifications",
    request_body=document.FROM_GRAPH,
    responses=_RESPONSES,
)
def lifecycle() -> Response:
    """Graph's lifecycleNotificationUrl: the same, since either may come to either."""
    return _received()


def _received() -> Response:
    try:
        token = validation_token(request.query_string)
    except ValueError:
        raise problems.unreadable("validationToken", "this is not one that Graph sends") from None
    if token is not None:
        return Response(token, 200, content_type="text/plain; charset=utf-8")
    collection = _collection()
    _keep(door(), collection["value"], collection.get("validationTokens"))
    return Response(status=202)


def _collection() -> Mapping[str, Json]:
    collection = intake.parsed(intake.received(BYTES_AT_MOST))
    if not isinstance(collection.get("value"), list):
        raise Problem(problems.MALFORMED, "The body has no value, which must be a list of notifications.")
    if len(collection["value"]) > ITEMS_AT_MOST:
        raise Problem(problems.TOO_LARGE, f"The body has more than {ITEMS_AT_MOST} notifications.")
    return collection


def _keep(at: Door, items: Iterable[Json], tokens: Json) -> None:
    """Make jobs of what is genuine. A bad item is dropped and the others are taken in."""
    of_watch = [(item, watch_id) for item in items if (watch_id := _claim(item)) is not None]
    watches = at.store.watches([watch_id for _, watch_id in of_watch])
    heard: list[Heard] = []
    for item, watch_id in of_watch:
        said = _said(at, item, watches.get(watch_id), tokens)
        if isinstance(said, Lifecycle):
            at.store.lifecycle(said.watch, said.event)
        elif isinstance(said, Notification):
            heard.append(said.heard(watches[said.watch]))
    if heard:
        _, rings = at.store.hear(heard, how="told")
        at.bell.ring(*rings)


def _claim(item: Json) -> str | None:
    try:
        return claimed(item)
    except Dropped as error:
        DROPPED.labels(str(error)).inc()
        return None


def _said(at: Door, item: Mapping[str, Json], watch: Watch | None, tokens: Json) -> Notification | Lifecycle | None:
    try:
        said = understood(item, watch, at.settings, tokens)
    except Dropped as error:
        DROPPED.labels(str(error)).inc()
        return None
    HEARD.labels("lifecycle" if isinstance(said, Lifecycle) else "change").inc()
    return said
