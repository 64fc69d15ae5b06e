"""A request in, Exchange changed, a callback out: all processes, real HTTP between them."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from standardwebhooks import Webhook

from ops.sandbox import seed
from ops.sandbox.event import graph_form
from ops.sandbox.faults import Fault
from tests.e2e.system import CREDENTIALS, HELD, System

EWS_SEED: dict[str, Any] = {
    "target": {"mailbox": "otto@hq.example", "event": seed.TEAM_BUILDING},
    "set": {
        "subject": "Team building exercise has moved!",
        "location": {"displayName": "4567 Contoso Way, Redmond, OH 33333, USA"},
    },
    "append": {
        "attendees": [
            {"type": "required", "emailAddress": {"address": "alisa@contoso.com"}},
            {"type": "resource", "emailAddress": {"address": "dlpprojector@contoso.com"}},
        ]
    },
    "conflictResolution": "alwaysOverwrite",
    "sendInvitations": "sendToAllAndSaveCopy",
}
GRAPH_SEED: dict[str, Any] = {
    "target": {"mailbox": "anna@contoso.com", "event": graph_form(seed.LETS_GO_FOR_LUNCH)},
    "set": {
        "recurrence": None,
        "reminderMinutesBeforeStart": 99,
        "isOnlineMeeting": True,
        "onlineMeetingProvider": "teamsForBusiness",
        "isReminderOn": True,
        "hideAttendees": False,
        "categories": ["Red category"],
    },
}


def lunch(**change: Any) -> dict[str, Any]:
    return {"target": GRAPH_SEED["target"], **change}


def exercise(**change: Any) -> dict[str, Any]:
    return {"target": EWS_SEED["target"], **change}


def writes(system: System, event_id: str) -> list[Any]:
    return [entry for entry in system.sandbox.journal(event_id) if entry.author in ("graph", "ews")]


@pytest.mark.parametrize("body", [EWS_SEED, GRAPH_SEED], ids=["ews", "graph"])
def test_a_seed_update_changes_the_event_once_and_calls_back_signed(system: System, body: dict[str, Any]) -> None:
    update = system.ask({**body, "callbackUrl": f"{system.sandbox.url}/callbacks/hr", "metadata": {"ticket": 7}})
    ended = system.ended(update["id"])
    assert ended["state"] == "succeeded", ended
    assert ended["result"]["verified"]
    assert not ended["result"]["noop"]
    assert len(writes(system, body["target"]["event"])) == 1
    post = system.callback_of(update["id"])
    told = Webhook(CREDENTIALS.webhook_secret).verify(post.body, dict(post.headers))
    assert told["type"] == "calendar.update.succeeded"
    assert told["data"]["id"] == update["id"]
    assert told["data"]["metadata"] == {"ticket": 7}
    assert told["data"]["result"] == ended["result"]


def test_the_ews_seed_update_invites_everybody_once(system: System) -> None:
    ended = system.ended(system.ask(EWS_SEED)["id"])
    assert ended["result"]["invitations"] == "sendToAllAndSaveCopy"
    mailed = sorted(mail.attendee.lower() for mail in system.sandbox.invitations(seed.TEAM_BUILDING))
    assert mailed == ["alisa@contoso.com", "dlpprojector@contoso.com", "mack.chaves@contoso.com",
                      "sadie.daniels@contoso.com"]  # fmt: skip


@pytest.mark.parametrize("body", [EWS_SEED, GRAPH_SEED], ids=["ews", "graph"])
def test_asking_for_what_is_so_already_writes_nothing_and_mails_nobody(system: System, body: dict[str, Any]) -> None:
    system.ended(system.ask(body)["id"])
    mails = len(system.sandbox.invitations())
    again = system.ended(system.ask(body)["id"])
    assert (again["state"], again["result"]["noop"]) == ("succeeded", True)
    assert len(writes(system, body["target"]["event"])) == 1
    assert len(system.sandbox.invitations()) == mails


@pytest.mark.parametrize("body", [EWS_SEED, GRAPH_SEED], ids=["ews", "graph"])
def test_an_answer_lost_after_applying_is_one_change_one_mail_and_success(system: System, body: dict[str, Any]) -> None:
    system.sandbox.fail(Fault(effect="now", reply="drop", method="write"))
    ended = system.ended(system.ask(body)["id"])
    assert ended["state"] == "succeeded", ended
    assert ended["attempts"][0]["outcome"] == "unknownOutcome"
    assert len(writes(system, body["target"]["event"])) == 1
    mailed = [mail.attendee for mail in system.sandbox.invitations()]
    assert len(mailed) == len(set(mailed))
    assert ended["result"]["changed"], "what changed is told although the answer was lost"


@pytest.mark.parametrize("body", [EWS_SEED, GRAPH_SEED], ids=["ews", "graph"])
def test_a_call_lost_before_applying_is_repeated(system: System, body: dict[str, Any]) -> None:
    system.sandbox.fail(Fault(effect="never", reply="drop", method="write"))
    ended = system.ended(system.ask(body)["id"])
    assert ended["state"] == "succeeded", ended
    assert len(writes(system, body["target"]["event"])) == 1


@pytest.mark.parametrize("body", [EWS_SEED, GRAPH_SEED], ids=["ews", "graph"])
def test_a_write_that_is_applied_late_is_applied_once(system: System, body: dict[str, Any]) -> None:
    system.sandbox.fail(Fault(effect="later", later=0.6, reply="drop", method="write"))
    ended = system.ended(system.ask(body)["id"])
    assert ended["state"] == "succeeded", ended
    time.sleep(0.8)
    assert len(writes(system, body["target"]["event"])) == 1


def test_throttling_is_obeyed_and_does_not_count_as_failure(system: System) -> None:
    throttled = Fault(status=429, code="ApplicationThrottled", headers={"Retry-After": "1"}, api="graph", times=1)
    system.sandbox.fail(throttled)
    ended = system.ended(system.ask(GRAPH_SEED)["id"])
    assert ended["state"] == "succeeded"
    assert [attempt["outcome"] for attempt in ended["attempts"]] == ["throttled", "succeeded"]


def test_thirty_quick_updates_of_one_event_are_applied_in_order(system: System) -> None:
    asked = [system.ask(lunch(set={"subject": f"Lunch {number}"}))["id"] for number in range(30)]
    assert all(system.ended(update_id)["state"] == "succeeded" for update_id in asked)
    subjects = [entry.changed["subject"]["after"] for entry in writes(system, graph_form(seed.LETS_GO_FOR_LUNCH))]
    assert subjects == [f"Lunch {number}" for number in range(30)]


def test_never_more_than_four_run_at_once_in_a_graph_mailbox(system: System) -> None:
    events = [system.sandbox.create_event("anna@contoso.com", {"subject": str(number)}) for number in range(12)]
    system.sandbox.fail(Fault(effect="now", reply="own", api="graph", times=None, hold=0.15))
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(lambda event: system.ask(
            {"target": {"mailbox": "anna@contoso.com", "event": event.graph_id}, "set": {"subject": "At once"}}
        )["id"], events))  # fmt: skip
    assert all(system.ended(update_id)["state"] == "succeeded" for update_id in asked)
    assert 2 <= system.sandbox.most_at_once("anna@contoso.com") <= 4


def test_all_twelve_graph_paths_lead_to_their_event(system: System) -> None:
    calendar = system.sandbox.event(seed.PROJECT_REVIEW).calendar
    lunch_calendar = system.sandbox.event(seed.LETS_GO_FOR_LUNCH).calendar
    lunch_id, review = graph_form(seed.LETS_GO_FOR_LUNCH), graph_form(seed.PROJECT_REVIEW)
    group = {"group": seed.TEAM.object_id, "event": graph_form(seed.GROUP_MEETING), "backend": "cloud"}
    targets: list[dict[str, str]] = [group, {**group, "calendar": "default"}]
    for mailbox in ("me", "anna@contoso.com"):
        owner = {"mailbox": mailbox, "backend": "cloud"}
        targets += [
            {**owner, "event": lunch_id},
            {**owner, "event": lunch_id, "calendar": "default"},
            {**owner, "event": review, "calendar": graph_form(calendar)},
            {**owner, "event": lunch_id, "calendarGroup": "default", "calendar": graph_form(lunch_calendar)},
            {**owner, "event": review, "calendarGroup": seed.group_of(seed.ANNA, 1), "calendar": graph_form(calendar)},
        ]
    assert len(targets) == 12
    for number, target in enumerate(targets):
        ended = system.ended(system.ask({"target": target, "set": {"subject": f"Path {number}"}})["id"])
        assert ended["state"] == "succeeded", (target, ended["error"])
    paths = {call.path.replace("%3D", "=") for call in system.sandbox.calls() if call.method == "PATCH"}
    assert len(paths) == 12, sorted(paths)


def test_a_refused_update_is_dead_and_its_callback_says_why(system: System) -> None:
    event = system.sandbox.create_event("anna@contoso.com", {"subject": "Soon gone"})
    system.sandbox.delete(event.id)
    gone = {"mailbox": "anna@contoso.com", "event": event.graph_id}
    url = f"{system.sandbox.url}/callbacks/dead"
    update = system.ask({"target": gone, "set": {"subject": "x"}, "callbackUrl": url})
    ended = system.ended(update["id"])
    assert (ended["state"], ended["error"]["class"]) == ("dead", "notFound")
    told = json.loads(system.callback_of(update["id"]).body)
    assert (told["type"], told["data"]["error"]) == ("calendar.update.dead", ended["error"])


def test_a_waiting_update_can_be_cancelled_and_is_never_applied(system: System) -> None:
    system.sandbox.fail(Fault(effect="now", reply="own", api="graph", hold=HELD))
    first = system.ask(lunch(set={"subject": "First"}))
    second = system.ask(lunch(set={"subject": "Second"}, callbackUrl=f"{system.sandbox.url}/callbacks/x"))
    answer = system.api.post(f"/v1/updates/{second['id']}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert json.loads(system.callback_of(second["id"]).body)["type"] == "calendar.update.cancelled"
    system.sandbox.clear_faults()
    assert system.ended(first["id"])["state"] == "succeeded"
    assert system.api.post(f"/v1/updates/{first['id']}/cancel").status_code == 409
    assert [entry.changed["subject"]["after"] for entry in writes(system, graph_form(seed.LETS_GO_FOR_LUNCH))] == [
        "First"
    ]
