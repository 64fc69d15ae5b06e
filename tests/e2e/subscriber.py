"""Somebody who subscribed to a mailbox of his own, and what he was told."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from standardwebhooks import Webhook

from ops.sandbox.control import Seen
from tests.e2e.system import CREDENTIALS, System, until

CLOUD = "contoso.com"


class Subscriber:
    """``asked``: what the subscription asks for besides mailbox and callback."""

    def __init__(self, system: System, domain: str = CLOUD, **asked: Any):
        self.system = system
        self.mailbox = f"u{uuid4().hex[:8]}@{domain}"
        system.sandbox.create_mailbox(self.mailbox, "cloud" if domain == CLOUD else "onPremises")
        self.asked = asked
        self.path = f"/{uuid4().hex}"

    def event(self, **properties: Any) -> Seen:
        return self.system.sandbox.create_event(self.mailbox, {"subject": "Before", **properties})

    def subscribe(self) -> str:
        url = f"{self.system.sandbox.url}/callbacks{self.path}"
        body = {"mailbox": self.mailbox, "callbackUrl": url, **self.asked}
        made = self.system.api.post("/v1/subscriptions", json=body)
        assert made.status_code == 201, made.text
        subscription = str(made.json()["id"])

        def active() -> bool | None:
            return self.system.api.get(f"/v1/subscriptions/{subscription}").json()["state"] == "active" or None

        until(active, f"{subscription} is active", self.system.logs)
        return subscription

    def graph_subscription(self) -> Any:
        """Graph's subscription to the mailbox: there is one at most that lives."""
        mine = [one for one in self.system.sandbox.subscriptions() if self.mailbox in one["resource"]]
        return mine[-1] if mine else None

    def told(self) -> list[dict[str, Any]]:
        posts = [post for post in self.system.sandbox.callbacks() if f"/{post.path}".endswith(self.path)]
        return [Webhook(CREDENTIALS.webhook_secret).verify(post.body, dict(post.headers))["data"] for post in posts]

    def hears(self, many: int) -> list[dict[str, Any]]:
        return until(lambda: self.told() if len(self.told()) >= many else None, f"{many} callbacks", self.system.logs)


def let_go(system: System) -> None:
    """Nobody is subscribed any more."""
    for kind in ("subscriptions", "mirrors"):
        for one in system.api.get(f"/v1/{kind}").json()["items"]:
            assert system.api.delete(f"/v1/{kind}/{one['id']}").status_code == 204


def metric(system: System, series: str) -> float:
    """A sample of /metrics, 0 where there is none."""
    lines = system.api.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{series} "))
