from __future__ import annotations

from typing import Any

import pytest

from tests.webhooks.given import SMALLEST, TARGET, asked, at, faults, person, with_set
from webhooks.schema import read


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"append": {"start": at("2026-12-01T09:00:00")}}, "/append/start"),
        ({"append": {"attendees": []}}, "/append/attendees"),
        ({"append": {"subject": ""}}, "/append/subject"),
        ({"append": {"body": {"content": "x"}}}, "/append/body"),
        ({"remove": {"subject": "x"}}, "/remove/subject"),
        ({"remove": {"attendees": ["nobody"]}}, "/remove/attendees/0"),
        ({"remove": {"attendees": [{"emailAddress": {}}]}}, "/remove/attendees/0"),
        ({"clear": "subject"}, "/clear"),
        ({"clear": [5]}, "/clear/0"),
        ({"clear": ["id"]}, "/clear/0"),
        ({"shift": "P1M"}, "/shift"),
        ({"shift": "1h"}, "/shift"),
        ({"shift": 60}, "/shift"),
        ({"shift": {"start": "P1Y"}}, "/shift/start"),
        ({"shift": {"begin": "P1D"}}, "/shift/begin"),
        ({"set": {"subject": "x"}, "append": {"subject": "y"}}, "/append/subject"),
        (
            {"set": {"location": {"displayName": "A"}}, "append": {"locations": [{"displayName": "B"}]}},
            "/append/locations",
        ),
        ({"set": {"start": at("2026-12-01T09:00:00")}, "shift": "PT1H"}, "/shift"),
        ({"set": {"start": at("2026-12-01T09:00:00")}, "shift": {"start": "PT1H"}}, "/shift/start"),
        ({"set": {"subject": "x"}, "clear": ["body", "subject"]}, "/clear/1"),
        ({"append": {"categories": ["x"]}, "clear": ["categories"]}, "/clear/0"),
        ({"append": {"attendees": [person("a@b.c")]}, "remove": {"attendees": ["A@b.c"]}}, "/remove/attendees/0"),
        ({}, ""),
        ({"set": {}}, ""),
        ({"expect": {"subject": "x"}}, ""),
    ],
)
def test_an_operation_that_makes_no_sense_is_pointed_at(change: dict[str, Any], pointer: str) -> None:
    assert pointer in faults({"target": TARGET, **change})


@pytest.mark.parametrize(
    ("start", "end", "pointer"),
    [
        (at("2026-12-01T10:00:00"), at("2026-12-01T09:59:00"), "/set/end"),
        (at("2026-12-01T10:00:00"), at("2026-12-01T10:30:00", "Turkey Standard Time"), "/set/end"),
        ("2026-12-01T10:00:00Z", "2026-12-01T09:00:00Z", "/set/end"),
    ],
)
def test_an_end_before_the_start_is_refused(start: Any, end: Any, pointer: str) -> None:
    assert list(faults(with_set(start=start, end=end))) == [pointer]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (at("2026-12-01T10:00:00"), at("2026-12-01T10:00:00")),
        (at("2026-12-01T10:00:00"), at("2026-12-01T09:30:00", "GMT Standard Time")),
        (at("0001-01-01T00:00:00", "UTC"), at("9999-12-31T23:59:59", "Hawaiian Standard Time")),
    ],
)
def test_an_end_that_is_not_before_the_start_is_fine(start: Any, end: Any) -> None:
    assert asked(with_set(start=start, end=end))


@pytest.mark.parametrize(
    ("start", "end", "pointers"),
    [
        (at("2026-12-01T00:00:00"), at("2026-12-02T00:00:00"), []),
        (at("2026-12-01T09:00:00"), at("2026-12-02T00:00:00"), ["/set/start"]),
        (at("2026-12-01T00:00:00"), at("2026-12-02T00:00:01"), ["/set/end"]),
        (at("2026-12-01T00:00:00"), at("2026-12-01T00:00:00"), ["/set/end"]),
        (at("2026-12-01T00:00:00"), at("2026-12-02T00:00:00", "UTC"), ["/set/end"]),
    ],
)
def test_an_all_day_event_goes_from_midnight_to_midnight(start: Any, end: Any, pointers: list[str]) -> None:
    answer = read(with_set(isAllDay=True, start=start, end=end))
    assert [fault.pointer for fault in answer] == pointers if isinstance(answer, tuple) else pointers == []


@pytest.mark.parametrize(
    ("target", "pointer"),
    [
        ({"event": "x"}, "/target/mailbox"),
        ({"mailbox": "a@b.c"}, "/target/event"),
        ({"mailbox": "a@b.c", "group": "g", "event": "x"}, "/target/group"),
        ({"mailbox": "..", "event": "x"}, "/target/mailbox"),
        ({"mailbox": "a/b", "event": "x"}, "/target/mailbox"),
        ({"mailbox": "a b@c.d", "event": "x"}, "/target/mailbox"),
        ({"mailbox": "a@b.c/events", "event": "x"}, "/target/mailbox"),
        ({"mailbox": "a@b.c?x", "event": "x"}, "/target/mailbox"),
        ({"mailbox": "%2e%2e", "event": "x"}, "/target/mailbox"),
        ({"mailbox": "a@b@c", "event": "x"}, "/target/mailbox"),
        ({"mailbox": "", "event": "x"}, "/target/mailbox"),
        ({"group": "a/b", "event": "x"}, "/target/group"),
        ({"mailbox": "me", "event": ""}, "/target/event"),
        ({"mailbox": "me", "event": ".."}, "/target/event"),
        ({"mailbox": "me", "event": "a\r\nb"}, "/target/event"),
        ({"mailbox": "me", "event": "é"}, "/target/event"),
        ({"mailbox": "me", "event": "x" * 1025}, "/target/event"),
        ({"mailbox": "me", "event": "x", "calendarGroup": "g"}, "/target/calendar"),
        ({"mailbox": "me", "event": "x", "calendarGroup": "g", "calendar": "default"}, "/target/calendar"),
        ({"group": "g", "event": "x", "calendar": "c"}, "/target/calendar"),
        ({"mailbox": "me", "event": "x", "occurrence": {}}, "/target/occurrence"),
        ({"mailbox": "me", "event": "x", "occurrence": {"index": 0}}, "/target/occurrence/index"),
        ({"mailbox": "me", "event": "x", "occurrence": {"start": "2026-12-01"}}, "/target/occurrence/start"),
        (
            {"mailbox": "me", "event": "x", "occurrence": {"index": 1, "start": "2026-12-01T09:00:00Z"}},
            "/target/occurrence",
        ),
        ({"mailbox": "me", "event": "x", "folder": "y"}, "/target/folder"),
    ],
)
def test_a_target_that_names_no_event_is_pointed_at(target: dict[str, Any], pointer: str) -> None:
    assert list(faults({**SMALLEST, "target": target})) == [pointer]
