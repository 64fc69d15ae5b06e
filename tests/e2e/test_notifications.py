"""A person changes an event, a subscriber hears of it: all processes, Graph as badly behaved as it gets."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ops.sandbox import seed
from ops.sandbox.control import Seen
from ops.sandbox.event import graph_form
from ops.sandbox.faults import Fault
from ops.sandbox.tokens import TENANT
from tests.e2e.subscriber import CLOUD, Subscriber, let_go, metric
from tests.e2e.system import System, until

TOLD = 'rendezvous_graph_notifications_total{kind="change"}'


@pytest.fixture
def calm(system: System) -> Iterator[System]:
    """The system, and nobody subscribed when it is over."""
    yield system
    let_go(system)


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


def test_a_person_who_signs_in_as_themselves_hears_of_their_own_mailbox(calm: System) -> None:
    subscriber = Subscriber(calm, mailbox="me")
    event = calm.sandbox.create_event(seed.ANNA.address, {"subject": "Before"})
    subscriber.subscribe()
    calm.sandbox.edit(event.id, {"subject": "After"})
    (told,) = subscriber.hears(1)
    assert told["changed"] == {"subject": {"before": "Before", "after": "After"}}
    assert told["target"] == {"mailbox": "me", "event": event.graph_id, "backend": "cloud"}


def test_the_first_change_of_a_property_that_few_ask_for_is_told(calm: System) -> None:
    subscriber = Subscriber(calm, properties=["body"])
    event = subscriber.event()
    subscriber.subscribe()
    settled(calm)
    calm.sandbox.edit(event.id, {"subject": "After"})
    calm.sandbox.edit(event.id, {"body": {"contentType": "html", "content": "<p>After</p>"}})
    (told,) = subscriber.hears(1)
    assert list(told["changed"]) == ["body"]
    assert "After" in told["changed"]["body"]["after"]["content"]


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


def test_a_late_notification_tells_no_old_news(calm: System) -> None:
    """Each callback goes on where the one before it ended, whatever order the notifications came in."""
    calm.sandbox.behave(notify_copies=3, notify_spread=3.0)
    subscriber = Subscriber(calm)
    event = subscriber.event()
    subscriber.subscribe()
    before = metric(calm, TOLD)
    for number in range(10):
        calm.sandbox.edit(event.id, {"subject": f"After {number}"})
        time.sleep(0.2)
    until(lambda: _last(subscriber) == "After 9" or None, "the last edit is told", calm.logs)
    until(lambda: metric(calm, TOLD) >= before + 30 or None, "every notification has come", calm.logs)
    settled(calm)
    subjects = [one["changed"]["subject"] for one in subscriber.told()]
    assert [one["before"] for one in subjects] == ["Before", *(one["after"] for one in subjects[:-1])]
    assert subjects[-1]["after"] == "After 9"


def test_a_deletion_overtaken_by_what_came_before_it_is_told_once_and_last(calm: System) -> None:
    calm.sandbox.behave(notify_copies=3, notify_spread=2.0)
    subscriber = Subscriber(calm)
    event = subscriber.event()
    subscriber.subscribe()
    before = metric(calm, TOLD)
    calm.sandbox.edit(event.id, {"subject": "After"})
    calm.sandbox.delete(event.id)
    until(lambda: metric(calm, TOLD) >= before + 6 or None, "every notification has come", calm.logs)
    settled(calm)
    assert [one["change"] for one in subscriber.told()][-1] == "deleted"
    assert [one["change"] for one in subscriber.told()].count("deleted") == 1


def test_what_somebody_else_posts_is_answered_alike_and_not_believed(calm: System) -> None:
    calm.sandbox.behave(notify_copies=0)
    subscriber = Subscriber(calm)
    event = subscriber.event()
    subscriber.subscribe()
    genuine = notification(subscriber, event)
    state = genuine["clientState"]
    forged = [
        {**genuine, "clientState": state[:-1] + ("A" if state[-1] != "A" else "B")},
        {**genuine, "clientState": "wch_" + "0" * 32 + ".x"},
        {**genuine, "subscriptionId": "another"},
        {**genuine, "tenantId": "00000000-0000-0000-0000-000000000000"},
        {**genuine, "resourceData": {}},
        {**genuine, "changeType": "exploded"},
        {**genuine, "lifecycleEvent": "exploded"},
    ]
    names = ("clientState", "subscription", "tenant", "malformed", "changeType", "lifecycleEvent")

    def dropped() -> dict[str, float]:
        series = "rendezvous_graph_notifications_dropped_total"
        return {name: metric(calm, f'{series}{{reason="{name}"}}') for name in names}

    before, jobs = dropped(), len(calm.redis.keys("rdv:job:ntf_*"))
    for one in forged:
        assert calm.api.post("/v1/graph/notifications", json={"value": [one]}).status_code == 202
    assert len(calm.redis.keys("rdv:job:ntf_*")) == jobs
    more = {name: count - before[name] for name, count in dropped().items()}
    assert more == {**dict.fromkeys(names, 1), "clientState": 2}
    for size, status in {5_000: 400, 10_000: 414}.items():  # gunicorn does not even read the longer one
        answer = calm.api.post("/v1/graph/notifications", params={"validationToken": "x" * size})
        assert (answer.status_code, "xxx" in answer.text) == (status, False)


def test_a_burst_of_a_thousand_with_the_worker_killed_loses_nothing(calm: System) -> None:
    """100 changes, each told ten times, shuffled, 32 at once; each on a connection of its own, because httpx closes
    one that another thread has just taken once in a while."""
    calm.sandbox.behave(notify_copies=0)
    subscriber = Subscriber(calm)
    events = [subscriber.event() for _ in range(100)]
    subscriber.subscribe()
    changed = [calm.sandbox.edit(event.id, {"subject": f"After {n}"}) for n, event in enumerate(events)]
    burst = 10 * [notification(subscriber, event) for event in changed]
    random.Random(6).shuffle(burst)
    url = calm.api.base_url.join("/v1/graph/notifications")
    with ThreadPoolExecutor(32) as posting:
        answers = posting.map(
            lambda one: httpx.post(url, json={"value": [one]}, timeout=60, trust_env=False).status_code, burst
        )
        calm.kill("worker")
        assert set(answers) == {202}
    told = subscriber.hears(len(events))
    settled(calm)
    assert sorted(one["target"]["event"] for one in subscriber.told()) == sorted(one.graph_id for one in events)
    assert {one["changed"]["subject"]["before"] for one in told} == {"Before"}


def test_an_outage_longer_than_the_subscription_heals_by_itself(calm: System) -> None:
    calm.sandbox.behave(subscription_life=4.0)
    subscriber = Subscriber(calm)
    changed, doomed = subscriber.event(), subscriber.event()
    subscriber.subscribe()
    names = list(calm.processes)
    for name in names:
        calm.processes[name].sweep_up()
    ended = subscriber.graph_subscription()

    def expired() -> bool | None:
        return datetime.fromisoformat(ended["expirationDateTime"]) < datetime.now(UTC) or None

    until(expired, "the subscription has run out")
    calm.sandbox.edit(changed.id, {"subject": "Meanwhile"})
    calm.sandbox.delete(doomed.id)
    subscriber.event(subject="Made meanwhile")
    for name in names:
        calm.start(name)
    told = {one["change"]: one for one in subscriber.hears(3)}
    assert told["updated"]["changed"] == {"subject": {"before": "Before", "after": "Meanwhile"}}
    assert told["deleted"]["target"]["event"] == doomed.graph_id
    assert told["created"]["changed"]["subject"] == {"before": None, "after": "Made meanwhile"}
    assert subscriber.graph_subscription()["id"] != ended["id"]
    calm.sandbox.edit(changed.id, {"subject": "Afterwards"})
    assert subscriber.hears(4)[3]["changed"] == {"subject": {"before": "Meanwhile", "after": "Afterwards"}}


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
    (watch,) = (str(key) for key in calm.redis.keys("rdv:watch:*") if calm.redis.hget(key, "backend") == "hq")
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


def test_an_event_is_mirrored_into_a_groups_calendar(calm: System) -> None:
    cloud, meeting = Subscriber(calm), seed.GROUP_MEETING
    to = {"group": seed.TEAM.object_id, "event": graph_form(meeting), "calendar": "default"}
    body = {
        "from": {"mailbox": cloud.mailbox, "event": cloud.event(subject="Of the team").graph_id},
        "to": to,
        "properties": ["subject"],
    }
    made = calm.api.post("/v1/mirrors", json=body)
    assert (made.status_code, made.json()["to"]) == (201, {**to, "backend": "cloud"})
    until(
        lambda: calm.sandbox.event(seed.GROUP_MEETING).properties["subject"] == "Of the team" or None,
        "equal",
        calm.logs,
    )


@pytest.mark.parametrize("other_domain", [CLOUD, "hq.example"])
def test_two_events_mirrored_both_ways_converge_and_nobody_is_mailed_twice(calm: System, other_domain: str) -> None:
    guests = [seed.attendee("guest@contoso.com")]
    one, other = Subscriber(calm), Subscriber(calm, other_domain)
    ends = [one.event(attendees=guests), other.event(subject="Different", attendees=guests)]
    named = [{"mailbox": side.mailbox, "event": event.graph_id if side.mailbox.endswith(CLOUD) else event.id}
             for side, event in zip((one, other), ends, strict=True)]  # fmt: skip
    for source, to in (named, named[::-1]):
        body = {"from": source, "to": to, "properties": ["subject", "importance"]}
        assert calm.api.post("/v1/mirrors", json=body).status_code == 201
    until(lambda: _subjects(calm, ends) == {"Before"} or None, "the older mirror makes them equal", calm.logs)
    until(lambda: _all_active(calm) or None, "both mirrors are active", calm.logs)
    calm.sandbox.edit(ends[1].id, {"subject": "Young"})
    until(lambda: _subjects(calm, ends) == {"Young"} or None, "Young is mirrored back", calm.logs)
    for number in range(3):
        for side, event in enumerate(ends):
            calm.sandbox.edit(event.id, {"subject": f"{number} on {side}"})
            calm.sandbox.edit(event.id, {"importance": ("low", "high")[(number + side) % 2]})
    settled(calm)
    until(lambda: len(_subjects(calm, ends)) == 1 or None, "both are equal", calm.logs)
    settled(calm)
    assert len(_subjects(calm, ends)) == 1
    for event in ends:
        writes = [entry for entry in calm.sandbox.journal(event.id) if entry.author in ("graph", "ews")]
        assert len(writes) <= 1 + 1 + 2 * 6, "what was mirrored is not sent back"
        mails = [(mail.attendee, mail.write) for mail in calm.sandbox.invitations(event.id)]
        assert len(mails) == len(set(mails)) <= len(writes)


def test_an_edit_reaches_the_event_whose_own_last_edit_exchange_refused_to_mirror(calm: System) -> None:
    sides = [Subscriber(calm), Subscriber(calm)]
    events = [side.event() for side in sides]
    ends = [{"mailbox": side.mailbox, "event": event.graph_id} for side, event in zip(sides, events, strict=True)]
    for source, to in (ends, ends[::-1]):
        body = {"from": source, "to": to, "properties": ["subject"]}
        assert calm.api.post("/v1/mirrors", json=body).status_code == 201
    until(lambda: _all_active(calm) or None, "both mirrors are active", calm.logs)
    settled(calm)
    calm.sandbox.fail(Fault(effect="never", reply="error", status=400, method="write", mailbox=sides[1].mailbox))
    calm.sandbox.edit(events[0].id, {"subject": "Refused"})
    dead = f"/v1/dead-letters?mailbox={sides[1].mailbox}"
    until(lambda: calm.api.get(dead).json()["items"] or None, "the older mirror's update is dead", calm.logs)
    calm.sandbox.edit(events[1].id, {"subject": "After"})
    until(lambda: _subjects(calm, events) == {"After"} or None, "the next edit goes back", calm.logs)
    settled(calm)
    assert _subjects(calm, events) == {"After"}


def test_mirrors_in_a_ring_make_their_events_equal_and_come_to_rest(calm: System) -> None:
    sides = [Subscriber(calm) for _ in range(3)]
    events = [side.event(subject=f"of {number}") for number, side in enumerate(sides)]
    named = [{"mailbox": side.mailbox, "event": event.graph_id} for side, event in zip(sides, events, strict=True)]
    for source, to in zip(named, (*named[1:], named[0]), strict=True):
        assert calm.api.post("/v1/mirrors", json={"from": source, "to": to, "properties": ["subject"]}).is_success
    until(lambda: _subjects(calm, events) == {"of 0"} or None, "the oldest mirror makes them equal", calm.logs)
    until(lambda: _all_active(calm) or None, "all mirrors are active", calm.logs)
    calm.sandbox.edit(events[1].id, {"subject": "After"})
    until(lambda: _subjects(calm, events) == {"After"} or None, "an edit goes all the way", calm.logs)
    settled(calm)
    assert all(len([one for one in calm.sandbox.journal(event.id) if one.author == "graph"]) <= 3 for event in events)


def _all_active(system: System) -> bool:
    return all(one["state"] == "active" for one in system.api.get("/v1/mirrors").json()["items"])


def _last(subscriber: Subscriber) -> Any:
    told = subscriber.told()
    return told[-1]["changed"]["subject"]["after"] if told else None


def notification(subscriber: Subscriber, event: Seen) -> dict[str, Any]:
    """What Graph would post of a change of this event."""
    known = subscriber.graph_subscription()
    resource = f"Users/{subscriber.mailbox}/Events/{event.graph_id}"
    data = {"@odata.type": "#Microsoft.Graph.Event", "@odata.id": resource, "id": event.graph_id,
            "@odata.etag": event.etag}  # fmt: skip
    return {"subscriptionId": known["id"], "clientState": known["clientState"], "tenantId": TENANT,
            "changeType": "updated", "resource": resource, "resourceData": data}  # fmt: skip


def settled(system: System) -> None:
    """Nothing waits to be done, and no mailbox is being looked at."""

    def quiet() -> bool | None:
        return not (system.redis.zcard("rdv:due") or system.redis.keys("rdv:line:*")) or None

    until(quiet, "everything is done", system.logs)


def _subjects(system: System, events: list[Seen]) -> set[str]:
    return {system.sandbox.event(event.id).properties["subject"] for event in events}
