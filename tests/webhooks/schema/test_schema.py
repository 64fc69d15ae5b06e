from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from tests.webhooks.given import SEED, SMALLEST, TARGET, asked, faults, person, with_set
from webhooks.schema import FAULTS_AT_MOST, read
from webhooks.schema.asked import AskedOccurrence
from workers.update import ConflictResolution, SendInvitations


def test_members_and_text_are_added_and_taken_out() -> None:
    intent = asked(
        {
            "target": TARGET,
            "append": {
                "subject": " (moved)",
                "body": "See you",
                "attendees": [person("a@b.c")],
                "categories": ["Red"],
            },
            "remove": {"attendees": ["d@e.f", person("g@h.i", type="optional")], "locations": ["Room 1"]},
        }
    ).intent
    assert intent.append["attendees"] == [{"type": "required", "emailAddress": {"address": "a@b.c"}}]
    assert intent.append["subject"] == " (moved)"
    assert intent.remove == {"attendees": ["d@e.f", "g@h.i"], "locations": ["Room 1"]}


@pytest.mark.parametrize(
    ("shift", "kept"),
    [
        ("-PT1H", {"start": "-PT1H", "end": "-PT1H"}),
        ({"end": "PT30M"}, {"end": "PT30M"}),
        ({"start": "P1D", "end": "P1W"}, {"start": "P1D", "end": "P1W"}),
    ],
)
def test_a_shift_moves_both_ends_or_each(shift: Any, kept: dict[str, str]) -> None:
    assert asked({"target": TARGET, "shift": shift}).intent.shift == kept


@pytest.mark.parametrize(
    "mailbox", ["me", "a@b.c", "o'brien+x@sub.contoso.com", "anna_x.com#EXT#@contoso.com", "48d31887-5fad"]
)
def test_a_mailbox_is_me_an_address_or_an_object_id(mailbox: str) -> None:
    assert asked({**SMALLEST, "target": {"mailbox": mailbox, "event": "AAMk/+="}}).target.mailbox == mailbox


@pytest.mark.parametrize("occurrence", [{"start": "2026-12-01T09:00:00Z"}, {"index": 3}])
def test_an_occurrence_is_named_by_index_or_start(occurrence: dict[str, Any]) -> None:
    named = asked({**SMALLEST, "target": {**TARGET, "occurrence": occurrence}}).target.occurrence
    assert named == AskedOccurrence(**occurrence)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("conflictResolution", "AutoResolve"),
        ("sendInvitations", "all"),
        ("maxRecipients", -1),
        ("maxRecipients", "3"),
        ("deadline", "2026-12-01T09:00:00"),
        ("deadline", "tomorrow"),
        ("deadline", "9999-12-31T23:59:59-14:00"),
        ("deadline", "0001-01-01T00:00:00+14:00"),
        ("deadline", 1764579600),
        ("callbackUrl", ""),
        ("metadata", []),
        ("metadata", {"x": "é" * 2100}),
        ("set", None),
        ("expect", {"subject": 5}),
        ("colour", "red"),
    ],
)
def test_a_wrong_field_is_pointed_at(field: str, value: Any) -> None:
    assert any(pointer.startswith(f"/{field}") for pointer in faults({**SMALLEST, field: value}))


def test_the_defaults_are_the_contracts() -> None:
    smallest = asked(SMALLEST)
    assert (smallest.conflict_resolution, smallest.send_invitations) == ("autoResolve", "auto")
    assert (smallest.deadline, smallest.max_recipients, smallest.callback_url, smallest.metadata) == (None,) * 4


def test_a_deadline_is_kept_in_utc() -> None:
    assert asked({**SMALLEST, "deadline": "2026-12-01T10:00:00+01:00"}).deadline == datetime(2026, 12, 1, 9, tzinfo=UTC)


def test_the_seeds_body_is_understood() -> None:
    seed = asked(SEED)
    assert seed.intent.touched == ("attendees", "location", "subject")
    assert seed.intent.set["location"] == SEED["set"]["location"]
    assert seed.intent.append["attendees"] == SEED["append"]["attendees"]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = faults(
        {"target": {"event": "x"}, "set": {"subject": 5, "id": 1, "end": None}, "clear": ["id"], "maxRecipients": "1"}
    )
    assert found.keys() == {"/target/mailbox", "/set/subject", "/set/id", "/set/end", "/clear/0", "/maxRecipients"}


def test_a_text_that_is_too_long_has_too_many_characters() -> None:
    said = faults({**SMALLEST, "callbackUrl": "https://hooks.example.com/" + "x" * 2048})
    assert said == {"/callbackUrl": "must have at most 2048 characters"}


def test_a_flood_of_faults_is_cut() -> None:
    answer = read(with_set(**{f"x{n}": n for n in range(5000)}))
    assert isinstance(answer, tuple)
    assert len(answer) == FAULTS_AT_MOST


def test_no_sentence_repeats_what_was_sent() -> None:
    secret = "s3cret-value"
    said = faults({"target": {"mailbox": secret + "@", "event": f"{secret}\n"}, "set": {"importance": secret}})
    assert said.keys() == {"/target/mailbox", "/target/event", "/set/importance"}
    assert not any(secret in detail for detail in said.values())


def test_the_modes_are_the_contracts() -> None:
    for mode in get_args(ConflictResolution):
        assert asked({**SMALLEST, "conflictResolution": mode}).conflict_resolution == mode
    for mode in get_args(SendInvitations):
        assert asked({**SMALLEST, "sendInvitations": mode}).send_invitations == mode


@pytest.mark.parametrize("owner", [{"mailbox": "me"}, {"mailbox": "anna@contoso.com"}])
@pytest.mark.parametrize(
    "calendar",
    [
        {},
        {"calendar": "default"},
        {"calendar": "AAMkCal="},
        {"calendarGroup": "default", "calendar": "AAMkCal="},
        {"calendarGroup": "AAMkGroup=", "calendar": "AAMkCal="},
    ],
)
def test_every_path_to_an_event_of_a_mailbox_can_be_named(owner: dict[str, str], calendar: dict[str, str]) -> None:
    assert asked({**SMALLEST, "target": {**owner, **calendar, "event": "AAMk="}})


@pytest.mark.parametrize("calendar", [{}, {"calendar": "default"}])
def test_every_path_to_an_event_of_a_group_can_be_named(calendar: dict[str, str]) -> None:
    assert asked({**SMALLEST, "target": {"group": "48d31887-5fad", **calendar, "event": "AAMk="}})
