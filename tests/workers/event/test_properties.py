"""What is true of each property that can be written."""

from __future__ import annotations

import pytest

from tests.workers.events import an_event, at
from workers.event.properties import (
    EXTENDED,
    EXTENSION,
    GROUPS,
    OWN_ZONE,
    PROPERTIES,
    UNNAMED,
    group_of,
    members,
    property_of,
    shown_change,
    writable_on,
)


def test_attendees_without_an_address_are_told_apart_by_name() -> None:
    lists = [{"type": "required", "emailAddress": {"name": name}} for name in ("Board", "Choir")]
    assert list(members("attendees", lists)) == ["board", "choir"]


def test_a_member_is_known_in_any_case_and_without_the_spaces_around_it() -> None:
    ann, nobody = {"emailAddress": {"address": " ANN@Contoso.com "}}, {"emailAddress": None}
    assert members("attendees", [ann, nobody]) == {"ann@contoso.com": ann, "": nobody}
    lobby, nowhere = {"displayName": " Lobby "}, {"displayName": None}
    assert members("locations", [lobby, nowhere]) == {"lobby": lobby, "": nowhere}


def test_callers_see_times_as_graph_spells_them() -> None:
    second_pass = {"dateTime": "2026-10-25T02:30:00+01:00", "timeZone": "W. Europe Standard Time"}
    unnamed = at(8, zone="UTC") | {OWN_ZONE: UNNAMED}
    assert shown_change("start", {"before": second_pass, "after": unnamed, "theirs": None}) == {
        "before": {"dateTime": "2026-10-25T01:30:00", "timeZone": "UTC"},
        "after": at(8, zone="UTC"),
        "theirs": None,
    }
    assert shown_change("extensions/x", {"after": {"dateTime": 5}}) == {"after": {"dateTime": 5}}


def test_only_collections_have_members() -> None:
    with pytest.raises(ValueError, match="subject is not a collection"):
        members("subject", "Moved")


def test_every_property_is_in_one_group_at_most_and_the_same_group_for_each_of_its_members() -> None:
    for name in PROPERTIES:
        assert sum(name in group for group in GROUPS) <= 1
        assert name in group_of(name)
        assert all(group_of(other) == group_of(name) for other in group_of(name))


def test_graph_writes_everything_and_ews_what_the_table_says() -> None:
    assert all(writable_on("graph", name) for name in PROPERTIES)
    assert [name for name in PROPERTIES if not writable_on("ews", name)] == [
        "hideAttendees", "isOnlineMeeting", "locations", "onlineMeetingProvider"
    ]  # fmt: skip
    assert writable_on("ews", f"{EXTENDED}Integer 0x1") and not writable_on("ews", f"{EXTENSION}com.example.desk")


def test_what_can_be_cleared_is_what_the_table_says_and_every_extended_property_and_extension() -> None:
    assert [name for name in PROPERTIES if property_of(name).clearable] == [
        "attendees", "body", "categories", "location", "locations", "recurrence", "subject"
    ]  # fmt: skip
    assert property_of(f"{EXTENDED}Integer 0x1").clearable and property_of(f"{EXTENSION}com.example.desk").clearable


def test_an_event_of_the_tests_names_only_properties_of_the_table() -> None:
    assert an_event().keys() <= PROPERTIES.keys()
