"""What Graph posts to us: is each item of it genuine, and what does it say. Pure.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks,
https://learn.microsoft.com/graph/change-notifications-lifecycle-events. Anybody can post here; what tells Graph apart
is the ``clientState``, which only Graph and we know. An item that is not genuine is dropped, and nobody is told.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from workers.changes.notification import Notification
from workers.changes.watch import Watch, watch_of
from workers.settings import GraphBackend, Settings
from workers.update import Json

TOKEN_AT_MOST = 4096
LIFECYCLE = ("reauthorizationRequired", "subscriptionRemoved", "missed")
CHANGES = ("created", "updated", "deleted")
ID_AT_MOST = 1024
TOKENS_AT_MOST = 16
"""The most tokens in one collection, which has one for each application and tenant."""


class Dropped(Exception):
    """The item is not believed, or says nothing that we know. The message is one word for the metrics."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Something about a subscription itself. ``event`` is one of LIFECYCLE."""

    watch: str
    event: str


def validation_token(query: bytes) -> bytes | None:
    """The token to be given back, decoded, or None where none was sent. Raises ValueError for one that no Graph sends.

    From the raw query, because it has to come back to the byte: frameworks replace what is not UTF-8.
    """
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if name == b"validationToken":
            token = unquote_to_bytes(value.replace(b"+", b" "))
            if not 0 < len(token) <= TOKEN_AT_MOST or not token.decode("utf-8").isprintable():
                raise ValueError("this is no validation token")
            return token
    return None


def claimed(item: Json) -> str:
    """The watch that an item claims to be about. Raises Dropped."""
    state = item.get("clientState") if isinstance(item, dict) else None
    if not isinstance(state, str):
        raise Dropped("malformed")
    watch = watch_of(state)
    if watch is None:
        raise Dropped("clientState")
    return watch


def understood(
    item: Mapping[str, Json], watch: Watch | None, settings: Settings, tokens: Json
) -> Notification | Lifecycle:
    """What a genuine item says. Raises Dropped.

    ``watch``: the one that it claims to be about, None where there is none. While the Graph subscription of a watch is
    being made its id is not known yet; what Graph tells in that moment counts all the same. ``tokens``: those that the
    collection came with; they and what is sealed are judged later, where there is time (workers/graph/proof).
    """
    secret = watch.secret if watch else ""
    if not hmac.compare_digest(str(item["clientState"]).encode(), secret.encode()) or watch is None:
        raise Dropped("clientState")
    if watch.graph_id is not None and item.get("subscriptionId") != watch.graph_id:
        raise Dropped("subscription")
    backend = settings.backends.get(watch.backend)
    if not isinstance(backend, GraphBackend):
        raise Dropped("backend")
    _check_tenant(item, backend)
    if "lifecycleEvent" in item:
        if item["lifecycleEvent"] not in LIFECYCLE:
            raise Dropped("lifecycleEvent")
        return Lifecycle(watch.id, item["lifecycleEvent"])
    return _changed(item, watch, _proof(item, tokens) if backend.notification_certificate_files else None)


def _changed(item: Mapping[str, Json], watch: Watch, proof: str | None) -> Notification:
    resource = item.get("resourceData")
    event = resource.get("id") if isinstance(resource, dict) else None
    etag = resource.get("@odata.etag") if isinstance(resource, dict) else None
    if not isinstance(event, str) or not 0 < len(event) <= ID_AT_MOST or not (event.isascii() and event.isprintable()):
        raise Dropped("malformed")
    if item.get("changeType") not in CHANGES:
        raise Dropped("changeType")
    return Notification(watch.id, event, item["changeType"], etag if isinstance(etag, str) else "", proof)


def _proof(item: Mapping[str, Json], tokens: Json) -> str:
    if not isinstance(tokens, list) or len(tokens) > TOKENS_AT_MOST:
        raise Dropped("tokens")
    return json.dumps({"tokens": tokens, "content": item.get("encryptedContent")})


def _check_tenant(item: Mapping[str, Json], backend: GraphBackend) -> None:
    """Compares the tenants only if the configuration names ours by its id, as Graph does."""
    theirs = item.get("tenantId")
    if backend.tenant is not None and theirs is not None and str(theirs).lower() != backend.tenant:
        raise Dropped("tenant")
