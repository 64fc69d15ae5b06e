from __future__ import annotations

from datetime import datetime

import pytest

from tests.webhooks.conftest import Caller
from tests.webhooks.given import SMALLEST, at, is_problem, soon
from workers.store import Store


def test_a_property_that_the_backend_cannot_write_is_named(hr: Caller) -> None:
    body = {
        "target": {"mailbox": "bob@hq.example", "event": "AAMk"},
        "set": {"isOnlineMeeting": True, "subject": "x", "start": at("2026-12-01T09:00:00", "Antarctica/Troll")},
        "append": {"locations": [{"displayName": "Room 1"}]},
        "expect": {"hideAttendees": False},
    }
    cleared = {"target": body["target"], "clear": ["body", "locations"]}
    assert is_problem(hr.ask(cleared), 422, "validation", "/clear/1")
    pointers = ("/set/isOnlineMeeting", "/set/start/timeZone", "/append/locations", "/expect/hideAttendees")
    response = hr.ask(body)
    assert is_problem(response, 422, "validation", *pointers)
    assert "isOnlineMeeting" in response.get_json(force=True)["errors"][0]["detail"]


def test_a_callback_wants_a_secret_that_it_can_be_signed_with(rooms: Caller) -> None:
    body = {"target": {"mailbox": "room-1@contoso.com", "event": "AAMk"}, "set": {"subject": "Moved"}}
    assert rooms.ask(body).status_code == 202
    told = rooms.ask({**body, "callbackUrl": "https://hooks.example.com/x"})
    assert is_problem(told, 422, "validation", "/callbackUrl")


@pytest.mark.parametrize(
    "url", ["https://hooks.example.com:8443/x?y=1", "https://127.0.0.1:9/x", "http://127.0.0.1:9/x"]
)
def test_a_callback_goes_to_public_addresses_and_the_clients_networks(hr: Caller, url: str) -> None:
    assert hr.ask({**SMALLEST, "callbackUrl": url}).status_code == 202


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "https://user@example.com/",
        "https://example.com/#x",
        "https://example.com\\@x/",
        "https://",
        "hooks",
        "https://a b/",
    ],
)
def test_a_callback_elsewhere_is_refused(hr: Caller, url: str) -> None:
    assert is_problem(hr.ask({**SMALLEST, "callbackUrl": url}), 422, "validation", "/callbackUrl")


def test_a_callback_without_tls_stays_in_the_clients_networks(rooms: Caller) -> None:
    target = {"mailbox": "room-1@contoso.com", "event": "AAMk"}
    asked = {**SMALLEST, "target": target, "callbackUrl": "http://hooks.example.com/"}
    assert is_problem(rooms.ask(asked), 422, "validation", "/callbackUrl")


@pytest.mark.parametrize("hours", [-1, 7 * 24 + 1])
def test_a_deadline_is_in_the_next_seven_days(hr: Caller, hours: float) -> None:
    assert is_problem(hr.ask({**SMALLEST, "deadline": soon(hours)}), 422, "validation", "/deadline")


def test_a_deadline_is_kept(hr: Caller, store: Store) -> None:
    deadline = soon(48)
    kept = store.update(hr.ask({**SMALLEST, "deadline": deadline}).get_json()["id"])
    assert kept is not None
    assert kept.update.deadline == datetime.fromisoformat(deadline).replace(
        microsecond=datetime.fromisoformat(deadline).microsecond // 1000 * 1000
    )
