"""What others wrote, shown on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workers.cli.printable import brief, printable
from workers.cli.terminal import age


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "-"),
        ("", "-"),
        ([], "-"),
        ({}, "-"),
        (False, "false"),
        (0, "0"),
        ("Moved", "Moved"),
        ({"displayName": "Court 2", "locationType": "default", "uniqueId": "Court 2"}, "Court 2"),
        ({"displayName": "Court 2", "address": {"city": "Ulm", "street": "Ring 1", "state": ""}, "coordinates": None},
         "Court 2, Ring 1, Ulm"),
        ({"displayName": "", "coordinates": {"latitude": 48.4, "longitude": 0, "accuracy": 5.0},
          "locationUri": "https://x"}, "48.4, 0, https://x"),
        ({"displayName": "", "locationType": "default"}, "-"),
        ({"dateTime": "2026-12-01T09:00:00", "timeZone": "UTC"}, "2026-12-01T09:00:00 UTC"),
        ({"contentType": "html", "content": "<p>x</p>"}, "<p>x</p>"),
        ([{"type": "required", "emailAddress": {"address": "a@x"}}, {"emailAddress": {"address": "b@x"}}],
         "a@x (required)\nb@x"),
        (["red", "blue"], "red\nblue"),
        ({"pattern": {"type": "daily"}}, '{"pattern": {"type": "daily"}}'),
    ],
)  # fmt: skip
def test_a_value_is_said_in_the_words_of_a_person(value: Any, said: str) -> None:
    assert brief(value) == said


@pytest.mark.parametrize("wrong", ["\x1b[2J", "\x9b2J", "\r", "\x07", "\x00", "\u202e", "\u2066", "\ud800", "\udfff"])
def test_what_a_terminal_would_obey_is_replaced(wrong: str) -> None:
    assert printable(f"a{wrong}b") in ("a\N{REPLACEMENT CHARACTER}b", "a\N{REPLACEMENT CHARACTER}[2Jb",
                                       "a\N{REPLACEMENT CHARACTER}2Jb")  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0s"), (59, "59s"), (60, "1m"), (7200, "2h"), (200000, "2d"), (-9, "0s")]
)
def test_an_age_is_told_in_its_greatest_unit(seconds: int, said: str) -> None:
    now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    assert age((now - timedelta(seconds=seconds)).isoformat(), now) == said


def test_lines_and_other_scripts_stay_as_they_are() -> None:
    assert printable("Ä\nש\tб 🎾") == "Ä\nש\tб 🎾"
