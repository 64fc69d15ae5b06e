"""An update as data: what it is called, where it stands in line, how it is stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.given import an_update
from workers.update import Intent, Occurrence, Target, Update, rfc3339

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.text(), json_values, max_size=3)
maybe = st.none() | st.text()
updates = st.builds(
    Update,
    id=st.text(),
    client=st.text(),
    target=st.builds(
        Target, backend=st.text(), event=st.text(), mailbox=maybe, group=maybe, calendar=maybe, calendar_group=maybe,
        version=maybe, occurrence=st.none() | st.builds(Occurrence, index=st.integers(), start=st.none()),
    ),
    intent=st.builds(Intent, set=objects, append=objects, remove=objects, shift=st.just({}), expect=objects),
    created_at=st.just(datetime(2026, 11, 21, 9, 0, 0, 123000, tzinfo=UTC)),
    deadline=st.just(datetime(2026, 11, 22, 9, 0, tzinfo=UTC)),
    max_recipients=st.none() | st.integers(),
    callback_url=maybe,
    metadata=objects,
    renewed_at=st.none() | st.just(datetime(2026, 11, 23, 9, 0, tzinfo=UTC)),
)  # fmt: skip


@given(updates)
def test_what_is_stored_is_what_is_read_back(update: Update) -> None:
    stored = update.to_json()
    assert Update.from_json(stored) == update
    assert "\n" not in stored


def test_one_event_is_one_line_whatever_the_spelling_of_its_mailbox() -> None:
    assert an_update(mailbox="ANNA@Contoso.com").target.line == an_update(mailbox="anna@contoso.com").target.line


def test_a_series_and_its_occurrences_share_one_line() -> None:
    master = Target("cloud", "E", mailbox="a@b")
    assert Target("cloud", "E", mailbox="a@b", occurrence=Occurrence(index=3)).line == master.line


def test_ids_that_differ_in_case_are_two_events() -> None:
    assert an_update(event="AAa").target.line != an_update(event="AAA").target.line


@pytest.mark.parametrize(
    ("target", "owner"),
    [
        (Target("cloud", "E", mailbox="Anna@Contoso.com"), "anna@contoso.com"),
        (Target("cloud", "E", mailbox="me"), "me"),
        (Target("cloud", "E", group="6A1"), "group:6A1"),
    ],
)
def test_the_owner_is_one_word_and_the_lane_is_theirs_on_their_backend(target: Target, owner: str) -> None:
    assert (target.owner, target.lane) == (owner, f"cloud/{owner}")


def test_an_intent_touches_what_it_names_once_and_in_order() -> None:
    intent = Intent(
        {"subject": 1}, {"body": 1, "subject": 2}, {"categories": []}, {"start": "PT1H"}, {"showAs": "busy"}
    )
    assert intent.touched == ("body", "categories", "start", "subject")


def test_the_label_says_who_and_which_properties_and_no_values() -> None:
    update = an_update(intent=Intent(set={"subject": "secret", "body": {"content": "secret"}}))
    assert update.label == "anna@contoso.com, body+subject"


def test_moments_have_one_spelling() -> None:
    vienna = timezone(timedelta(hours=1))
    assert rfc3339(datetime(2026, 11, 21, 10, 0, tzinfo=vienna)) == "2026-11-21T09:00:00.000Z"
    assert rfc3339(datetime(2026, 11, 21, 9, 0, 0, 123999, tzinfo=UTC)) == "2026-11-21T09:00:00.123Z"


def test_what_a_newer_version_stores_beside_is_left_aside() -> None:
    update = an_update(target=Target("cloud", "E", mailbox="a@b", occurrence=Occurrence(index=3)))
    data = json.loads(update.to_json())
    for place in (data, data["target"], data["target"]["occurrence"], data["intent"]):
        place["fromTheFuture"] = 1
    assert Update.from_json(json.dumps(data)) == update
