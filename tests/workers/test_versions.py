"""Which versions came from us, and which from somebody else."""

from __future__ import annotations

import pytest

from tests.workers.events import an_event, attendee
from workers.versions import Wrote, content_of, is_ours

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
    assert content_of({"subject": "only"}) == ""


def test_a_write_is_kept_as_a_line() -> None:
    for wrote in (Wrote("a", "b", "c"), Wrote('W/"a"', 'W/"b"')):
        assert Wrote.from_line(wrote.to_line()) == wrote
    assert Wrote.from_line("a b") == Wrote("a", "b")
