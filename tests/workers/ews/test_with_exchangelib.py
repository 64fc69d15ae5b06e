"""The outside opinion: what we write exchangelib reads, and what exchangelib writes we read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import exchangelib
import pytest
import requests
from exchangelib import recurrence
from exchangelib.protocol import BaseProtocol

from ops.sandbox import seed
from ops.sandbox.control import Sandbox
from tests.workers.ews.test_round_trip import OTTO, changed
from workers.event.properties import EXTENDED
from workers.ews.exchange import EwsExchange
from workers.ews.fields import FIELDS
from workers.update import Target

GUID = "8f9c2d5e-6c1b-4f0a-9d3b-5a7e1c0b4d26"
PACIFIC = exchangelib.EWSTimeZone("America/Los_Angeles")
LESSON = Target(backend="hq", event=seed.TENNIS_LESSON, mailbox=OTTO)


class CostCentre(exchangelib.ExtendedProperty):  # type: ignore[misc]
    property_set_id = GUID
    property_name = "cost-centre"
    property_type = "String"


class Colour(exchangelib.ExtendedProperty):  # type: ignore[misc]
    distinguished_property_set_id = "Appointment"
    property_id = 0x8214
    property_type = "Integer"


COST_CENTRE = f"{EXTENDED}String {{{GUID}}} Name cost-centre"
COLOUR = f"{EXTENDED}Integer {{00062002-0000-0000-c000-000000000046}} Id 0x8214"


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
        OTTO, config=configuration, autodiscover=False, access_type=exchangelib.IMPERSONATION, default_timezone=PACIFIC
    )
    exchangelib.CalendarItem.register("cost_centre", CostCentre)
    exchangelib.CalendarItem.register("colour", Colour)
    yield account
    exchangelib.CalendarItem.deregister("colour")
    exchangelib.CalendarItem.deregister("cost_centre")
    account.protocol.close()
    BaseProtocol.HTTP_ADAPTER_CLS = before


THURSDAY = 4
WEEKLY = {
    "pattern": {"type": "weekly", "interval": 2, "daysOfWeek": ["thursday"], "firstDayOfWeek": "monday"},
    "range": {"type": "numbered", "startDate": "2026-12-10", "numberOfOccurrences": 5},
}


def time(hour: int) -> dict[str, str]:
    return {"dateTime": f"2026-12-10T{hour:02}:00:00", "timeZone": "Pacific Standard Time"}


def person(address: str, kind: str) -> dict[str, Any]:
    return {"type": kind, "emailAddress": {"address": address, "name": address}}


WRITTEN: dict[str, tuple[Any, str, Any]] = {
    "subject": ("Finals", "subject", "Finals"),
    "body": ({"contentType": "html", "content": "<p>Win!</p>"}, "body", "<p>Win!</p>"),
    "categories": (["Fun", "Sport"], "categories", ["Fun", "Sport"]),
    "importance": ("high", "importance", "High"),
    "sensitivity": ("private", "sensitivity", "Private"),
    "isReminderOn": (False, "reminder_is_set", False),
    "reminderMinutesBeforeStart": (30, "reminder_minutes_before_start", 30),
    "showAs": ("oof", "legacy_free_busy_status", "OOF"),
    "location": ({"displayName": "Court 1"}, "location", "Court 1"),
    "responseRequested": (False, "is_response_requested", False),
    COST_CENTRE: ("4711", "cost_centre", "4711"),
    COLOUR: ("3", "colour", 3),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_exchangelib_reads_what_we_write(account: exchangelib.Account, ours: EwsExchange, name: str) -> None:
    value, theirs, expected = WRITTEN[name]
    changed(ours, LESSON, {name: value})
    assert getattr(account.calendar.get(id=seed.TENNIS_LESSON), theirs) == expected


@pytest.mark.parametrize("name", WRITTEN)
def test_we_read_what_exchangelib_writes(account: exchangelib.Account, ours: EwsExchange, name: str) -> None:
    value, theirs, theirs_value = WRITTEN[name]
    item = account.calendar.get(id=seed.TENNIS_LESSON)
    setattr(item, theirs, exchangelib.HTMLBody(theirs_value) if name == "body" else theirs_value)
    item.save(update_fields=[theirs], send_meeting_invitations="SendToNone")
    assert ours.read(LESSON, [name]).properties[name] == value


@pytest.mark.parametrize("name", [COST_CENTRE, COLOUR, "location", "categories"])
def test_exchangelib_sees_that_it_is_gone(account: exchangelib.Account, ours: EwsExchange, name: str) -> None:
    value, theirs, _ = WRITTEN[name]
    changed(ours, LESSON, {name: value})
    changed(ours, LESSON, {name: None})
    assert not getattr(account.calendar.get(id=seed.TENNIS_LESSON), theirs)


def test_times_and_a_series_are_the_same_to_both(account: exchangelib.Account, ours: EwsExchange) -> None:
    changed(ours, LESSON, {"start": time(9), "end": time(11), "recurrence": WEEKLY})
    item = account.calendar.get(id=seed.TENNIS_LESSON)
    assert item.start == exchangelib.EWSDateTime(2026, 12, 10, 9, tzinfo=PACIFIC)
    assert item.end == exchangelib.EWSDateTime(2026, 12, 10, 11, tzinfo=PACIFIC)
    pattern = item.recurrence.pattern
    assert (pattern.interval, pattern.weekdays) == (2, [THURSDAY])
    item.recurrence = recurrence.Recurrence(
        pattern=recurrence.AbsoluteMonthlyPattern(interval=3, day_of_month=10),
        start=exchangelib.EWSDate(2026, 12, 10),
        end=exchangelib.EWSDate(2027, 12, 31),
    )
    item.save(update_fields=["recurrence"], send_meeting_invitations="SendToNone")
    assert ours.read(LESSON, ["recurrence"]).properties["recurrence"] == {
        "pattern": {"type": "absoluteMonthly", "interval": 3, "dayOfMonth": 10},
        "range": {"type": "endDate", "startDate": "2026-12-10", "endDate": "2027-12-31",
                  "recurrenceTimeZone": "Pacific Standard Time"},
    }  # fmt: skip


def test_attendees_are_the_same_to_both(account: exchangelib.Account, ours: EwsExchange) -> None:
    people = [person("a@contoso.com", "required"), person("b@contoso.com", "optional"), person("r@x.com", "resource")]
    changed(ours, LESSON, {"attendees": people})
    changed(ours, LESSON, {"attendees": [*people, person("c@contoso.com", "required")]})
    item = account.calendar.get(id=seed.TENNIS_LESSON)
    assert [one.mailbox.email_address for one in item.required_attendees] == ["a@contoso.com", "c@contoso.com"]
    assert [one.mailbox.email_address for one in item.optional_attendees] == ["b@contoso.com"]
    assert [one.mailbox.email_address for one in item.resources] == ["r@x.com"]
    item.required_attendees = [exchangelib.Attendee(mailbox=exchangelib.Mailbox(email_address="d@contoso.com"))]
    item.save(update_fields=["required_attendees"], send_meeting_invitations="SendToNone")
    found = ours.read(LESSON, ["attendees"]).properties["attendees"]
    assert [member["emailAddress"]["address"] for member in found] == ["d@contoso.com", "b@contoso.com", "r@x.com"]


def test_exchangelib_leaves_our_marker_alone(account: exchangelib.Account, ours: EwsExchange) -> None:
    changed(ours, LESSON, {"subject": "Finals"})
    item = account.calendar.get(id=seed.TENNIS_LESSON)
    item.subject = "Semifinals"
    item.save(update_fields=["subject"], send_meeting_invitations="SendToNone")
    event = ours.read(LESSON, FIELDS)
    assert (event.properties["subject"], event.marker) == ("Semifinals", ("upd_1",))
