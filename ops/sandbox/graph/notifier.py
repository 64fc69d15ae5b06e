"""Tells subscriptions what changed; on request several times, late, in any order, or not at all.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks,
https://learn.microsoft.com/graph/change-notifications-lifecycle-events.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

import httpx

from ops.sandbox.call import Json
from ops.sandbox.event import graph_form, utc_now
from ops.sandbox.faults import run_later
from ops.sandbox.graph.subscriptions import Subscription, moment, post
from ops.sandbox.journal import Entry
from ops.sandbox.tokens import TENANT

_CHANGES = {"create": "created", "update": "updated", "touch": "updated", "delete": "deleted"}
_AGAIN = (0.2, 1.0, 3.0)
"""Seconds after which a notification that was not taken is sent again."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How notifications are sent. ``copies``: how often each; 0: not at all. ``delay``, ``spread``: seconds, and how
    many more at random, so that they overtake one another. ``spoil``: what is wrong with rich ones
    (sealing.SPOILS)."""

    copies: int = 1
    delay: float = 0.0
    spread: float = 0.0
    spoil: str = ""


@dataclass(slots=True)
class Notifier:
    """Thread-safe."""

    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    """The status of every notification's answer; 0: none."""
    _lock: Lock = field(default_factory=Lock)

    def hear(self, entry: Entry, manner: Manner) -> None:
        """Tell all subscriptions that cover it of an entry of the journal, later and in threads of their own."""
        change = _CHANGES[entry.action]
        for one in list(self.subscriptions.values()):
            if one.wants(entry.mailbox, change, utc_now()):
                for _ in range(manner.copies):
                    wait = manner.delay + random.random() * manner.spread  # noqa: S311 - for show, not for secrecy
                    run_later(wait, partial(self._send, one.notification_url, collection(one, entry, manner.spoil)))

    def lifecycle(self, event: str) -> int:
        """Send a lifecycle notification to every subscription. Returns how many there are. ``subscriptionRemoved`` also
        removes them."""
        told = list(self.subscriptions.values())
        for one in told:
            if event == "subscriptionRemoved":
                del self.subscriptions[one.id]
            about = {"lifecycleEvent": event, **_about(one)}
            run_later(0, partial(self._send, one.lifecycle_url or "", {"value": [about]}))
        return len(told)

    def _send(self, url: str, body: Mapping[str, Json], tries: int = 0) -> None:
        try:
            status = post(url, json.dumps(body).encode()).status_code
        except httpx.HTTPError:
            status = 0
        with self._lock:
            self.answers.append(status)
        if not 200 <= status < 300 and tries < len(_AGAIN):
            run_later(_AGAIN[tries], lambda: self._send(url, body, tries + 1))


def collection(one: Subscription, entry: Entry, spoil: str) -> dict[str, Json]:
    """What is posted about a change: one notification, sealed if the subscription asked for that."""
    told = item(one, entry)
    if one.seal is None:
        return {"value": [told]}
    sealed = {**told, "encryptedContent": one.seal.content(told["resourceData"], spoil)}
    return {"value": [sealed], "validationTokens": [one.seal.token(spoil)]}


def item(one: Subscription, entry: Entry) -> Json:
    """One notification of a change."""
    event = graph_form(entry.event)
    resource = f"Users/{one.mailbox}/Events/{event}"
    data = {"@odata.type": "#Microsoft.Graph.Event", "@odata.id": resource, "id": event,
            "@odata.etag": f'W/"{entry.version_after}"'}  # fmt: skip
    change = _CHANGES[entry.action]
    return {"id": uuid.uuid4().hex, "changeType": change, "resource": resource, "resourceData": data, **_about(one)}


def _about(one: Subscription) -> dict[str, Json]:
    return {
        "subscriptionId": one.id,
        "subscriptionExpirationDateTime": moment(one.expires),
        "clientState": one.client_state,
        "tenantId": TENANT,
    }
