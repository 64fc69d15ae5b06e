"""What is a change, and whose."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workers.events import attendee
from workers.changes.event_change import Ours, Snapshot, compare, differs, gone, snapshot
from workers.exchange import Event
from workers.update import Json

AT = "2026-11-21T09:00:00.000Z"


def an_event(version: str = "v2", marker: tuple[str, ...] = (), **properties: Any) -> Event:
    return Event("E", version, False, marker, {"subject": "Before", "location": None, **properties})


def seen(marker: tuple[str, ...] | None = (), **properties: Any) -> Snapshot:
    return Snapshot("v1", {"subject": "Before", "location": None, **properties}, marker, AT)


def test_a_version_that_moved_by_itself_is_no_change() -> None:
    assert compare(seen(), an_event("v9"), ()).changed == {}


def test_a_change_is_told_with_before_and_after() -> None:
    change = compare(seen(), an_event(subject="After"), ())
    assert change.changed == {"subject": {"before": "Before", "after": "After"}}
    assert (change.kind, change.origin(["subject"])) == ("updated", "exchange")


def test_what_exchange_adds_of_its_own_is_no_change() -> None:
    before = seen(location={"displayName": "Room 1"})
    assert compare(before, an_event(location={"displayName": "Room 1", "uniqueIdType": "private"}), ()).changed == {}


@pytest.mark.parametrize(
    "detail",
    [
        {"address": {"city": "Wien", "street": "Graben 1"}},
        {"coordinates": {"latitude": 1.0, "longitude": 2.0}},
        {"locationUri": "https://maps.example/x"},
        {"locationEmailAddress": "room1@contoso.com"},
    ],
)
def test_a_detail_that_somebody_adds_to_a_place_or_takes_away_is_a_change(detail: dict[str, Json]) -> None:
    plain: Json = {"displayName": "Room 1", "address": {"city": "Wien"}}
    for before, after in ((plain, plain | detail), (plain | detail, plain)):
        assert compare(seen(location=before), an_event(location=after), ()).changed.keys() == {"location"}
        assert compare(seen(locations=[before]), an_event(locations=[after]), ()).changed.keys() == {"locations"}


def test_what_we_wrote_is_ours() -> None:
    ours = Ours("upd_1", {"subject": "After"}, None)
    change = compare(seen(), an_event(marker=("upd_1",), subject="After"), [ours])
    assert (change.origin(change.changed), change.updates) == ("rendezvous", ("upd_1",))


def test_a_change_of_somebody_else_on_top_of_ours_is_not_ours() -> None:
    ours = Ours("upd_1", {"subject": "After"}, None)
    change = compare(seen(), an_event(marker=("upd_1",), subject="Theirs"), [ours])
    assert change.origin(change.changed) == "exchange"
    mixed = compare(seen(), an_event(marker=("upd_1",), subject="After", location={"displayName": "X"}), [ours])
    assert mixed.origin(mixed.changed) == "exchange"
    assert mixed.origin(["subject"]) == "rendezvous"


def test_a_write_of_ours_that_was_told_before_makes_nothing_ours() -> None:
    ours = Ours("upd_1", {"subject": "After"}, AT)
    before = seen(marker=("upd_1",), subject="Theirs")
    assert compare(before, an_event(marker=("upd_1",), subject="After"), [ours]).origin(["subject"]) == "exchange"


def test_without_a_marker_seen_what_was_finished_before_is_not_ours() -> None:
    before = seen(marker=None, subject="Theirs")
    early, late = (Ours("upd_1", {"subject": "After"}, f"2026-11-21T{hour:02}:00:00.000Z") for hour in (8, 10))
    now = an_event(marker=("upd_1",), subject="After")
    assert compare(before, now, [early]).origin(["subject"]) == "exchange"
    assert compare(before, now, [late]).origin(["subject"]) == "rendezvous"


def test_the_newest_of_our_writes_counts() -> None:
    newer, older = Ours("upd_2", {"subject": "2"}, None), Ours("upd_1", {"subject": "1"}, None)
    change = compare(seen(), an_event(marker=("upd_2", "upd_1"), subject="2"), [newer, older])
    assert (change.origin(["subject"]), change.ours) == ("rendezvous", {"subject": "2"})


def test_what_moves_along_with_a_write_of_ours_is_ours() -> None:
    ours = Ours("upd_1", {"location": {"displayName": "X"}}, None)
    now = an_event(marker=("upd_1",), location={"displayName": "X"}, locations=[{"displayName": "X"}])
    change = compare(seen(locations=[]), now, [ours])
    assert change.origin(change.changed) == "rendezvous"


def test_an_answer_of_an_attendee_is_a_change() -> None:
    before = [attendee("Ann", status={"response": "none"})]
    assert differs("attendees", before, [attendee("Ann", status={"response": "accepted"})])
    assert not differs("attendees", before, [attendee("Ann", status={"response": "none", "time": "0001-01-01"})])


def test_an_event_never_seen_is_told_as_it_is() -> None:
    change = compare(None, an_event(), ())
    assert (change.kind, change.changed) == ("created", {"subject": {"before": None, "after": "Before"}})


def test_an_event_that_came_back_is_new() -> None:
    assert compare(gone(AT), an_event(), ()).kind == "created"


@pytest.mark.parametrize("before", [None, gone(AT)])
def test_a_new_event_is_nobodys_echo_though_it_bears_the_marker_of_the_one_that_it_was_copied_from(
    before: Snapshot | None,
) -> None:
    ours = Ours("upd_1", {"subject": "Before"}, None)
    change = compare(before, an_event(marker=("upd_1",)), [ours])
    assert (change.kind, change.origin(change.changed), change.updates) == ("created", "exchange", ())


def test_a_property_that_nobody_asked_for_before_has_not_changed() -> None:
    assert compare(seen(), an_event(importance="high"), ()).changed == {}


def test_a_snapshot_is_what_was_read_and_outlives_its_being_stored() -> None:
    event = an_event(subject="After")
    told = snapshot(event, AT)
    assert (told.version, told.properties, told.marker) == ("v2", event.properties, event.marker)
    assert Snapshot.from_json(told.to_json()) == told
    assert Snapshot.from_json(seen(marker=None).to_json()).marker is None
