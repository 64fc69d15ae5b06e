from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import etree

from tests.workers.ews.reference import SAMPLES, assert_valid_body, needs_reference
from workers.event.properties import OWN_ZONE, UNTOLD
from workers.ews.fields import FIELDS
from workers.ews.get_item import build, build_many, read
from workers.ews.soap import Answer, Header, NotAnAnswer, answers, element, envelope, find_all
from workers.exchange import MARKER_GUID, MARKER_LENGTH, MARKER_NAME, Refused
from workers.settings.backend import ServerVersion
from workers.update import Occurrence, Target

TARGET = Target(backend="hq", event="AAMk=", mailbox="anna@hq.example")
SHELL = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Body><m:GetItemResponse>'
    '<m:ResponseMessages><m:GetItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
    "<m:Items>{}</m:Items></m:GetItemResponseMessage></m:ResponseMessages></m:GetItemResponse></s:Body></s:Envelope>"
)
ID = '<t:ItemId Id="AAMk=" ChangeKey="DwAAAB=="/>'


def answer(items: str) -> Answer:
    return answers(SHELL.format(items).encode())[0]


def uris(request: etree._Element) -> list[str]:
    return [path.get("FieldURI", "") for path in find_all(request, "m:ItemShape/t:AdditionalProperties/t:FieldURI")]


def test_only_what_is_needed_is_asked_for() -> None:
    assert uris(build(TARGET, ["subject"], "Exchange2013_SP1")) == ["item:Subject", "calendar:IsMeeting"]


def test_attendees_are_three_collections() -> None:
    assert uris(build(TARGET, ["attendees"], "Exchange2013_SP1")) == [
        "calendar:RequiredAttendees",
        "calendar:OptionalAttendees",
        "calendar:Resources",
        "calendar:IsMeeting",
    ]


def test_start_and_end_are_asked_for_together_and_with_their_zones() -> None:
    expected = ["calendar:Start", "calendar:StartTimeZone", "calendar:End", "calendar:EndTimeZone"]
    assert uris(build(TARGET, ["end"], "Exchange2013_SP1"))[:4] == expected


def test_a_field_is_asked_for_once() -> None:
    asked = uris(build(TARGET, list(FIELDS), "Exchange2013_SP1"))
    assert len(asked) == len(set(asked))


def test_exchange_2007_is_not_asked_for_zones() -> None:
    assert uris(build(TARGET, ["start", "recurrence"], "Exchange2007_SP1")) == [
        "calendar:Start",
        "calendar:End",
        "calendar:Recurrence",
        "calendar:CalendarItemType",
        "calendar:IsAllDayEvent",
        "calendar:IsMeeting",
    ]


def test_the_marker_is_always_asked_for() -> None:
    (path,) = find_all(build(TARGET, [], "Exchange2013_SP1"), ".//t:ExtendedFieldURI")
    assert dict(path.attrib) == {
        "PropertySetId": MARKER_GUID,
        "PropertyName": MARKER_NAME,
        "PropertyType": "String",
    }


@needs_reference
@pytest.mark.parametrize(
    "target",
    [TARGET, Target(backend="hq", event="AAMk=", mailbox="anna@hq.example", occurrence=Occurrence(index=3))],
)
@pytest.mark.parametrize("properties", [(), ("subject",), tuple(FIELDS)])
def test_every_request_is_valid_by_microsofts_schema(target: Target, properties: tuple[str, ...]) -> None:
    assert_valid_body(build(target, properties, "Exchange2013_SP1"))


@needs_reference
def test_a_request_for_many_is_valid_too() -> None:
    assert_valid_body(build_many(["A", "B"], tuple(FIELDS), "Exchange2013_SP1"))


@needs_reference
def test_an_occurrence_is_named_by_its_number_and_asked_when_it_was_to_start() -> None:
    target = Target(backend="hq", event="AAMk=", mailbox="anna@hq.example", occurrence=Occurrence(index=3))
    request = build(target, ["subject"], "Exchange2007_SP1")
    (found,) = find_all(request, "m:ItemIds/t:OccurrenceItemId")
    assert dict(found.attrib) == {"RecurringMasterId": "AAMk=", "InstanceIndex": "3"}
    assert "calendar:OriginalStart" in uris(request)
    assert_valid_body(request)


@pytest.mark.parametrize(
    ("told", "original"),
    [
        ("<t:OriginalStart>2026-12-21T09:00:00Z</t:OriginalStart>", datetime(2026, 12, 21, 9, tzinfo=UTC)),
        ("<t:OriginalStart>soon</t:OriginalStart>", None),
        ("", None),
    ],
)
def test_when_a_meeting_of_a_series_was_to_start_is_read_where_it_is_told(told: str, original: datetime | None) -> None:
    assert read(answer(f"<t:CalendarItem>{ID}{told}</t:CalendarItem>"), []).original == original


@pytest.mark.parametrize("name", ["isOnlineMeeting", "hideAttendees", "locations", "noSuchProperty"])
def test_a_property_that_ews_lacks_is_refused_by_name(name: str) -> None:
    with pytest.raises(Refused, match=f"NotOnEws: {name}: "):
        build(TARGET, ["subject", name], "Exchange2013_SP1")


def test_an_event_is_read() -> None:
    event = read(
        answer(
            f"<t:CalendarItem>{ID}<t:Subject>Lunch</t:Subject>"
            f'<t:ExtendedProperty><t:ExtendedFieldURI PropertySetId="{MARKER_GUID.upper()}"'
            f' PropertyName="{MARKER_NAME}" PropertyType="String"/><t:Value>upd_2 upd_1</t:Value></t:ExtendedProperty>'
            "<t:Start>2026-12-01T17:00:00Z</t:Start><t:End>2026-12-01T18:00:00Z</t:End>"
            "<t:IsMeeting>true</t:IsMeeting>"
            '<t:StartTimeZone Id="Pacific Standard Time"/><t:EndTimeZone Id="Eastern Standard Time"/></t:CalendarItem>'
        ),
        ["subject", "start", "location", "categories"],
    )
    assert (event.id, event.version, event.is_meeting) == ("AAMk=", "DwAAAB==", True)
    assert event.marker == ("upd_2", "upd_1")
    assert event.properties == {
        "subject": "Lunch",
        "start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "Pacific Standard Time"},
        "end": {"dateTime": "2026-12-01T13:00:00", "timeZone": "Eastern Standard Time"},
        "location": None,
        "categories": [],
    }


def test_of_a_marker_that_somebody_stuffed_only_so_much_is_read_as_we_write() -> None:
    stuffed = (
        f'<t:ExtendedProperty><t:ExtendedFieldURI PropertySetId="{MARKER_GUID}"'
        f' PropertyName="{MARKER_NAME}" PropertyType="String"/><t:Value>{"upd_1 " * 10_000}</t:Value>'
        "</t:ExtendedProperty>"
    )
    event = read(answer(f"<t:CalendarItem>{ID}{stuffed}</t:CalendarItem>"), [])
    assert event.marker == ("upd_1",) * MARKER_LENGTH


def test_another_named_property_is_no_marker() -> None:
    other = (
        '<t:ExtendedProperty><t:ExtendedFieldURI PropertySetId="00020329-0000-0000-c000-000000000046"'
        f' PropertyName="{MARKER_NAME}" PropertyType="String"/><t:Value>upd_1</t:Value></t:ExtendedProperty>'
    )
    assert read(answer(f"<t:CalendarItem>{ID}{other}</t:CalendarItem>"), []).marker == ()


@pytest.mark.parametrize(("said", "expected"), [("false", False), ("true", True), ("1", True)])
def test_whether_it_is_a_meeting_is_exchanges_word(said: str, expected: bool) -> None:
    event = read(answer(f"<t:CalendarItem>{ID}<t:IsMeeting>{said}</t:IsMeeting></t:CalendarItem>"), [])
    assert event.is_meeting is expected


def test_an_item_that_is_no_event_is_refused() -> None:
    with pytest.raises(Refused, match="MeetingRequest"):
        read(answer(f"<t:MeetingRequest>{ID}</t:MeetingRequest>"), [])


@pytest.mark.parametrize(
    "items",
    [
        "",
        "<t:CalendarItem/>",
        '<t:CalendarItem><t:ItemId Id="AAMk="/></t:CalendarItem>',
        f"<t:CalendarItem>{ID}<t:Start>soon</t:Start></t:CalendarItem>",
        f"<t:CalendarItem>{ID}<t:ReminderMinutesBeforeStart>a while</t:ReminderMinutesBeforeStart></t:CalendarItem>",
        f"<t:CalendarItem>{ID}<t:Recurrence/></t:CalendarItem>",
    ],
)
def test_a_success_without_a_readable_event_is_no_answer(items: str) -> None:
    with pytest.raises(NotAnAnswer):
        read(answer(items), ["start", "recurrence", "reminderMinutesBeforeStart"])


@needs_reference
def test_microsofts_own_event_is_read() -> None:
    body = (SAMPLES / "msdocs-getitem-operation-calendar-item-2-response.xml").read_bytes()
    event = read(answers(body)[0], ["start", "showAs"])
    assert event.version == "otlIqBwrt=="
    assert event.properties["start"] == {"dateTime": "2006-06-16T00:30:00", "timeZone": "UTC", OWN_ZONE: UNTOLD}
    assert event.properties["showAs"] == "busy"


def test_a_request_is_bytes_in_utf_8() -> None:
    sent = envelope(Header("Exchange2013_SP1"), element("m:GetItem", element("m:ItemIds", element("t:ItemId", Id="Ä"))))
    assert "Ä".encode() in sent


def test_a_recurrence_is_asked_for_with_the_start_that_it_counts_from() -> None:
    assert uris(build(TARGET, ["recurrence"], "Exchange2013_SP1"))[:2] == ["calendar:Start", "calendar:StartTimeZone"]


@pytest.mark.parametrize(("version", "asked"), [("Exchange2010_SP2", False), ("Exchange2013", True)])
def test_a_place_with_details_is_asked_for_from_2013_on(version: ServerVersion, asked: bool) -> None:
    assert ("calendar:EnhancedLocation" in uris(build(TARGET, ["location"], version))) is asked


def test_an_occurrence_that_is_named_by_its_start_is_not_asked_for_as_it_is() -> None:
    occurrence = Occurrence(start="2026-12-01T09:00:00Z")
    target = Target(backend="hq", event="AAMk=", mailbox="anna@hq.example", occurrence=occurrence)
    with pytest.raises(ValueError, match="found first"):
        build(target, [], "Exchange2013_SP1")


SERIES = (
    "<t:Start>2026-12-01T09:00:00Z</t:Start><t:CalendarItemType>{}</t:CalendarItemType><t:Recurrence><t:DailyRecurrence>"
    "<t:Interval>1</t:Interval></t:DailyRecurrence><t:NoEndRecurrence><t:StartDate>2026-12-01</t:StartDate>"
    "</t:NoEndRecurrence></t:Recurrence>"
)


def test_an_event_that_was_asked_for_its_times_knows_its_kind_and_its_series() -> None:
    found = read(answer(f"<t:CalendarItem>{ID}{SERIES.format('RecurringMaster')}</t:CalendarItem>"), ["start"])
    assert found.kind == "RecurringMaster"
    assert found.series["range"] == {"type": "noEnd", "startDate": "2026-12-01"}
    assert found.properties.keys() == {"start", "end"}


def test_an_event_that_recurs_as_calendars_do_not_can_be_asked_for_its_times() -> None:
    odd = SERIES.format("RecurringMaster").replace("DailyRecurrence", "DailyRegeneration")
    assert read(answer(f"<t:CalendarItem>{ID}{odd}</t:CalendarItem>"), ["start"]).series is None


def test_the_exceptions_of_a_series_can_be_read() -> None:
    listed = f"<t:ModifiedOccurrences><t:Occurrence>{ID}</t:Occurrence></t:ModifiedOccurrences>"
    found = read(answer(f"<t:CalendarItem>{ID}{listed}</t:CalendarItem>"), ["exceptionOccurrences"])
    assert found.properties == {"exceptionOccurrences": [{"id": "AAMk="}]}
    assert "calendar:ModifiedOccurrences" in uris(build(TARGET, ["exceptionOccurrences"], "Exchange2013_SP1"))
