"""Graph tells of changes badly: three times and in any order, once, or not at all; and its subscriptions end."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, cast
from uuid import uuid4

import httpx
from standardwebhooks import Webhook

from ops.sandbox.control import Seen
from tests.chaos.stage import CREDENTIALS, PATIENCE, Stage, client
from tests.chaos.telling import Told, judge_told
from tests.chaos.trial import Hurts, Plan, Row, Scenario
from tests.until import until

MAILBOXES, EVENTS = 4, 3
SPREAD = 2.0
"""Seconds within which the copies of a notification come."""
LATE = 5.0
"""Seconds after which nothing more comes that Graph sends again because nobody had taken it."""
LIFECYCLE: tuple[Literal["missed", "subscriptionRemoved", "reauthorizationRequired"], ...] = (
    "missed", "subscriptionRemoved", "reauthorizationRequired",
)  # fmt: skip
NOTHING = {"before": None, "after": None}
MORTAL = ("web", "worker", "worker.2", "callbacks", "beat")


def badly_told(stage: Stage, plan: Plan) -> Row:
    """People edit the events of mailboxes that somebody subscribed to, and whatever tells of it is hurt."""
    hurts, path = Hurts(), f"changes-{uuid4().hex[:8]}"
    with _subscribed(stage, path) as events:
        for number in itertools.islice(plan.turns(20), 400):
            event = plan.dice.choice(events)
            stage.sandbox.behave(notify_copies=plan.dice.choice((3, 3, 1, 0)), notify_spread=SPREAD)
            stage.sandbox.edit(event.id, {"subject": f"Step {number}"})
            hurts.now()
            if number % 5 == 4:
                stage.sandbox.lifecycle(plan.dice.choice(LIFECYCLE))
                hurts.now()
            if number % 7 == 6:
                stage.kill(plan.dice.choice(MORTAL))
                hurts.now()
            time.sleep(0.2)
        stage.sandbox.behave(notify_copies=1, notify_spread=0.0)
        history = {event.graph_id: _subjects(stage, event) for event in events}
        until(lambda: judge_told(history, _told(stage, path)).sound, PATIENCE)
        time.sleep(LATE)
        told = _told(stage, path)
    edits = sum(len(subjects) - 1 for subjects in history.values())
    remark = f"{edits} edits by people, told in {len({one.webhook_id for one in told})} callbacks"
    return Row(len(hurts.at), edits, judge_told(history, told), remarks=(remark,))


@contextmanager
def _subscribed(stage: Stage, path: str) -> Iterator[list[Seen]]:
    """New mailboxes with events, and callbacks about them to this path."""
    url, made, events = f"{stage.sandbox.url}/callbacks/{path}", [], list[Seen]()
    with client(stage) as api:
        for _ in range(MAILBOXES):
            mailbox = f"u{uuid4().hex[:8]}@contoso.com"
            stage.sandbox.create_mailbox(mailbox)
            events += [stage.sandbox.create_event(mailbox, {"subject": "Before"}) for _ in range(EVENTS)]
            answer = api.post("/v1/subscriptions", json={"mailbox": mailbox, "callbackUrl": url})
            made.append(f"/v1/subscriptions/{answer.raise_for_status().json()['id']}")
        if not until(lambda: all(api.get(one).json()["state"] == "active" for one in made), PATIENCE):
            raise RuntimeError(f"a subscription is not active after {PATIENCE:.0f} s")
        yield events
        until(lambda: all(_ended(api, one) for one in made), PATIENCE)


def _ended(api: httpx.Client, subscription: str) -> bool:
    try:
        return api.delete(subscription).status_code in (204, 404)
    except httpx.TransportError:
        return False


def _subjects(stage: Stage, event: Seen) -> list[str]:
    """What the event was called, as Exchange wrote it down."""
    written = [entry.changed["subject"] for entry in stage.sandbox.journal(event.id) if "subject" in entry.changed]
    return [cast("Any", one)["after"] for one in written]


def _told(stage: Stage, path: str) -> Sequence[Told]:
    return [
        Told(post.headers["webhook-id"], post.body, data["target"]["event"], subject["before"], subject["after"])
        for post in stage.sandbox.callbacks()
        if post.path.endswith(path) and 200 <= post.status < 300
        for data in [Webhook(CREDENTIALS.webhook_secret).verify(post.body, dict(post.headers))["data"]]
        for subject in [data["changed"].get("subject", NOTHING)]
    ]


NOTIFICATIONS = (Scenario("D2", "Graph tells of changes doubled, shuffled, late or not at all", badly_told),)
