"""One update as a person reads it."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from workers.cli.timeline import timeline
from workers.job import Result


def told(update: dict[str, Any]) -> str:
    console = Console(width=80, record=True)
    for part in timeline(update):
        console.print(part)
    return console.export_text()


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (Result("v2", noop=True), "Nothing had to be changed: the event was already as asked. Nobody was mailed."),
        (Result("v2", noop=False), "Invitations: not known; the event was not seen to be as asked."),
        (
            Result("v2", noop=False, changed={"subject": {"before": "a", "after": "b"}}, invitations="sendToNone"),
            "Invitations: sendToNone; the event was not seen to be as asked.",
        ),
        (
            Result("v2", noop=False, invitations="sendOnlyToAll", verified=True, mails=3),
            "Invitations: sendOnlyToAll (3 mails at most); the event was read back and is as",
        ),
    ],
)
def test_who_was_mailed_is_told_as_far_as_it_is_known(result: Result, said: str) -> None:
    text = told({"id": "upd_1", "state": "succeeded", "result": result.to_json()})
    assert said in text
    assert text.count("Invitations") == (not result.noop)


def test_what_a_person_should_know_about_the_write_is_told() -> None:
    result = Result("v2", noop=False, invitations="sendToNone", notices=("The online meeting lost its join link.",))
    text = told({"id": "upd_1", "state": "succeeded", "result": result.to_json()})
    assert "The online meeting lost its join link." in text


def test_conflicts_are_told_with_all_three_sides_and_long_ids_in_full() -> None:
    clash = {"property": "subject", "base": "Tennis", "theirs": "Golf", "ours": "Chess"}
    update = {
        "id": "upd_1",
        "state": "dead",
        "target": {"mailbox": "otto@hq.example", "backend": "hq", "event": "A" * 300},
        "error": {"class": "conflict", "code": "Conflict", "title": "t", "detail": "d", "conflicts": [clash]},
    }
    text = told(update)
    assert all(word in text for word in ("subject", "Tennis", "Golf", "Chess", "conflict: t (Conflict)"))
    assert text.count("A") == 300
