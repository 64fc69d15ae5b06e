"""Which versions came from us, and which from somebody else."""

from __future__ import annotations

import pytest

from tests.workers.events import an_event, attendee
from workers.event.properties import WATCHED
from workers.event.versions import Wrote, content_of, is_ours
from workers.update import Json

CHAIN = [Wrote("v2", "v3", "left"), Wrote("v1", "v2", "")]


@pytest.mark.parametrize(
    ("version", "content", "seen", "ours"),
    [
        ("v3", "x", "v3", True),
        ("v3", "x", "v1", True),
        ("v3", "x", "v2", True),
        ("v4", "left", "v1", True),  # Exchange moved the version of what we left
        ("v4", "left", "v3", True),
        ("v4", "other", "v1", False),
        ("v4", "", "v1", False),
        ("v2", "x", "v3", False),
        ("v9", "x", "v0", False),
        ('W/"v3"', "x", "v1", True),
        ("v3", "x", 'W/"v1"', True),
    ],
)
def test_a_version_is_ours_by_our_writes_or_by_the_content_that_we_left(
    version: str, content: str, seen: str, ours: bool
) -> None:
    assert is_ours(version, content, seen, CHAIN) is ours


@pytest.mark.parametrize(
    ("moved", "ours"),
    [
        (Wrote("v2'", "v3", "B", found="A"), True),
        (Wrote("v2'", "v3", "B", found="a person's"), False),
        (Wrote("v2'", "v3", "B"), False),
    ],
)
def test_a_write_of_ours_after_a_move_of_exchanges_own_counts_where_it_found_what_we_had_left(
    moved: Wrote, ours: bool
) -> None:
    wrote = [moved, Wrote("v1", "v2", "A")]
    assert is_ours("v3", "B", "v1", wrote) is ours
    assert is_ours("v3'", "B", "v1", wrote) is ours
    assert is_ours("v3'", "B", "v2", wrote) is ours


def test_a_write_whose_answer_was_lost_counts_by_what_it_left() -> None:
    lost = Wrote("v1", "", "A")
    assert is_ours("v2", "A", "v1", [lost])
    assert is_ours("v3", "B", "v1", [Wrote("v2", "v3", "B", found="A"), lost])
    assert not is_ours("v2", "a person's", "v1", [lost])


def test_of_two_writes_whose_answers_were_lost_the_second_counts_only_where_it_found_what_the_first_left() -> None:
    first = Wrote("v1", "", "A")
    assert is_ours("v4", "B", "v1", [Wrote("v3", "", "B", found="A"), first])
    assert not is_ours("v4", "B", "v1", [Wrote("v3", "", "B", found="a person's"), first])
    assert not is_ours("v4", "B", "v1", [Wrote("v3", "", "B"), first])


def test_an_old_version_that_exchange_tells_once_more_is_ours_still() -> None:
    assert is_ours("v2", "", "v1", [Wrote("v2", "v3"), Wrote("v1", "v2")])


def test_a_circle_of_versions_ends() -> None:
    assert not is_ours("v9", "", "v1", [Wrote("v1", "v2"), Wrote("v2", "v1")])


def test_content_is_the_same_however_exchange_spells_it() -> None:
    event = an_event()
    other = an_event(
        body={"contentType": "html", "content": "<html><body><p>Bring <b>shoes</b></p></body></html>"},
        attendees=[attendee("ben", "optional", status={"response": "declined"}), attendee("ANN")],
        categories=["blue", "Red"],
    )
    assert content_of(event) == content_of(other) != ""
    assert content_of(an_event(subject="Other")) != content_of(event)
    assert content_of(an_event(responseRequested=False)) != content_of(an_event(responseRequested=True))
    assert content_of({"subject": "only"}) == ""
    assert content_of(dict.fromkeys(WATCHED)) != ""


def test_content_is_the_same_in_whatever_order_its_parts_are_told() -> None:
    pattern, days = {"type": "weekly", "interval": 1}, ["monday", "friday"]
    span = {"type": "noEnd", "startDate": "2026-12-07"}
    one = {"pattern": {**pattern, "daysOfWeek": days}, "range": span}
    other = {"range": dict(reversed(span.items())), "pattern": {"daysOfWeek": days[::-1], **pattern}}
    assert content_of(an_event(recurrence=one)) == content_of(an_event(recurrence=other))


HERE: dict[str, Json] = {
    "displayName": "HQ",
    "address": {"street": "Main St 1", "city": "Wien"},
    "coordinates": {"latitude": 48.2},
}


@pytest.mark.parametrize(
    "moved",
    [
        {"address": {"street": "Side St 2", "city": "Wien"}},
        {"address": {}},
        {"coordinates": {"latitude": 47.1}},
        {"coordinates": {"latitude": 0.0}},
        {"locationEmailAddress": "hq@contoso.com"},
        {"locationUri": "https://hq.example"},
    ],
)
def test_a_place_of_the_same_name_elsewhere_is_other_content(moved: Json) -> None:
    for one, other in (
        ({"location": HERE}, {"location": HERE | moved}),
        ({"locations": [HERE]}, {"locations": [HERE | moved]}),
    ):
        assert content_of(an_event(**one)) != content_of(an_event(**other))


def test_what_exchange_adds_to_a_place_is_no_content() -> None:
    added = {"locationType": "streetAddress", "uniqueId": "x", "uniqueIdType": "private", "locationUri": ""}
    nothing = {"address": HERE["address"] | {"state": None, "type": "unknown"}}
    told = HERE | added | nothing | {"coordinates": {"latitude": 48.2, "altitude": "NaN"}}
    assert content_of(an_event(location=told, locations=[told])) == content_of(
        an_event(location=HERE, locations=[HERE])
    )
    empty = {"displayName": "", "locationType": "default", "address": {}, "coordinates": {}}
    assert content_of(an_event(location=empty)) == content_of(an_event(location=None))


def test_a_write_is_kept_as_a_line() -> None:
    for wrote in (Wrote("a", "b", "c", "d"), Wrote("a", "", "c"), Wrote('W/"a"', 'W/"b"')):
        assert Wrote.from_line(wrote.to_line()) == wrote
    assert Wrote.from_line("a b c") == Wrote("a", "b", "c")
