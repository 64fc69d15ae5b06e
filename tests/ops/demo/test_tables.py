import io
from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

from ops.demo import tables
from ops.demo.client import Json
from ops.sandbox.control import Post, Seen
from ops.sandbox.journal import Invitation


def printed(what: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=tables.WIDTH_OF_FILES)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "-"),
        ([], "-"),
        ({}, "-"),
        (False, "false"),
        (0, "0"),
        ("Lunch", "Lunch"),
        (["Red category", "Blue category"], "Red category\nBlue category"),
        ({"displayName": "Harry's Bar", "uniqueId": "x"}, "Harry's Bar"),
        ({"type": "resource", "emailAddress": {"address": "a@b.c", "name": "A"}}, "a@b.c (resource)"),
        ({"dateTime": "2026-12-01T09:00:00", "timeZone": "UTC"}, "2026-12-01T09:00:00 UTC"),
        ({"contentType": "text", "content": "Hello"}, "Hello"),
        ({"pattern": {"type": "daily"}}, '{"pattern": {"type": "daily"}}'),
    ],
)
def test_a_value_is_shown_in_a_persons_words(value: Json, words: str) -> None:
    assert tables.brief(value) == words


def test_a_retry_is_shown_with_its_reason() -> None:
    update: Json = {
        "id": "upd_1", "createdAt": "2026-12-01T09:00:00.000Z", "finishedAt": None, "state": "retrying",
        "attempts": [{"number": 1, "endedAt": "2026-12-01T09:00:01.000Z", "outcome": "throttled", "detail": "429"}],
        "error": None, "result": None, "callback": None,
    }  # fmt: skip
    shown = printed(tables.steps(update))
    assert "attempt 1" in shown and "throttled 429" in shown and "retrying" in shown


def test_a_dead_letter_is_shown_with_its_error() -> None:
    update: Json = {
        "id": "upd_1", "createdAt": "2026-12-01T09:00:00.000Z", "finishedAt": "2026-12-01T09:00:01.000Z",
        "state": "dead", "attempts": [], "result": None, "callback": {"state": "delivered", "attempts": 2},
        "error": {"class": "refused", "code": "ErrorInvalidRecipients", "detail": "no such address"},
    }  # fmt: skip
    shown = printed(tables.steps(update))
    assert "refused: ErrorInvalidRecipients no such address" in shown
    assert "delivered after 2 attempt(s)" in shown


def test_of_an_event_only_what_differs_is_shown_in_the_apis_words() -> None:
    before = Seen("I=", "G=", "anna@contoso.com", "calendar", "U", 'W/"K1"', "K1", "D1",
                  {"subject": "Lunch", "importance": "low"}, {}, True, True, 0)  # fmt: skip
    after = replace(before, change_key="K2", properties={"subject": "Dinner", "importance": "low"})
    shown = printed(tables.event(before, after))
    assert "Lunch" in shown and "Dinner" in shown
    assert "importance" not in shown and "K1" not in shown


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    before = Seen(
        "I=", "G=", "anna@contoso.com", "calendar", "U", 'W/"K1"', "K1", "D1", {"subject": "[/b]"}, {}, True, True, 0
    )
    after = replace(before, properties={"subject": "[red]:cake:"})
    shown = printed(tables.event(before, after))
    assert "[/b]" in shown and "[red]:cake:" in shown
    mail = Invitation("2026-12-01T09:00:00Z", "anna@contoso.com", "I=", "[x]@b.c", "update", "", "[/b]", (), 1)
    assert "[x]@b.c" in printed(tables.mails([mail]))
    post = Post("2026-12-01T09:00:00Z", "/callbacks/x", "", {}, b"[[/b]]", 204)
    assert "[[/b]]" in printed(tables.callback(post, genuine=True))


def test_a_bad_signature_is_shown_as_such() -> None:
    post = Post("2026-12-01T09:00:00Z", "/callbacks/x", "", {"webhook-id": "msg_1"}, b'{"type": "x"}', 204)
    assert "NOT GOOD" in printed(tables.callback(post, genuine=False))
    assert "NOT GOOD" not in printed(tables.callback(post, genuine=True))


def test_a_missing_callback_is_said_to_be_missing() -> None:
    assert "No callback arrived" in printed(tables.callback(None, genuine=False))
