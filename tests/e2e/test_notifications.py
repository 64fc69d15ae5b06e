"""A person changes an event, a subscriber hears of it: all processes, Graph as badly behaved as it gets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from ops.sandbox.control import Seen
from tests.e2e.system import CREDENTIALS, System, until

CLOUD = "contoso.com"


class Subscriber:
    """Somebody subscribed to a mailbox of his own."""

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

    def told(self) -> list[dict[str, Any]]:
        posts = [post for post in self.system.sandbox.callbacks() if f"/{post.path}".endswith(self.path)]
        return [Webhook(CREDENTIALS.webhook_secret).verify(post.body, dict(post.headers))["data"] for post in posts]

    def hears(self, many: int) -> list[dict[str, Any]]:
        return until(lambda: self.told() if len(self.told()) >= many else None, f"{many} callbacks", self.system.logs)


@pytest.fixture
def calm(system: System) -> Iterator[System]:
    """The system, and nobody subscribed when it is over."""
    yield system
    for kind in ("subscriptions", "mirrors"):
        for one in system.api.get(f"/v1/{kind}").json()["items"]:
            assert system.api.delete(f"/v1/{kind}/{one['id']}").status_code == 204


def test_a_persons_change_is_told_once_with_before_and_after(calm: System) -> None:
    calm.sandbox.behave(notify_copies=3, notify_spread=0.5)
    subscriber = Subscriber(calm)
    event = subscriber.event()
    subscriber.subscribe()
    calm.sandbox.edit(event.id, {"subject": "After"})
    calm.sandbox.touch(event.id)
    (told,) = subscriber.hears(1)
    assert told["changed"] == {"subject": {"before": "Before", "after": "After"}}
    assert (told["origin"], told["change"], told["updates"]) == ("exchange", "updated", [])
    assert told["target"] == {"mailbox": subscriber.mailbox, "event": event.graph_id, "backend": "cloud"}
    calm.sandbox.edit(event.id, {"subject": "Later"})
    assert [one["changed"]["subject"]["after"] for one in subscriber.hears(2)] == ["After", "Later"]
    assert any(calm.redis.hget(key, "heard") for key in calm.redis.keys("rdv:watch:*"))


def test_an_update_of_ours_is_told_as_ours(calm: System) -> None:
    subscriber = Subscriber(calm)
    event = subscriber.event()
    subscriber.subscribe()
    target = {"mailbox": subscriber.mailbox, "event": event.graph_id}
    update = calm.ended(calm.ask({"target": target, "set": {"subject": "Ours"}})["id"])
    (told,) = subscriber.hears(1)
    assert (told["origin"], told["updates"]) == ("rendezvous", [update["id"]])
    calm.sandbox.edit(event.id, {"subject": "Theirs"})
    assert [one["origin"] for one in subscriber.hears(2)] == ["rendezvous", "exchange"]


def test_what_graph_never_tells_is_found(calm: System) -> None:
    calm.sandbox.behave(notify_copies=0)
    subscriber = Subscriber(calm)
    event, doomed = subscriber.event(), subscriber.event()
    subscriber.subscribe()
    calm.sandbox.edit(event.id, {"subject": "After"})
    calm.sandbox.delete(doomed.id)
    subscriber.event(subject="New")
    assert sorted(one["change"] for one in subscriber.hears(3)) == ["created", "deleted", "updated"]


@pytest.mark.parametrize("event", ["missed", "subscriptionRemoved", "reauthorizationRequired"])
def test_whatever_becomes_of_the_subscription_changes_are_told(calm: System, event: Any) -> None:
    subscriber = Subscriber(calm)
    meeting = subscriber.event()
    subscriber.subscribe()
    before = len(calm.sandbox.calls())
    assert calm.sandbox.lifecycle(event) >= 1
    calm.sandbox.edit(meeting.id, {"subject": "After"})
    subscriber.hears(1)
    wanted = {"missed": "GET", "subscriptionRemoved": "POST", "reauthorizationRequired": "PATCH"}[event]

    def answered() -> bool | None:
        paths = [(call.method, call.path) for call in calm.sandbox.calls(before)]
        return any(method == wanted and ("subscriptions" in path or "delta" in path) for method, path in paths) or None

    until(answered, f"{event} is answered", calm.logs)
    mine = [one for one in calm.sandbox.subscriptions() if subscriber.mailbox in one["resource"]]
    assert len(mine) == 1


def test_a_burst_with_the_worker_killed_loses_nothing(calm: System) -> None:
    subscriber = Subscriber(calm)
    events = [subscriber.event() for _ in range(60)]
    subscriber.subscribe()
    for number, event in enumerate(events):
        calm.sandbox.edit(event.id, {"subject": f"After {number}"})
        if number == 30:
            calm.kill("worker")
    told = subscriber.hears(len(events))
    assert sorted(one["target"]["event"] for one in told) == sorted(event.graph_id for event in events)


def test_who_ends_the_subscription_hears_no_more_and_graph_is_told(calm: System) -> None:
    subscriber = Subscriber(calm)
    subscription = subscriber.subscribe()
    assert calm.api.delete(f"/v1/subscriptions/{subscription}").status_code == 204

    def gone() -> bool | None:
        return not any(subscriber.mailbox in one["resource"] for one in calm.sandbox.subscriptions()) or None

    until(gone, "the Graph subscription is deleted", calm.logs)


def test_an_event_is_kept_equal_to_another_across_backends(calm: System) -> None:
    cloud, hq = Subscriber(calm), Subscriber(calm, "hq.example")
    source, to = cloud.event(), hq.event(subject="Different")
    body = {
        "from": {"mailbox": cloud.mailbox, "event": source.graph_id},
        "to": {"mailbox": hq.mailbox, "event": to.id},
        "properties": ["subject", "location"],
    }
    assert calm.api.post("/v1/mirrors", json=body).status_code == 201

    def becomes(subject: str) -> None:
        until(lambda: calm.sandbox.event(to.id).properties["subject"] == subject or None, subject, calm.logs)

    becomes("Before")
    calm.sandbox.edit(source.id, {"subject": "After"})
    becomes("After")
    calm.sandbox.delete(source.id)
    until(lambda: calm.api.get("/v1/mirrors").json()["items"][0]["state"] == "sourceDeleted" or None, "told", calm.logs)


def test_a_mailbox_on_premises_is_heard_of_all_the_same(calm: System) -> None:
    subscriber = Subscriber(calm, "hq.example")
    event = subscriber.event()
    subscriber.subscribe()
    (watch,) = (key for key in calm.redis.keys("rdv:watch:*") if calm.redis.hget(key, "backend") == "hq")
    until(lambda: calm.redis.hexists(watch.replace("watch", "snapshots"), event.id) or None, "it is seen", calm.logs)
    calm.sandbox.edit(event.id, {"subject": "After"})
    (told,) = subscriber.hears(1)
    assert told["changed"] == {"subject": {"before": "Before", "after": "After"}}
    calm.sandbox.delete(event.id)
    assert subscriber.hears(2)[1]["change"] == "deleted"


def test_an_event_on_premises_is_mirrored_into_the_cloud(calm: System) -> None:
    hq, cloud = Subscriber(calm, "hq.example"), Subscriber(calm)
    source, to = hq.event(), cloud.event(subject="Different")
    body = {
        "from": {"mailbox": hq.mailbox, "event": source.id},
        "to": {"mailbox": cloud.mailbox, "event": to.graph_id},
        "properties": ["subject", "start", "end", "attendees"],
    }
    assert calm.api.post("/v1/mirrors", json=body).status_code == 201
    until(lambda: calm.sandbox.event(to.id).properties["subject"] == "Before" or None, "equal at first", calm.logs)
    calm.sandbox.edit(source.id, {"subject": "After"})
    until(lambda: calm.sandbox.event(to.id).properties["subject"] == "After" or None, "mirrored", calm.logs)


def test_two_events_mirrored_both_ways_converge(calm: System) -> None:
    one, other = Subscriber(calm), Subscriber(calm)
    ends = [(one.mailbox, one.event()), (other.mailbox, other.event(subject="Different"))]
    named = [{"mailbox": mailbox, "event": event.graph_id} for mailbox, event in ends]
    for source, to in (named, named[::-1]):
        body = {"from": source, "to": to, "properties": ["subject"]}
        assert calm.api.post("/v1/mirrors", json=body).status_code == 201
    until(lambda: _subjects(calm, ends) == {"Before"} or None, "the older mirror makes them equal", calm.logs)
    calm.sandbox.edit(ends[1][1].id, {"subject": "Young"})
    until(lambda: _subjects(calm, ends) == {"Young"} or None, "Young is mirrored back", calm.logs)
    for number in range(3):
        for side, (_, event) in enumerate(ends):
            calm.sandbox.edit(event.id, {"subject": f"{number} on {side}"})
    until(lambda: len(_subjects(calm, ends)) == 1 or None, "both are equal", calm.logs)
    quiet = [len(calm.sandbox.journal(event.id)) for _, event in ends]
    until(lambda: not calm.redis.zcard("rdv:due") or None, "everything is done", calm.logs)
    assert len(_subjects(calm, ends)) == 1, json.dumps(quiet)


def _subjects(system: System, ends: list[tuple[str, Seen]]) -> set[str]:
    return {system.sandbox.event(event.id).properties["subject"] for _, event in ends}
