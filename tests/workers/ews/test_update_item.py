from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.workers.ews.reference import SAMPLES, assert_valid_body, needs_reference
from tests.workers.ews.test_attendees import people, person
from tests.workers.ews.test_fields import VALUES, times
from tests.workers.ews.test_recurrence import recurrences
from workers.event.patch import Changes, plan
from workers.event.properties import OWN_ZONE, UNNAMED
from workers.ews.fields import FIELDS
from workers.ews.get_item import EwsEvent
from workers.ews.soap import answers, element, find, find_all, text_of
from workers.ews.update_item import build, read
from workers.exchange import MARKER_GUID, MARKER_NAME, Event, Patch, Refused
from workers.settings.backend import ServerVersion
from workers.update import Intent

START = {"dateTime": "2026-12-01T09:00:00", "timeZone": "Pacific Standard Time"}
END = {"dateTime": "2026-12-01T10:00:00", "timeZone": "Pacific Standard Time"}
VERSION: ServerVersion = "Exchange2013_SP1"
DAILY = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd", "startDate": "2026-12-01"}}


def moment(utc: str) -> dict[str, str]:
    return {"dateTime": utc, "timeZone": "UTC"}


def event(**properties: Any) -> Event:
    return Event("AAMk=", "DwAAAB==", False, (), properties)


def patch(changes: Mapping[str, Any], invitations: str = "sendToNone", marker: tuple[str, ...] = ("upd_1",)) -> Patch:
    return Patch(changes, invitations, marker)


def updates(request: etree._Element) -> list[tuple[str, str]]:
    """(SetItemField | DeleteItemField, path) in order."""
    (found,) = find_all(request, "m:ItemChanges/t:ItemChange/t:Updates")
    return [
        (etree.QName(update).localname, update[0].get("FieldURI", "") or update[0].get("PropertyName", ""))
        for update in found
    ]


def changed(before: Event, changes: Mapping[str, Any], version: ServerVersion = VERSION) -> list[tuple[str, str]]:
    return updates(build(before, patch(changes, marker=()), version))


def test_a_write_never_overwrites_and_names_the_version_that_was_read() -> None:
    request = build(event(), patch({"subject": "x"}, "sendToChangedAndSaveCopy"), VERSION)
    assert dict(request.attrib) == {
        "ConflictResolution": "NeverOverwrite",
        "MessageDisposition": "SaveOnly",
        "SendMeetingInvitationsOrCancellations": "SendToChangedAndSaveCopy",
    }
    (item_id,) = find_all(request, "m:ItemChanges/t:ItemChange/t:ItemId")
    assert dict(item_id.attrib) == {"Id": "AAMk=", "ChangeKey": "DwAAAB=="}


@pytest.mark.parametrize(
    "mode",
    ["sendToNone", "sendOnlyToAll", "sendOnlyToChanged", "sendToAllAndSaveCopy", "sendToChangedAndSaveCopy"],
)
def test_every_invitation_mode_is_exchanges_word(mode: str) -> None:
    request = build(event(), patch({"subject": "x"}, mode), VERSION)
    assert request.get("SendMeetingInvitationsOrCancellations") == mode[0].upper() + mode[1:]


def test_a_value_is_set_and_none_unsets() -> None:
    assert changed(event(), {"subject": "x", "location": None}) == [
        ("SetItemField", "item:Subject"),
        ("DeleteItemField", "calendar:Location"),
    ]


def test_the_marker_is_stamped_in_the_same_change() -> None:
    request = build(event(), patch({"subject": "x"}, marker=("upd_2", "upd_1")), VERSION)
    assert updates(request)[-1] == ("SetItemField", MARKER_NAME)
    (stamp,) = find_all(request, ".//t:ExtendedProperty")
    assert text_of(stamp, "t:Value") == "upd_2 upd_1"
    path = find(stamp, "t:ExtendedFieldURI")
    assert path is not None and path.get("PropertySetId") == MARKER_GUID


def test_changes_come_in_the_order_of_the_table() -> None:
    asked = {"location": {"displayName": "Room"}, "categories": ["a"], "isAllDay": True, "subject": "x"}
    paths = [path for _, path in changed(event(), asked)]
    assert paths == ["item:Subject", "item:Categories", "calendar:IsAllDayEvent", "calendar:Location"]


ZONED = [
    ("SetItemField", "calendar:StartTimeZone"),
    ("SetItemField", "calendar:Start"),
    ("SetItemField", "calendar:EndTimeZone"),
    ("SetItemField", "calendar:End"),
]


def test_start_takes_end_and_both_zones_with_it() -> None:
    moved = START | {"dateTime": "2026-12-01T08:00:00"}
    request = build(event(start=START, end=END), patch({"start": moved}, marker=()), VERSION)
    assert updates(request) == ZONED
    assert [found.text for found in request.iter("{*}Start", "{*}End")] == [
        "2026-12-01T16:00:00Z",
        "2026-12-01T18:00:00Z",
    ]


def sent(
    intent: Intent, start: str, end: str, zone: str | None = "W. Europe Standard Time", version: ServerVersion = VERSION
) -> dict[str, str]:
    """Field → the text, or the zone, that an event at these moments and in this zone is sent."""
    zones = [] if zone is None else [element("t:StartTimeZone", Id=zone), element("t:EndTimeZone", Id=zone)]
    item = element("t:CalendarItem", element("t:Start", start), element("t:End", end), *zones)
    stands = event(**{name: FIELDS[name].read(item) for name in ("start", "end", "isAllDay", "recurrence")})
    planned = plan(intent, stands.properties, None, "autoResolve")
    assert isinstance(planned, Changes), planned
    request = build(stands, patch(planned.values, marker=()), version)
    return {path.get("FieldURI", ""): holder[0].get("Id", holder[0].text or "") for path, holder in
            find_all(request, "m:ItemChanges/t:ItemChange/t:Updates/t:SetItemField")}  # fmt: skip


@pytest.mark.parametrize(
    ("intent", "start", "end"),
    [
        (Intent(shift={"end": "PT30M"}), "2026-10-25T01:30:00Z", "2026-10-25T03:00:00Z"),
        (Intent(set={"end": moment("2026-10-25T03:00:00")}), "2026-10-25T01:30:00Z", "2026-10-25T03:00:00Z"),
        (Intent(shift={"start": "PT15M", "end": "PT15M"}), "2026-10-25T01:45:00Z", "2026-10-25T02:45:00Z"),
    ],
)
def test_an_event_in_the_second_of_two_hours_is_moved_from_where_it_is(intent: Intent, start: str, end: str) -> None:
    written = sent(intent, "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z")
    assert (written["calendar:Start"], written["calendar:End"]) == (start, end)
    assert written["calendar:StartTimeZone"] == "W. Europe Standard Time"


@pytest.mark.parametrize("zone", ["tzone://Microsoft/Custom", "Customized Time Zone", None])
@pytest.mark.parametrize(
    ("intent", "start", "end"),
    [
        (Intent(shift={"end": "PT30M"}), "2026-12-01T09:00:00Z", "2026-12-01T10:30:00Z"),
        (Intent(shift={"start": "PT24H", "end": "PT24H"}), "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z"),
        (Intent(set={"start": moment("2026-12-01T08:00:00")}), "2026-12-01T08:00:00Z", "2026-12-01T10:00:00Z"),
    ],
)
def test_a_zone_that_has_no_name_stays_when_none_is_asked_for(
    zone: str | None, intent: Intent, start: str, end: str
) -> None:
    written = sent(intent, "2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z", zone)
    assert written == {"calendar:Start": start, "calendar:End": end}


@pytest.mark.parametrize("asked", [{"isAllDay": True}, {"recurrence": DAILY}])
def test_days_that_are_asked_for_in_utc_are_kept_in_utc_where_the_zone_has_no_name(asked: Any) -> None:
    times = {"start": moment("2026-12-01T00:00:00"), "end": moment("2026-12-02T00:00:00")}
    written = sent(Intent(set=times | asked), "2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z", "Customized Time Zone")
    assert (written["calendar:StartTimeZone"], written["calendar:EndTimeZone"]) == ("UTC", "UTC")


def test_a_zone_that_has_no_name_gives_way_to_one_that_is_asked_for() -> None:
    vienna = {"dateTime": "2026-12-01T10:00:00", "timeZone": "Europe/Vienna"}
    written = sent(
        Intent(set={"start": vienna}), "2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z", "Customized Time Zone"
    )
    assert written == {
        "calendar:StartTimeZone": "W. Europe Standard Time",
        "calendar:Start": "2026-12-01T09:00:00Z",
        "calendar:End": "2026-12-01T10:00:00Z",
    }


def test_a_time_in_a_zone_that_stands_already_is_not_sent_again_where_exchange_tells_no_zones() -> None:
    vienna = {"dateTime": "2026-12-01T10:00:00", "timeZone": "Europe/Vienna"}
    asked = Intent(set={"start": vienna, "end": vienna | {"dateTime": "2026-12-01T11:00:00"}})
    assert sent(asked, "2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z", None, "Exchange2007_SP1") == {}


def test_exchange_2007_is_sent_moments_without_zones() -> None:
    assert changed(event(start=START, end=END), {"end": END}, "Exchange2007_SP1") == [
        ("SetItemField", "calendar:Start"),
        ("SetItemField", "calendar:End"),
    ]


def test_only_the_attendee_collections_that_differ_are_sent() -> None:
    before = [person("a@contoso.com"), person("b@contoso.com", "optional")]
    after = [person("a@contoso.com"), person("r@contoso.com", "resource")]
    assert changed(event(attendees=before), {"attendees": after}) == [
        ("DeleteItemField", "calendar:OptionalAttendees"),
        ("SetItemField", "calendar:Resources"),
    ]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"subject": "a\0b"}, "subject"),
        ({"subject": "\ud800"}, "subject"),
        ({"body": {"contentType": "html", "content": "\x1f"}}, "body"),
        ({"attendees": [{"emailAddress": {"address": "a@b.c", "name": "\x02"}}]}, "attendees"),
        ({"attendees": [{}]}, "attendees"),
        ({"categories": ["fine", "\x01"]}, "categories"),
        ({"showAs": "OOF"}, "showAs"),
        ({"start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "Mars/Olympus"}, "end": END}, "start"),
        ({"start": {"dateTime": "2026-12-01T09:00:00"}, "end": END}, "start"),
        ({"start": START}, "end"),
        ({"importance": None}, "importance"),
        ({"recurrence": {"pattern": {"type": "daily"}}}, "recurrence"),
        ({"location": "Room"}, "location"),
        ({"isOnlineMeeting": True}, "isOnlineMeeting"),
    ],
)
def test_what_exchange_cannot_hold_is_refused_by_the_propertys_name(changes: Any, named: str) -> None:
    with pytest.raises(Refused, match=f"{named}: "):
        build(event(), patch(changes), VERSION)


@pytest.mark.parametrize("version", ["Exchange2007_SP1", "Exchange2010", VERSION])
def test_every_version_can_end_a_series_and_show_somebody_as_busy(version: ServerVersion) -> None:
    assert changed(event(start=START, recurrence=DAILY), {"recurrence": None, "showAs": "busy"}, version) == [
        ("SetItemField", "calendar:LegacyFreeBusyStatus"),
        ("DeleteItemField", "calendar:Recurrence"),
    ]


@pytest.mark.parametrize(("version", "works"), [("Exchange2010_SP2", False), ("Exchange2013", True)])
def test_working_elsewhere_exists_from_2013_on(version: ServerVersion, works: bool) -> None:
    asked = patch({"showAs": "workingElsewhere"})
    if works:
        assert build(event(), asked, version) is not None
    else:
        with pytest.raises(Refused, match="Exchange2013"):
            build(event(), asked, version)


def test_a_series_is_kept_in_the_zone_of_its_start() -> None:
    series = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "noEnd", "startDate": "2026-12-01", "recurrenceTimeZone": "Europe/Vienna"},
    }
    with pytest.raises(Refused, match="recurrence: recurrenceTimeZone"):
        build(event(start=START, end=END), patch({"recurrence": series}), VERSION)


def known(kind: str, series: Any = None) -> EwsEvent:
    return EwsEvent("AAMk=", "DwAAAB==", False, (), {"start": START, "end": END}, kind, series)


def weekly(interval: int, days: list[str], **first: str) -> Any:
    return {"pattern": {"type": "weekly", "interval": interval, "daysOfWeek": days, **first}, "range": DAILY["range"]}


@pytest.mark.parametrize(
    "recurrence",
    [
        weekly(1, ["tuesday", "sunday"], firstDayOfWeek="monday"),
        weekly(2, ["tuesday"], firstDayOfWeek="monday"),
        weekly(2, ["tuesday", "sunday"], firstDayOfWeek="sunday"),
        weekly(2, ["tuesday", "sunday"]),
    ],
)
@pytest.mark.parametrize(
    ("version", "said"), [("Exchange2007_SP1", 0), ("Exchange2010", 0), ("Exchange2010_SP1", 1), (VERSION, 1)]
)
def test_the_first_day_of_a_week_is_sent_where_exchange_has_one(
    version: ServerVersion, said: int, recurrence: Any
) -> None:
    request = build(known("Single"), patch({"recurrence": recurrence}), version)
    assert len(list(request.iter("{*}DaysOfWeek"))) == 1
    assert len(list(request.iter("{*}FirstDayOfWeek"))) == said


def test_a_first_day_of_a_week_that_exchange_would_lose_is_refused() -> None:
    asked = patch({"recurrence": weekly(2, ["tuesday", "sunday"], firstDayOfWeek="monday")})
    with pytest.raises(Refused, match="recurrence: a firstDayOfWeek like 'monday' exists from Exchange2010_SP1 on"):
        build(known("Single"), asked, "Exchange2010")
    assert build(known("Single"), asked, "Exchange2010_SP1") is not None


@pytest.mark.parametrize("kind", ["Occurrence", "Exception"])
@pytest.mark.parametrize("recurrence", [DAILY, None])
def test_a_single_meeting_has_no_recurrence_to_be_written(kind: str, recurrence: Any) -> None:
    with pytest.raises(Refused, match="recurrence: only the series"):
        build(known(kind), patch({"recurrence": recurrence}), VERSION)


@pytest.mark.parametrize("kind", ["", "Single", "RecurringMaster"])
def test_a_recurrence_is_written_to_a_master_and_to_a_single_event(kind: str) -> None:
    assert changed(known(kind), {"recurrence": DAILY}) == [("SetItemField", "calendar:Recurrence")]


def test_a_series_that_moves_to_another_day_begins_on_it() -> None:
    later = {name: {**START, "dateTime": "2026-12-08T09:00:00"} for name in ("start", "end")}
    request = build(known("RecurringMaster", DAILY), patch(later), VERSION)
    assert [found.text for found in request.iter("{*}StartDate")] == ["2026-12-08"]
    assert len(list(request.iter("{*}DailyRecurrence"))) == 1


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ({"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]}, ("DaysOfWeek", "Thursday")),
        ({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 1}, ("DayOfMonth", "3")),
    ],
)
def test_a_series_that_moves_to_another_day_is_on_it_from_then_on(pattern: Any, said: tuple[str, str]) -> None:
    thursday = {name: {**START, "dateTime": "2026-12-03T09:00:00"} for name in ("start", "end")}
    request = build(known("RecurringMaster", {**DAILY, "pattern": pattern}), patch(thursday), VERSION)
    assert [found.text for found in request.iter("{*}" + said[0])] == [said[1]]
    assert [found.text for found in request.iter("{*}StartDate")] == ["2026-12-03"]


@pytest.mark.parametrize(
    ("start", "first", "day"),
    [
        (moment("2026-12-07T23:30:00") | {OWN_ZONE: UNNAMED}, "2026-12-08", "Tuesday"),
        ({"dateTime": "2026-11-30T23:00:00", "timeZone": "UTC"}, "2026-11-30", "Monday"),
    ],
    ids=["a week later", "in a zone that has a name"],
)
def test_a_series_in_a_zone_that_has_no_name_moves_by_its_own_days(start: Any, first: str, day: str) -> None:
    """At half past midnight on a Tuesday, an hour east of Greenwich."""
    stands = moment("2026-11-30T23:30:00") | {OWN_ZONE: UNNAMED}
    weekly = {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]}, "range": DAILY["range"]}
    series = EwsEvent("AAMk=", "DwAAAB==", False, (), {"start": stands, "end": stands}, "RecurringMaster", weekly)
    request = build(series, patch({"start": start, "end": start}), VERSION)
    assert [found.text for found in request.iter("{*}StartDate", "{*}DaysOfWeek")] == [day, first]


def in_no_named_zone(wall: str) -> EwsEvent:
    """Mondays from 5 October 2026 on, in a zone that has no name."""
    mondays = {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]}}
    series = mondays | {"range": {"type": "noEnd", "startDate": "2026-10-05"}}
    stands = moment(wall) | {OWN_ZONE: UNNAMED}
    return EwsEvent("AAMk=", "DwAAAB==", False, (), {"start": stands, "end": stands}, "RecurringMaster", series)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("2026-10-04T23:00:00", "2026-10-05T01:00:00"),
        ("2026-10-05T14:00:00", "2026-10-05T12:00:00"),
        ("2026-10-05T11:30:00", "2026-10-05T11:30:00"),
    ],
    ids=["over midnight in UTC", "on the same day in UTC", "only the end"],
)
def test_a_series_that_stays_on_its_day_in_each_zone_in_which_it_can_be_keeps_its_pattern(
    was: str, becomes: str
) -> None:
    start = moment(becomes) | {OWN_ZONE: UNNAMED}
    assert changed(in_no_named_zone(was), {"start": start, "end": start}) == [
        ("SetItemField", "calendar:Start"),
        ("SetItemField", "calendar:End"),
    ]


@pytest.mark.parametrize("becomes", ["2026-10-05T16:00:00", "2026-10-06T14:30:00", "9999-12-31T15:00:00"])
def test_a_series_that_would_begin_on_a_day_that_nobody_knows_is_refused(becomes: str) -> None:
    start = moment(becomes) | {OWN_ZONE: UNNAMED}
    with pytest.raises(Refused, match="start: the series is kept in a zone that is not known"):
        build(in_no_named_zone("2026-10-05T14:00:00"), patch({"start": start, "end": start}), VERSION)
    named = {"dateTime": becomes, "timeZone": "UTC"}
    assert build(in_no_named_zone("2026-10-05T14:00:00"), patch({"start": named, "end": named}), VERSION) is not None


def test_a_series_on_a_weekday_of_the_month_is_not_moved_by_guessing() -> None:
    first = {**DAILY, "pattern": {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["tuesday"]}}
    later = {name: {**START, "dateTime": "2026-12-02T09:00:00"} for name in ("start", "end")}
    with pytest.raises(Refused, match="the first Tuesday of a month"):
        build(known("RecurringMaster", first), patch(later), VERSION)


def test_a_series_that_moves_within_its_day_keeps_its_recurrence() -> None:
    later = {name: {**START, "dateTime": "2026-12-01T15:00:00"} for name in ("start", "end")}
    assert changed(known("RecurringMaster", DAILY), later) == ZONED


def test_a_property_that_can_only_be_read_is_refused() -> None:
    with pytest.raises(Refused, match="exceptionOccurrences: it can be read and not written"):
        build(event(), patch({"exceptionOccurrences": []}), VERSION)


def test_a_series_begins_on_the_day_of_its_start() -> None:
    series = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd", "startDate": "2026-12-02"}}
    stands = event(start=START, end=END)
    with pytest.raises(Refused, match="recurrence: its startDate '2026-12-02' is not the day of start, '2026-12-01'"):
        build(stands, patch({"recurrence": series}), VERSION)
    next_day = {name: {**START, "dateTime": "2026-12-02T09:00:00"} for name in ("start", "end")}
    assert ("SetItemField", "calendar:Recurrence") in changed(stands, {"recurrence": series, **next_day})


def test_an_event_in_a_zone_without_a_name_may_begin_its_series_on_another_day() -> None:
    series = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd", "startDate": "2026-12-02"}}
    utc = {"timeZone": "UTC"}
    unnamed = event(start=START | utc | {OWN_ZONE: UNNAMED}, end=END | utc | {OWN_ZONE: UNNAMED})
    assert changed(unnamed, {"recurrence": series}) == [("SetItemField", "calendar:Recurrence")]
    with pytest.raises(Refused, match="recurrence: its startDate"):
        changed(event(start=START | utc, end=END | utc), {"recurrence": series})


everything = st.fixed_dictionaries(
    {}, optional=VALUES | {"start": times, "end": times, "attendees": people, "recurrence": recurrences}
)


@needs_reference
@given(changes=everything, before=people)
def test_every_request_is_valid_by_microsofts_schema(changes: Any, before: Any) -> None:
    stands = event(start=START, end=END, attendees=before)
    if changes.get("recurrence"):
        start = changes.get("start") or START
        changes["recurrence"]["range"]["startDate"] = start["dateTime"][:10]
    assert_valid_body(build(stands, patch(changes), VERSION))


@needs_reference
def test_the_new_version_is_read() -> None:
    body = (SAMPLES / "constructed-success-response.xml").read_bytes()
    assert read(answers(body)[0])[0] == "AAMkAD0="
