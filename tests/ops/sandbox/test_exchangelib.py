"""The outside opinion: exchangelib reads and writes calendar items on the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import exchangelib
import pytest
import requests
from exchangelib.errors import ErrorItemNotFound
from exchangelib.protocol import BaseProtocol

from ops.sandbox import seed
from ops.sandbox.control import Sandbox
from ops.sandbox.faults import Fault


@pytest.fixture
def account(sandbox: Sandbox) -> Iterator[exchangelib.Account]:
    class Trusting(requests.adapters.HTTPAdapter):
        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            super().cert_verify(conn, url, str(sandbox.ca_file), cert)

    before, BaseProtocol.HTTP_ADAPTER_CLS = BaseProtocol.HTTP_ADAPTER_CLS, Trusting
    configuration = exchangelib.Configuration(
        service_endpoint=sandbox.ews_url,
        credentials=exchangelib.Credentials(seed.SERVICE_USER, seed.SERVICE_PASSWORD),
        auth_type=exchangelib.BASIC,
    )
    account = exchangelib.Account(
        "otto@hq.example",
        config=configuration,
        autodiscover=False,
        access_type=exchangelib.IMPERSONATION,
        default_timezone=exchangelib.EWSTimeZone("America/Los_Angeles"),
    )
    yield account
    account.protocol.close()
    BaseProtocol.HTTP_ADAPTER_CLS = before


def test_an_account_finds_the_seed(account: exchangelib.Account) -> None:
    assert account.version.build.major_version == 15
    assert {item.subject for item in account.calendar.all()} == {"Tennis Lesson", "Team building exercise"}


def test_a_fetched_item_has_what_the_store_has(account: exchangelib.Account) -> None:
    item = account.calendar.get(subject="Team building exercise")
    assert item.id == seed.TEAM_BUILDING
    assert item.start == exchangelib.EWSDateTime(2026, 12, 3, 12, tzinfo=account.default_timezone)
    assert item.location == "Conference Room 12"
    assert [one.mailbox.email_address for one in item.required_attendees] == [
        "Mack.Chaves@contoso.com",
        "Sadie.Daniels@contoso.com",
    ]
    assert item.is_meeting


def test_a_saved_item_is_changed_in_the_store(sandbox: Sandbox, account: exchangelib.Account) -> None:
    item = account.calendar.get(subject="Team building exercise")
    key = item.changekey
    item.subject = "Team building exercise has moved!"
    item.location = "4567 Contoso Way, Redmond, OH 33333, USA"
    item.start += timedelta(hours=1)
    item.end += timedelta(hours=1)
    item.categories = ["Fun"]
    item.required_attendees = [
        *item.required_attendees,
        exchangelib.Attendee(mailbox=exchangelib.Mailbox(email_address="alisa@contoso.com")),
    ]
    item.save(
        update_fields=["subject", "location", "start", "end", "categories", "required_attendees"],
        send_meeting_invitations="SendToAllAndSaveCopy",
    )
    assert item.changekey != key
    item.refresh()
    assert item.subject == "Team building exercise has moved!"
    seen = sandbox.event(seed.TEAM_BUILDING).properties
    assert seen["start"] == {"dateTime": "2026-12-03T13:00:00", "timeZone": "Pacific Standard Time"}
    assert (seen["location"]["displayName"], seen["categories"], len(seen["attendees"])) == (item.location, ["Fun"], 3)
    assert [(mail.attendee, mail.kind) for mail in sandbox.invitations()] == [
        ("alisa@contoso.com", "request"),
        ("Mack.Chaves@contoso.com", "update"),
        ("Sadie.Daniels@contoso.com", "update"),
    ]


def test_a_new_item_is_found(sandbox: Sandbox, account: exchangelib.Account) -> None:
    start = exchangelib.EWSDateTime(2026, 12, 10, 9, tzinfo=account.default_timezone)
    pattern = exchangelib.recurrence.WeeklyPattern(interval=2, weekdays=[exchangelib.fields.THURSDAY])
    item = exchangelib.CalendarItem(
        account=account,
        folder=account.calendar,
        subject="New",
        start=start,
        end=start + timedelta(hours=1),
        body=exchangelib.HTMLBody("<p>Hello</p>"),
        recurrence=exchangelib.recurrence.Recurrence(pattern=pattern, start=start.date(), number=5),
    )
    item.save(send_meeting_invitations="SendToNone")
    found = account.calendar.get(subject="New")
    assert (found.id, found.type, found.body) == (item.id, "RecurringMaster", "<p>Hello</p>")
    assert found.recurrence.pattern == pattern
    assert sandbox.event(item.id).properties["recurrence"]["range"] == {
        "type": "numbered", "startDate": "2026-12-10", "numberOfOccurrences": 5,
    }  # fmt: skip


def test_an_extended_property_is_the_same_one_that_graph_names(sandbox: Sandbox, account: exchangelib.Account) -> None:
    class Marker(exchangelib.ExtendedProperty):  # type: ignore[misc]
        property_set_id = "8f9c2d5e-6c1b-4f0a-9d3b-5a7e1c0b4d26"
        property_name = "a-marker"
        property_type = "String"

    exchangelib.CalendarItem.register("marker", Marker)
    try:
        item = account.calendar.get(subject="Tennis Lesson")
        item.marker = "upd_1"
        item.save(update_fields=["marker"], send_meeting_invitations="SendToNone")
        assert account.calendar.get(subject="Tennis Lesson").marker == "upd_1"
    finally:
        exchangelib.CalendarItem.deregister("marker")
    name = "String {8f9c2d5e-6c1b-4f0a-9d3b-5a7e1c0b4d26} Name a-marker"
    assert sandbox.event(seed.TENNIS_LESSON).extended == {name: "upd_1"}


def test_an_item_that_was_deleted_is_not_found(sandbox: Sandbox, account: exchangelib.Account) -> None:
    item = account.calendar.get(subject="Tennis Lesson")
    sandbox.delete(seed.TENNIS_LESSON)
    item.subject = "Too late"
    with pytest.raises(ErrorItemNotFound):
        item.save(update_fields=["subject"])


def test_a_busy_server_is_recognised(sandbox: Sandbox, account: exchangelib.Account) -> None:
    item = account.calendar.get(subject="Tennis Lesson")
    sandbox.fail(Fault(reply="fault", code="ErrorServerBusy", back_off=250, api="ews"))
    with pytest.raises(exchangelib.errors.ErrorServerBusy) as caught:
        item.refresh()
    assert caught.value.back_off == 0.25
