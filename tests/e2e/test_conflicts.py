"""Somebody else is at the event while we are: between our read and our write, on both backends, in all modes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.sandbox.faults import Fault
from ops.sandbox.seed import attendee
from tests.e2e.system import HELD, System, until

MODES = ("neverOverwrite", "autoResolve", "alwaysOverwrite")
BOTH = pytest.mark.parametrize("mailbox", ["anna@contoso.com", "otto@hq.example"], ids=["graph", "ews"])


def an_event(system: System, mailbox: str) -> Any:
    properties = {"subject": "Before", "categories": ["Old"], "attendees": [attendee("ben@contoso.com")]}
    return system.sandbox.create_event(mailbox, properties)


def target(event: Any) -> dict[str, str]:
    cloud = event.mailbox == "anna@contoso.com"
    return {"mailbox": event.mailbox, "event": event.graph_id if cloud else event.id}


def asked_while(system: System, event: Any, edit: dict[str, Any] | None, **body: Any) -> dict[str, Any]:
    """An update whose write is held up while somebody edits the event (None: Exchange moves its version)."""
    system.sandbox.fail(Fault(effect="now", reply="own", method="write", hold=HELD))
    update = system.ask({"target": target(event), **body})
    until(lambda: None if system.sandbox.faults() else True, "the write arrives", system.logs)
    if edit is None:
        system.sandbox.touch(event.id)
    else:
        system.sandbox.edit(event.id, edit)
    system.sandbox.clear_faults()
    return system.ended(update["id"])


def ours(system: System, event: Any) -> list[Any]:
    return [entry for entry in system.sandbox.journal(event.id) if entry.author in ("graph", "ews")]


@BOTH
@pytest.mark.parametrize("mode", MODES)
def test_a_version_that_moved_while_the_content_did_not_is_no_conflict(system: System, mailbox: str, mode: str) -> None:
    event = an_event(system, mailbox)
    ended = asked_while(system, event, None, set={"subject": "After"}, conflictResolution=mode)
    assert ended["state"] == "succeeded", ended["error"]
    assert len(ours(system, event)) == 1


@BOTH
@pytest.mark.parametrize("mode", MODES)
def test_another_property_changed_meanwhile_is_kept_or_a_conflict(system: System, mailbox: str, mode: str) -> None:
    event = an_event(system, mailbox)
    ended = asked_while(system, event, {"importance": "high"}, set={"subject": "After"}, conflictResolution=mode)
    stands = system.sandbox.event(event.id).properties
    assert stands["importance"] == "high"
    if mode == "neverOverwrite":
        assert (ended["state"], ended["error"]["class"]) == ("dead", "conflict")
        assert [clash["property"] for clash in ended["error"]["conflicts"]] == ["importance"]
        assert stands["subject"] == "Before"
    else:
        assert (ended["state"], stands["subject"]) == ("succeeded", "After")
        assert [list(entry.changed) for entry in ours(system, event)] == [["subject"]]


@BOTH
@pytest.mark.parametrize("mode", MODES)
def test_the_same_property_changed_meanwhile_is_a_conflict_or_ours(system: System, mailbox: str, mode: str) -> None:
    event = an_event(system, mailbox)
    ended = asked_while(system, event, {"subject": "Theirs"}, set={"subject": "Ours"}, conflictResolution=mode)
    if mode == "alwaysOverwrite":
        assert (ended["state"], system.sandbox.event(event.id).properties["subject"]) == ("succeeded", "Ours")
        return
    assert (ended["state"], ended["error"]["class"]) == ("dead", "conflict")
    assert ended["error"]["conflicts"] == [
        {"property": "subject", "base": "Before", "theirs": "Theirs", "ours": "Ours"}
    ]
    assert system.sandbox.event(event.id).properties["subject"] == "Theirs"


@BOTH
def test_people_added_by_both_are_all_there(system: System, mailbox: str) -> None:
    event = an_event(system, mailbox)
    people = [attendee("ben@contoso.com"), attendee("cleo@contoso.com")]
    added = {"attendees": [{"type": "optional", "emailAddress": {"address": "dora@contoso.com"}}]}
    ended = asked_while(system, event, {"attendees": people}, append=added)
    assert ended["state"] == "succeeded", ended["error"]
    invited = [one["emailAddress"]["address"] for one in system.sandbox.event(event.id).properties["attendees"]]
    assert sorted(invited) == ["ben@contoso.com", "cleo@contoso.com", "dora@contoso.com"]


@BOTH
def test_a_version_that_somebody_else_replaced_is_a_conflict_and_one_that_we_replaced_is_none(
    system: System, mailbox: str
) -> None:
    event = an_event(system, mailbox)
    seen = event.etag if mailbox == "anna@contoso.com" else event.ews_change_key
    place = {**target(event), "version": seen}
    mode = {"conflictResolution": "neverOverwrite"}
    first = system.ended(system.ask({"target": place, "set": {"subject": "One"}, **mode})["id"])
    second = system.ended(system.ask({"target": place, "set": {"subject": "Two"}, **mode})["id"])
    assert (first["state"], second["state"]) == ("succeeded", "succeeded"), second["error"]
    system.sandbox.touch(event.id)
    left = {**target(event), "version": second["result"]["version"]}
    moved = system.ended(system.ask({"target": left, "set": {"subject": "Moved by Exchange"}, **mode})["id"])
    assert moved["state"] == "succeeded", moved["error"]
    system.sandbox.edit(event.id, {"importance": "high"})
    third = system.ended(system.ask({"target": place, "set": {"subject": "Three"}, **mode})["id"])
    assert (third["state"], third["error"]["class"]) == ("dead", "conflict")


@BOTH
def test_what_was_expected_and_does_not_hold_is_a_conflict_in_every_mode(system: System, mailbox: str) -> None:
    event = an_event(system, mailbox)
    for mode in MODES:
        body = {"set": {"subject": "After"}, "expect": {"categories": ["Other"]}, "conflictResolution": mode}
        ended = system.ended(system.ask({"target": target(event), **body})["id"])
        assert (ended["state"], ended["error"]["class"]) == ("dead", "conflict")
        [clash] = ended["error"]["conflicts"]
        assert (clash["property"], clash["base"], clash["theirs"]) == ("categories", ["Other"], ["Old"])
    assert ours(system, event) == []


def test_a_replay_of_what_was_in_fact_applied_finds_that_out(system: System) -> None:
    events = [an_event(system, mailbox) for mailbox in ("anna@contoso.com", "otto@hq.example")]
    soon = (datetime.now(UTC) + timedelta(seconds=6)).isoformat().replace("+00:00", "Z")
    for event in events:
        system.sandbox.fail(Fault(effect="now", reply="drop", method="write", mailbox=event.mailbox))
        system.sandbox.fail(Fault(status=503, method="read", mailbox=event.mailbox, skip=1, times=None))
    ids = [system.ask({"target": target(event), "append": {"subject": "!"}, "deadline": soon})["id"]
           for event in events]  # fmt: skip
    for update_id in ids:
        ended = system.ended(update_id)
        assert (ended["state"], ended["error"]["class"]) == ("dead", "unknownOutcome"), ended
    system.sandbox.clear_faults()
    letters = system.api.get("/v1/dead-letters?class=unknownOutcome").json()["items"]
    kinds = {letter["id"]: letter["kind"] for letter in letters}
    for update_id, event in zip(ids, events, strict=True):
        assert kinds[update_id] == "update"
        assert system.api.post(f"/v1/dead-letters/{update_id}/replay").status_code == 202
        ended = system.ended(update_id)
        assert ended["state"] == "succeeded", ended["error"]
        assert ended["result"]["changed"]["subject"] == {"before": "Before", "after": "Before!"}
        assert len(ours(system, event)) == 1
        assert len(system.sandbox.invitations(event.id)) == 1


def test_a_storm_of_429_over_many_mailboxes_costs_one_call_in_each_and_none_inside_a_pause(system: System) -> None:
    mailboxes = [f"storm{number}@contoso.com" for number in range(20)]
    for address in mailboxes:
        system.sandbox.create_mailbox(address)
        system.sandbox.fail(Fault(status=429, headers={"Retry-After": "2"}, api="graph", mailbox=address, times=1))
    since = max((call.number for call in system.sandbox.calls()), default=0)

    def one_in_each() -> list[str]:
        targets = [{"mailbox": address, "event": system.sandbox.create_event(address, {}).graph_id}
                   for address in mailboxes]  # fmt: skip
        return [system.ask({"target": target, "set": {"subject": "Calm"}})["id"] for target in targets]

    ids = one_in_each()
    for update_id in ids:
        system.once(update_id, lambda update: bool(update["attempts"]))
    ids += one_in_each() + one_in_each()
    assert {system.ended(update_id)["state"] for update_id in ids} == {"succeeded"}
    calls = [call for call in system.sandbox.calls(since) if call.mailbox in mailboxes]
    assert Counter(call.status == 429 for call in calls) == {True: len(mailboxes), False: 2 * len(ids)}
    refused: dict[str, datetime] = {}
    for call in sorted(calls, key=lambda one: one.at):
        moment = datetime.fromisoformat(call.at)
        if call.status == 429:
            refused[call.mailbox] = moment
        elif call.mailbox in refused:
            assert moment - refused.pop(call.mailbox) >= timedelta(seconds=1.8), "a call inside the pause"
