"""What a mirror makes of a change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.workers.given import NOW
from workers.changes.event_change import Change, Ours
from workers.changes.mirror import key, update_for
from workers.changes.subscription import Mirror
from workers.exchange import Event
from workers.update import Target

A, B = (Target("cloud", name, mailbox=f"{name}@contoso.com") for name in ("a", "b"))
OLDER = Mirror("mir_1", "hr", A, B, ("subject",), None, "")
YOUNGER = Mirror("mir_2", "hr", B, A, ("subject",), None, "")
NOTHING = Change("updated", {}, {})


def an_event(**properties: Any) -> Event:
    return Event("E", "v2", False, (), {"subject": "New", **properties})


def changed(before: str, after: str, *by: Ours) -> Change:
    ours = {name: value for one in reversed(by) for name, value in one.after.items()}
    return Change("updated", {"subject": {"before": before, "after": after}}, ours, by)


def test_what_changed_becomes_an_update_of_the_other_event() -> None:
    update = update_for(OLDER, changed("Old", "New"), an_event(), None, NOW)
    assert update is not None
    assert (update.client, update.target, update.metadata) == ("hr", B, {"mirror": "mir_1"})
    assert (update.intent.set, update.intent.only_where) == ({"subject": "New"}, {})


def test_a_change_of_another_property_is_none_of_its_business() -> None:
    change = Change("updated", {"location": {"before": None, "after": {}}}, {})
    assert update_for(OLDER, change, an_event(), None, NOW) is None


def test_at_first_the_other_event_is_made_equal() -> None:
    update = update_for(OLDER, NOTHING, an_event(), YOUNGER, NOW, whole=True)
    assert update is not None and update.intent.set == {"subject": "New"}


def test_at_first_only_the_older_of_two_makes_equal() -> None:
    assert update_for(YOUNGER, NOTHING, an_event(), OLDER, NOW, whole=True) is None


def test_a_change_that_is_seen_when_a_mirror_begins_is_mirrored_all_the_same() -> None:
    update = update_for(YOUNGER, changed("Old", "New"), an_event(), OLDER, NOW, whole=True)
    assert update is not None
    assert (update.intent.set, update.intent.only_where) == ({"subject": "New"}, {"subject": "Old"})


def test_what_the_other_direction_wrote_is_not_sent_back() -> None:
    brought = Ours("upd_1", {"subject": "New"}, None, "mir_1")
    assert update_for(YOUNGER, changed("Old", "New", brought), an_event(), OLDER, NOW) is None


def test_what_an_ordinary_update_wrote_is_mirrored() -> None:
    written = Ours("upd_1", {"subject": "New"}, None)
    assert update_for(YOUNGER, changed("Old", "New", written), an_event(), OLDER, NOW) is not None


def test_the_younger_touches_only_what_the_two_still_have_in_common() -> None:
    update = update_for(YOUNGER, changed("Old", "New"), an_event(), OLDER, NOW)
    assert update is not None and update.intent.only_where == {"subject": "Old"}


def test_what_the_two_had_in_common_may_have_been_brought_meanwhile() -> None:
    brought = Ours("upd_1", {"subject": "Brought"}, None, "mir_1")
    update = update_for(YOUNGER, changed("Old", "New", brought), an_event(), OLDER, NOW)
    assert update is not None and update.intent.only_where == {"subject": "Brought"}


def test_what_the_other_direction_brought_and_somebody_took_back_is_mirrored_though_it_looks_unchanged() -> None:
    brought = Ours("upd_1", {"subject": "Brought"}, None, "mir_1")
    change = Change("updated", {}, {"subject": "Brought"}, (brought,))
    update = update_for(YOUNGER, change, an_event(), OLDER, NOW)
    assert update is not None
    assert (update.intent.set, update.intent.only_where) == ({"subject": "New"}, {"subject": "Brought"})
    assert update_for(YOUNGER, change, an_event(subject="Brought"), OLDER, NOW) is None


def test_what_an_ordinary_update_wrote_meanwhile_was_never_in_common() -> None:
    written, brought = Ours("upd_2", {"subject": "Ours"}, None), Ours("upd_1", {"subject": "Brought"}, None, "mir_1")
    update = update_for(YOUNGER, changed("Old", "New", written, brought), an_event(), OLDER, NOW)
    assert update is not None and update.intent.only_where == {"subject": "Brought"}
    update = update_for(YOUNGER, changed("Old", "New", written), an_event(), OLDER, NOW)
    assert update is not None and update.intent.only_where == {"subject": "Old"}


def test_the_older_touches_whatever_is_there() -> None:
    update = update_for(OLDER, changed("Old", "New"), an_event(), YOUNGER, NOW)
    assert update is not None and update.intent.only_where == {}


def test_what_is_true_of_one_mailbox_only_is_left_out() -> None:
    people = [{"type": "required", "emailAddress": {"address": "ann@x.com"}, "status": {"response": "accepted"}}]
    update = update_for(
        replace(OLDER, properties=("attendees",)), NOTHING, an_event(attendees=people), None, NOW, whole=True
    )
    assert update is not None
    assert update.intent.set["attendees"] == [{"type": "required", "emailAddress": {"address": "ann@x.com"}}]


def test_a_version_is_mirrored_once() -> None:
    assert key(OLDER, "v1") == key(OLDER, "v1")
    assert len({key(OLDER, "v1"), key(OLDER, "v2"), key(YOUNGER, "v1"), key(OLDER, "v1", whole=True)}) == 4


def test_two_directions_know_each_other_and_a_mirror_is_read_as_it_was_stored() -> None:
    assert OLDER.reverses(YOUNGER) and YOUNGER.reverses(OLDER) and not OLDER.reverses(OLDER)
    assert Mirror.from_json(OLDER.to_json()) == OLDER
