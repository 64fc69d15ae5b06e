"""Whole updates through the engine's attempt and the Graph client, against the sandbox's Graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.sandbox.event import ews_form
from ops.sandbox.faults import Fault
from tests.workers.events import VALUES, Properties, at, events, settings_of
from tests.workers.given import an_update
from tests.workers.graph.sandbox import Mailbox
from tests.workers.graph.wire import failure
from workers.attempt import Surroundings, attempt
from workers.event.agreement import agrees
from workers.event.properties import EXTENDED, EXTENSION
from workers.graph.exchange import GraphExchange
from workers.graph.resources import PROPERTIES, GraphEvent
from workers.intended import Intended
from workers.job import Result
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.retry import Patience
from workers.update import Intent

COLOUR = EXTENDED + "String {00020329-0000-0000-C000-000000000046} Name Colour"
DEAL, TRIP = EXTENSION + "com.contoso.deal", EXTENSION + "com.contoso.trip"
TIMES = {"start": at(9), "end": at(10)}


def attempts(mailbox: Mailbox, intent: Intent, **changes: Any) -> Iterator[Outcome]:
    """One attempt after the other at one update, with what is recorded in between."""
    update = an_update(intent=intent, **{"target": mailbox.target, **changes})
    patience = Patience(timedelta(seconds=1), timedelta(minutes=5), timedelta(days=1), 0.5)
    recorded: list[Intended | None] = [None]

    def intend(intended: Intended) -> timedelta:
        recorded.append(intended)
        return timedelta()

    around = Surroundings(mailbox.exchange(), "graph", intend, lambda _: None, lambda: patience)
    in_doubt = False
    while True:
        outcome = attempt(update, recorded[-1], in_doubt, 0, around)
        in_doubt = isinstance(outcome, Retry) and outcome.in_doubt
        yield outcome


def run(mailbox: Mailbox, intent: Intent, **changes: Any) -> Outcome:
    return next(attempts(mailbox, intent, **changes))


def succeeded(outcome: Outcome) -> Result:
    assert isinstance(outcome, Succeeded), outcome
    assert outcome.result is not None
    assert outcome.result.noop or outcome.result.verified
    return outcome.result


def twice(mailbox: Mailbox, intent: Intent, **changes: Any) -> None:
    """The first time it is written and verified, the second time there is nothing to do."""
    assert not succeeded(run(mailbox, intent, **changes)).noop
    assert succeeded(run(mailbox, intent, **changes)).noop


@pytest.mark.parametrize("mode", ["neverOverwrite", "autoResolve", "alwaysOverwrite"])
def test_every_kind_of_extended_data_goes_in_one_update(mode: str) -> None:
    mailbox = Mailbox.with_event(**TIMES)
    asked = {COLOUR: "red", DEAL: {"value": 1, "tags": ["a"]}, TRIP: {"to": "Rome"}, "subject": "Moved"}
    twice(mailbox, Intent(set=asked), conflict_resolution=mode)
    read = mailbox.exchange().read(mailbox.target, asked)
    assert all(agrees(name, read.properties[name], value) for name, value in asked.items())
    assert len(read.marker) == 1


def test_the_version_that_is_told_holds_no_edit_that_came_after_our_write(monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = Mailbox.with_event(**TIMES, subject="Team building")
    read_back = GraphExchange._read_back

    def after_an_edit(exchange: GraphExchange, *place: Any, **how: Any) -> GraphEvent | None:
        mailbox.edit(subject="Mine")
        return read_back(exchange, *place, **how)

    monkeypatch.setattr(GraphExchange, "_read_back", after_an_edit)
    seen = succeeded(run(mailbox, Intent(set={COLOUR: "red", DEAL: {"value": 1}}))).version
    monkeypatch.undo()
    target = replace(mailbox.target, version=seen)
    outcome = run(mailbox, Intent(set={"subject": "Moved"}), target=target, conflict_resolution="neverOverwrite")
    assert isinstance(outcome, Dead), outcome
    assert outcome.failure.error_class == "conflict"
    assert mailbox.event["subject"] == "Mine"


def test_extended_data_is_replaced_and_deleted() -> None:
    mailbox = Mailbox.with_event(**TIMES)
    twice(mailbox, Intent(set={COLOUR: "red", DEAL: {"value": 1, "old": True}, TRIP: {"to": "Rome"}}))
    twice(mailbox, Intent(set={COLOUR: None, DEAL: {"value": 2, "new": True}, TRIP: None}))
    read = mailbox.exchange().read(mailbox.target, [COLOUR, DEAL, TRIP])
    assert read.properties == {COLOUR: None, DEAL: {"value": 2, "new": True}, TRIP: None}


def test_extensions_alone_neither_patch_the_event_nor_mail_anybody() -> None:
    invited = [{"type": "required", "emailAddress": {"address": "ben@contoso.com", "name": "Ben"}}]
    mailbox = Mailbox.with_event(**TIMES, attendees=invited)
    twice(mailbox, Intent(set={DEAL: {"value": 1}}))
    assert ("PATCH", "") not in mailbox.calls
    assert mailbox.mails == 0


@pytest.mark.parametrize(
    "body",
    [{"contentType": "html", "content": "<p>New</p>"}, {"contentType": "html", "content": "New"}, None],
)
def test_an_online_meeting_stays_one_whatever_becomes_of_its_body(body: Any) -> None:
    agenda = {"contentType": "html", "content": "<p>Agenda</p>"}
    mailbox = Mailbox.with_event(**TIMES, body=agenda, isOnlineMeeting=True)
    link = mailbox.event["onlineMeeting"]["joinUrl"]
    twice(mailbox, Intent(set={"body": body}))
    assert mailbox.event["onlineMeeting"] == {"joinUrl": link}
    assert mailbox.event["body"]["content"].count(link) == 1


@pytest.mark.parametrize("change", [{"isOnlineMeeting": False}, {"onlineMeetingProvider": "skypeForBusiness"}])
def test_what_graph_passes_over_in_an_online_meeting_is_refused_before_anybody_is_mailed(change: Any) -> None:
    invited = [{"type": "required", "emailAddress": {"address": "ben@contoso.com", "name": "Ben"}}]
    mailbox = Mailbox.with_event(**TIMES, attendees=invited, isOnlineMeeting=True)
    end = run(mailbox, Intent(set={**change, "subject": "New"}))
    assert isinstance(end, Dead)
    assert (end.failure.error_class, end.failure.code) == ("refused", "PropertyNotWritable")
    assert (mailbox.mails, mailbox.event["subject"]) == (0, "")


def test_text_written_to_an_online_meeting_is_verified_as_what_it_became() -> None:
    mailbox = Mailbox.with_event(**TIMES, isOnlineMeeting=True)
    link = mailbox.event["onlineMeeting"]["joinUrl"]
    succeeded(run(mailbox, Intent(set={"body": {"contentType": "text", "content": "1 < 2\nand more"}})))
    assert link in mailbox.event["body"]["content"]
    assert mailbox.event["body"]["content"].startswith("1 &lt; 2<br>\nand more")


def test_what_is_appended_stands_above_the_join_block() -> None:
    mailbox = Mailbox.with_event(**TIMES, body={"contentType": "html", "content": "<p>a</p>"}, isOnlineMeeting=True)
    succeeded(run(mailbox, Intent(append={"body": "<p>b</p>"})))
    assert mailbox.event["body"]["content"].startswith("<p>a</p><p>b</p><div")


def test_a_text_body_is_left_alone_when_it_says_the_same() -> None:
    mailbox = Mailbox.with_event(**TIMES, body={"contentType": "text", "content": "a"})
    twice(mailbox, Intent(set={"body": {"contentType": "text", "content": "1 < 2\n\nand more"}}))
    assert mailbox.event["body"]["contentType"] == "text"


def test_a_series_moves_to_another_zone_with_its_recurrence() -> None:
    daily = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd", "startDate": "2026-11-23"}}
    mailbox = Mailbox.with_event(**TIMES, recurrence=daily)
    there = {name: {**value, "timeZone": "America/New_York"} for name, value in TIMES.items()}
    twice(mailbox, Intent(set=there))
    assert mailbox.event["start"]["timeZone"] == "Eastern Standard Time"
    assert mailbox.event["recurrence"]["range"]["recurrenceTimeZone"] == "Eastern Standard Time"


def test_a_time_in_utc_moves_a_series_and_leaves_it_in_its_zone() -> None:
    daily = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd", "startDate": "2026-11-23"}}
    mailbox = Mailbox.with_event(**TIMES, recurrence=daily)
    twice(mailbox, Intent(set={"start": at(23, zone="UTC"), "end": at(0, day=24, zone="UTC")}))
    assert (mailbox.event["start"], mailbox.event["end"]) == (at(0, day=24), at(1, day=24))
    assert mailbox.event["recurrence"]["range"]["startDate"] == "2026-11-24"


def test_a_series_that_graph_has_filled_in_is_left_alone() -> None:
    weekly = {"type": "weekly", "interval": 1, "daysOfWeek": ["monday", "friday"]}
    unused = {"month": 0, "dayOfMonth": 0, "index": "first", "firstDayOfWeek": "sunday"}
    span = {"type": "noEnd", "startDate": "2026-11-23", "recurrenceTimeZone": "W. Europe Standard Time"}
    filled = {"pattern": weekly | unused, "range": span | {"endDate": "0001-01-01", "numberOfOccurrences": 0}}
    mailbox = Mailbox.with_event(**TIMES, recurrence=filled)
    asked = {"pattern": weekly, "range": span | {"recurrenceTimeZone": "Europe/Vienna"}}
    assert succeeded(run(mailbox, Intent(set={"recurrence": asked}))).noop


def answering_patches(monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox, *answers: httpx.Response) -> None:
    """These are the next answers to a PATCH, which is not applied."""
    answer, left = mailbox._answer, list(answers)

    def answering(request: httpx.Request) -> httpx.Response:
        return left.pop(0) if left and request.method == "PATCH" else answer(request)

    monkeypatch.setattr(mailbox, "_answer", answering)


def test_an_extension_that_went_before_a_refused_write_is_nobody_elses_change(monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = Mailbox.with_event(**TIMES)
    answering_patches(monkeypatch, mailbox, failure(412, "ErrorIrresolvableConflict"))
    asked = {DEAL: {"value": 1}, "subject": "Moved"}
    succeeded(run(mailbox, Intent(set=asked), conflict_resolution="neverOverwrite"))
    assert mailbox.event["subject"] == "Moved"


@pytest.mark.parametrize("before", [[], [failure(412, "ErrorIrresolvableConflict")]])
def test_what_was_written_in_part_is_never_taken_for_untouched(
    monkeypatch: pytest.MonkeyPatch, before: list[httpx.Response]
) -> None:
    mailbox = Mailbox.with_event(**TIMES)
    answering_patches(monkeypatch, mailbox, *before, failure(429, "ApplicationThrottled"))
    asked = {DEAL: {"value": 1}, "subject": "Moved"}
    trying = attempts(mailbox, Intent(set=asked))
    first = next(trying)
    assert isinstance(first, Retry)
    assert first.in_doubt
    assert succeeded(next(trying)).changed.keys() == asked.keys()


def test_a_refusal_says_what_an_earlier_write_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = Mailbox.with_event(**TIMES)
    answering_patches(monkeypatch, mailbox, failure(412, "ErrorIrresolvableConflict"), failure(400))
    outcome = run(mailbox, Intent(set={DEAL: {"value": 1}, "subject": "Moved"}))
    assert isinstance(outcome, Dead)
    assert outcome.failure.error_class == "refused"
    assert outcome.failure.detail.endswith(f"Changed before: {DEAL}.")


def test_success_without_a_change_is_refused() -> None:
    mailbox = Mailbox.with_event(**TIMES, subject="Lunch")
    mailbox.world.faults.add(Fault(effect="pretend", reply="own", method="write"))
    outcome = run(mailbox, Intent(set={"subject": "Moved"}))
    assert isinstance(outcome, Dead)
    assert (outcome.failure.error_class, outcome.failure.code) == ("refused", "NotApplied")


def test_who_stays_keeps_their_name() -> None:
    anna = {"type": "required", "emailAddress": {"address": "ann@contoso.com", "name": "Ann"}}
    mailbox = Mailbox.with_event(**TIMES, attendees=[anna])
    people = [{"type": "required", "emailAddress": {"address": f"{name}@contoso.com"}} for name in ("ann", "ben")]
    succeeded(run(mailbox, Intent(set={"attendees": people})))
    assert mailbox.event["attendees"][0]["emailAddress"] == anna["emailAddress"]


def test_a_zone_that_the_mailbox_does_not_know_is_refused_and_nothing_written() -> None:
    mailbox = Mailbox.with_event(**TIMES)
    outcome = run(mailbox, Intent(set={name: {**value, "timeZone": "Nowhere"} for name, value in TIMES.items()}))
    assert isinstance(outcome, Dead)
    assert outcome.failure.error_class == "refused"
    assert "PATCH" not in [method for method, _ in mailbox.calls]


def test_an_id_from_ews_finds_the_same_event() -> None:
    mailbox = Mailbox.with_event(**TIMES)
    target = type(mailbox.target)(backend="cloud", event=ews_form(mailbox.target.event), mailbox="anna@contoso.com")
    twice(mailbox, Intent(set={"subject": "Moved"}), target=target)
    assert mailbox.event["subject"] == "Moved"


SETTLED = ("start", "end", "isAllDay")
"""Of these most values together make no event."""
TOUCHING = {"location": {"locations"}, "locations": {"location"}}


@settings(max_examples=60)
@given(events, settings_of)
def test_any_change_stands_afterwards_and_nothing_else_is_touched(event: Properties, asked: Properties) -> None:
    mailbox = Mailbox.with_event(**{**event, **TIMES, "isAllDay": False})
    wanted = {name: value for name, value in asked.items() if name not in SETTLED}
    before = mailbox.exchange().read(mailbox.target, VALUES)
    if wanted.keys() >= {"location", "locations"}:
        del wanted["location"]
    result = succeeded(run(mailbox, Intent(set=wanted or {"subject": "x"})))
    after = mailbox.exchange().read(mailbox.target, VALUES)
    assert all(agrees(name, after.properties[name], value) for name, value in wanted.items())
    moved = {name for name in VALUES if after.properties[name] != before.properties[name]}
    assert moved <= {*wanted, "subject"}.union(*(TOUCHING.get(name, set()) for name in wanted))
    assert result.noop is (after.version == before.version)


@pytest.mark.parametrize("name", sorted(PROPERTIES))
@settings(max_examples=5)
@given(data=st.data())
def test_every_property_is_set_read_back_and_then_left_alone(name: str, data: st.DataObject) -> None:
    mailbox = Mailbox.with_event(**TIMES)
    values: dict[str, Any] = {
        "end": at(11),
        "hideAttendees": True,
        "isOnlineMeeting": True,
        "isAllDay": False,
        "onlineMeetingProvider": "teamsForBusiness",
        "recurrence": {
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
            "range": {"type": "numbered", "startDate": "2026-11-23", "numberOfOccurrences": 5},
        },
        "responseRequested": False,
        "start": at(8),
    }
    value = values[name] if name in values else data.draw(VALUES[name])
    succeeded(run(mailbox, Intent(set={name: value})))
    assert agrees(name, mailbox.exchange().read(mailbox.target, [name]).properties[name], value)
    assert succeeded(run(mailbox, Intent(set={name: value}))).noop
