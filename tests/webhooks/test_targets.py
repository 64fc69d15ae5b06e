from __future__ import annotations

from typing import Any

import pytest

from tests.webhooks.conftest import Caller
from tests.webhooks.given import SMALLEST, TARGET, is_problem
from workers.store import Store
from workers.update import Occurrence, Target


def test_the_backend_is_the_first_that_serves_the_mailbox(hr: Caller) -> None:
    asked = {**SMALLEST, "target": {"mailbox": "bob@hq.example", "event": "AAMk"}}
    assert hr.ask(asked).get_json()["target"]["backend"] == "hq"


def test_a_mailbox_is_the_same_in_capitals(hr: Caller, rooms: Caller) -> None:
    assert hr.ask({**SMALLEST, "target": {**TARGET, "mailbox": "ANNA@CONTOSO.COM"}}).status_code == 202
    assert rooms.ask({**SMALLEST, "target": {**TARGET, "mailbox": "ROOM-1@CONTOSO.COM"}}).status_code == 202


def test_a_mailbox_of_others_is_forbidden(rooms: Caller) -> None:
    assert is_problem(rooms.ask(SMALLEST), 403, "forbidden")


@pytest.mark.parametrize(
    ("target", "pointer"),
    [
        ({**TARGET, "backend": "nowhere"}, "/target/backend"),
        ({**TARGET, "mailbox": "anna@elsewhere.example"}, "/target/mailbox"),
        ({"group": "7d0b8c", "event": "x", "backend": "hq"}, "/target/group"),
    ],
)
def test_a_target_that_no_backend_serves_is_pointed_at(hr: Caller, target: Any, pointer: str) -> None:
    assert is_problem(hr.ask({**SMALLEST, "target": target}), 422, "validation", pointer)


@pytest.mark.parametrize("backend", ["cloud", "hq"])
def test_me_is_refused_where_the_backend_signs_in_as_nobody_in_particular(hr: Caller, backend: str) -> None:
    asked = {**SMALLEST, "target": {**TARGET, "mailbox": "Me", "backend": backend}}
    assert is_problem(hr.ask(asked), 422, "validation", "/target/mailbox")


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        (
            {"mailbox": "anna@contoso.com", "event": "AAMk", "calendar": "C", "calendarGroup": "G", "version": "V"},
            Target("cloud", "AAMk", mailbox="anna@contoso.com", calendar="C", calendar_group="G", version="V"),
        ),
        (
            {"group": "7d0b8c", "event": "AAMk", "calendar": "default", "occurrence": {"index": 3}},
            Target("cloud", "AAMk", group="7d0b8c", calendar="default", occurrence=Occurrence(index=3)),
        ),
        (
            {**TARGET, "occurrence": {"start": "2026-12-01T09:00:00Z"}},
            Target("cloud", **TARGET, occurrence=Occurrence(start="2026-12-01T09:00:00Z")),
        ),
    ],
)
def test_all_that_names_an_event_is_kept(hr: Caller, store: Store, asked: dict[str, Any], target: Target) -> None:
    kept = store.update(hr.ask({**SMALLEST, "target": asked}).get_json()["id"])
    assert kept is not None
    assert kept.update.target == target
