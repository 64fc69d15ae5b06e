"""Graph subscriptions: https://learn.microsoft.com/graph/api/resources/subscription.

How Graph is asked to tell us of changes in a mailbox, and how it is kept doing so. Not here: sockets (connection), when
each call is due (workers/changes/watch), what Graph then tells (webhooks/watching/notifications).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import quote

from workers.changes.feed import Subscribed
from workers.changes.watch import Watch
from workers.exchange import NotFound, VersionMoved
from workers.exchange.doubt import Phase
from workers.graph.connection import Answer, Connection, unreadable
from workers.graph.links import path_of
from workers.graph.paths import owner_path
from workers.graph.rich_notification import Certificate
from workers.update import Json, rfc3339

LIFE = timedelta(minutes=10_070)
"""Ten minutes less than Graph allows for events, because its clock may differ from ours."""
RICH_LIFE = timedelta(minutes=1_430)
"""The same with resource data."""
SEALED = "?$select=id,subject,start,end"
"""What rich notifications contain: just enough to identify the event, which is read anyway."""
CHANGES = "created,updated,deleted"
_IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
_PAGES_AT_MOST = 100


class GraphPush:
    """Push for one Graph endpoint; see workers.changes.feed. ``public_url``: where Graph reaches our web process;
    ``certificate``: with which it is to seal what it tells, if it is to."""

    def __init__(self, connection: Connection, base_url: str, public_url: str, certificate: Certificate | None = None):
        self._certificate = certificate
        self._connection = connection
        self._base_url = base_url
        self._public_url = public_url.rstrip("/")

    @property
    def terms(self) -> str:
        """A newer certificate is no new term: a renewal brings it in."""
        return f"{'sealed' if self._certificate else 'open'} to {self._public_url}"

    def create(self, watch: Watch, now: datetime) -> Subscribed:
        """https://learn.microsoft.com/graph/api/subscription-post-subscriptions

        409: there is one already, made by a call whose answer was lost. It is deleted first; and so it is where we know
        of such a call, because Graph does not always say so.
        """
        if watch.asked is not None:
            self._clear(watch)
        try:
            return self._create(watch, now)
        except VersionMoved:
            self._clear(watch)
            return self._create(watch, now)

    def renew(self, watch: Watch, now: datetime) -> Subscribed:
        """https://learn.microsoft.com/graph/api/subscription-update; it reauthorizes besides
        (https://learn.microsoft.com/graph/change-notifications-lifecycle-events)."""
        body = _json(_life(now, self._certificate))
        return subscribed(
            self._connection.call("write", watch.place, "PATCH", _path(watch.graph_id), content=body), now
        )

    def delete(self, watch: Watch) -> None:
        """https://learn.microsoft.com/graph/api/subscription-delete"""
        try:
            self._connection.call("write", watch.place, "DELETE", _path(watch.graph_id))
        except NotFound:
            return

    def _create(self, watch: Watch, now: datetime) -> Subscribed:
        content = creation(watch, self._public_url, now, self._certificate)
        return subscribed(
            self._connection.call("write", watch.place, "POST", "/subscriptions", _IMMUTABLE, content), now
        )

    def _clear(self, watch: Watch) -> None:
        """Delete what stands in the way: subscriptions to the same mailbox that come to our own address."""
        ours = (resource(watch).lower(), _addresses(self._public_url)["notificationUrl"])
        for known in self._all(watch):
            about = str(known.get("resource")).partition("?")[0].lstrip("/").lower()
            if (about, known.get("notificationUrl")) == ours:
                self._connection.call("write", watch.place, "DELETE", _path(str(known["id"])))

    def _all(self, watch: Watch) -> Iterator[dict[str, Json]]:
        """https://learn.microsoft.com/graph/api/subscription-list"""
        path: str | None = "/subscriptions"
        for _ in range(_PAGES_AT_MOST):
            if path is None:
                return
            answer = self._connection.call("read", watch.place, "GET", path)
            page = _document(answer, "read")
            known = page.get("value")
            if not isinstance(known, list) or not all(isinstance(one, dict) and one.get("id") for one in known):
                raise unreadable("read", answer, "this is no list of subscriptions")
            yield from known
            try:
                path = path_of(page.get("@odata.nextLink"), self._base_url)
            except ValueError as error:
                raise unreadable("read", answer, error) from error


def creation(watch: Watch, public_url: str, now: datetime, certificate: Certificate | None = None) -> bytes:
    """The body of the POST. ``now``: aware. ``certificate``: for rich notifications,
    https://learn.microsoft.com/graph/change-notifications-with-resource-data."""
    rich = {"includeResourceData": True} if certificate else {}
    return _json(
        {
            "changeType": CHANGES,
            **_addresses(public_url.rstrip("/")),
            "resource": resource(watch) + (SEALED if certificate else ""),
            **_life(now, certificate),
            **rich,
            "clientState": watch.secret,
            "latestSupportedTlsVersion": "v1_2",
        }
    )


def _life(now: datetime, certificate: Certificate | None) -> dict[str, Json]:
    """Until when it lives, and the certificate to use from now on: a renewal can bring in a new one."""
    if certificate is None:
        return {"expirationDateTime": rfc3339(now + LIFE)}
    return {
        "expirationDateTime": rfc3339(now + RICH_LIFE),
        "encryptionCertificate": certificate.text,
        "encryptionCertificateId": certificate.id,
    }


def resource(watch: Watch) -> str:
    """``users/anna@contoso.com/events``: every event of the mailbox."""
    return f"{owner_path(watch.place).lstrip('/')}/events"


def subscribed(answer: Answer, now: datetime) -> Subscribed:
    """The subscription that Graph answered with. Raises Unknown where it tells of none that lives. That it lives longer
    than we ask for is not believed: it might never be renewed."""
    document = _document(answer, "write")
    try:
        expires = datetime.fromisoformat(document["expirationDateTime"])
        if expires.tzinfo is None:
            raise ValueError("expirationDateTime has no offset")
        if expires <= now or not document["id"]:
            raise ValueError("it has expired already, or no id")
        return Subscribed(str(document["id"]), min(expires, now + LIFE))
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable("write", answer, f"this is no subscription: {error}") from error


def _addresses(public_url: str) -> dict[str, str]:
    return {
        "notificationUrl": f"{public_url}/v1/graph/notifications",
        "lifecycleNotificationUrl": f"{public_url}/v1/graph/lifecycle",
    }


def _path(subscription: str | None) -> str:
    return f"/subscriptions/{quote(subscription or '', safe='')}"


def _document(answer: Answer, phase: Phase) -> dict[str, Json]:
    try:
        document = json.loads(answer.body)
        if isinstance(document, dict):
            return document
        raise ValueError("this is no JSON object")
    except (ValueError, RecursionError) as error:
        raise unreadable(phase, answer, error) from error


def _json(document: dict[str, Json]) -> bytes:
    return json.dumps(document).encode()
