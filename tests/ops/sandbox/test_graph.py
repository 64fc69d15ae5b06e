"""GET and PATCH event as Microsoft's pages tell them."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from ops.sandbox import seed
from ops.sandbox.control import Sandbox
from ops.sandbox.event import graph_form
from ops.sandbox.faults import Fault
from tests.ops.sandbox.conftest import LUNCH, Patch, plain
from tests.until import until

ANNA = "/users/anna@contoso.com"
CALENDAR = graph_form(seed.ANNA.default.id)
GROUP = seed.group_of(seed.ANNA)
MARKER = "String {8f9c2d5e-6c1b-4f0a-9d3b-5a7e1c0b4d26} Name a-marker"
PERSONAL_PATHS = [
    f"events/{LUNCH}",
    f"calendar/events/{LUNCH}",
    f"calendars/{CALENDAR}/events/{LUNCH}",
    f"calendargroup/calendars/{CALENDAR}/events/{LUNCH}",
    f"calendarGroups/{GROUP}/calendars/{CALENDAR}/events/{LUNCH}",
]
TEAM = f"/groups/{seed.TEAM.object_id}"
GROUP_EVENT = graph_form(seed.GROUP_MEETING)


def series(kind: str = "noEnd", startDate: str = "2026-12-04", **pattern: Any) -> Any:  # noqa: N803 - Graph's name
    """A daily recurrence."""
    return {"pattern": {"type": "daily", "interval": 1, **pattern}, "range": {"type": kind, "startDate": startDate}}


def whole_days(first: str, end: str, end_zone: str = "Pacific Standard Time") -> Any:
    """What makes an event an all-day one."""
    start = {"dateTime": f"{first}T00:00:00", "timeZone": "Pacific Standard Time"}
    return {"isAllDay": True, "start": start, "end": {"dateTime": f"{end}T00:00:00", "timeZone": end_zone}}


@pytest.mark.parametrize("path", [f"/me/{rest}" for rest in PERSONAL_PATHS])
def test_a_person_reaches_an_event_on_every_path_of_their_own(delegated: httpx.Client, path: str) -> None:
    assert delegated.get(path).json()["subject"] == "Let's go for lunch"
    assert delegated.patch(path, json={"subject": "Brunch"}).json()["subject"] == "Brunch"


@pytest.mark.parametrize("owner", ["anna@contoso.com", "Anna@Contoso.com", seed.ANNA.object_id])
@pytest.mark.parametrize("rest", PERSONAL_PATHS)
def test_an_application_reaches_an_event_on_every_path_of_a_user(graph: httpx.Client, owner: str, rest: str) -> None:
    assert graph.patch(f"/users/{owner}/{rest}", json={"subject": "Brunch"}).json()["subject"] == "Brunch"


@pytest.mark.parametrize("rest", [f"events/{GROUP_EVENT}", f"calendar/events/{GROUP_EVENT}"])
def test_groups_are_for_people_only(graph: httpx.Client, delegated: httpx.Client, rest: str) -> None:
    assert delegated.patch(f"{TEAM}/{rest}", json={"subject": "Moved"}).json()["subject"] == "Moved"
    refused = graph.get(f"{TEAM}/{rest}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "ErrorAccessDenied")


def test_an_event_is_not_in_another_calendar(graph: httpx.Client) -> None:
    other = graph_form(seed.ANNA.calendars[1].id)
    assert graph.get(f"{ANNA}/calendars/{other}/events/{LUNCH}").status_code == 404
    assert graph.get(f"{ANNA}/calendarGroups/{GROUP}/calendars/{other}/events/{LUNCH}").status_code == 404


def test_me_is_nobody_to_an_application(graph: httpx.Client) -> None:
    assert graph.get(f"/me/events/{LUNCH}").status_code == 400


def test_without_a_token_there_is_no_answer(sandbox: Sandbox) -> None:
    refused = plain(sandbox).get(f"{sandbox.graph_url}{ANNA}/events/{LUNCH}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_is_refused(sandbox: Sandbox, graph: httpx.Client) -> None:
    sandbox.revoke_tokens()
    assert graph.get(f"{ANNA}/events/{LUNCH}").status_code == 401


def test_a_mailbox_on_premises_has_no_graph(graph: httpx.Client) -> None:
    refused = graph.get(f"/users/otto@hq.example/events/{graph_form(seed.TENNIS_LESSON)}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "MailboxNotEnabledForRESTAPI")


def test_times_come_in_utc_and_in_the_zone_that_is_preferred(graph: httpx.Client) -> None:
    path = f"{ANNA}/events/{LUNCH}"
    utc = graph.get(path).json()
    assert utc["start"] == {"dateTime": "2026-12-04T20:00:00.0000000", "timeZone": "UTC"}
    assert utc["originalStartTimeZone"] == "Pacific Standard Time"
    local = graph.get(path, headers={"Prefer": 'outlook.timezone="Pacific Standard Time"'})
    assert local.json()["start"] == {"dateTime": "2026-12-04T12:00:00.0000000", "timeZone": "Pacific Standard Time"}
    assert local.headers["Preference-Applied"] == 'outlook.timezone="Pacific Standard Time"'
    bad = graph.get(path, headers={"Prefer": 'outlook.timezone="Mars"'})
    assert (bad.status_code, bad.json()["error"]["code"]) == (400, "TimeZoneNotSupportedException")


def test_only_what_is_selected_is_shown(graph: httpx.Client) -> None:
    shown = graph.get(f"{ANNA}/events/{LUNCH}", params={"$select": "subject,attendees"}).json()
    assert set(shown) == {"@odata.etag", "id", "subject", "attendees"}
    assert graph.get(f"{ANNA}/events/{LUNCH}", params={"$select": "subjekt"}).status_code == 400


def test_extended_properties_are_written_silently_and_shown_when_expanded(
    sandbox: Sandbox, patch: Patch, graph: httpx.Client
) -> None:
    answer = patch({"singleValueExtendedProperties": [{"id": MARKER, "value": "upd_1"}]})
    assert "singleValueExtendedProperties" not in answer.json()
    expand = f"singleValueExtendedProperties($filter=id eq '{MARKER}' or id eq 'String 0x1035')"
    shown = graph.get(f"{ANNA}/events/{LUNCH}", params={"$expand": expand, "$select": "id"}).json()
    assert shown["singleValueExtendedProperties"] == [{"id": MARKER, "value": "upd_1"}]
    assert sandbox.journal(LUNCH)[-1].extended == {MARKER: "upd_1"}
    assert sandbox.invitations() == []


def test_every_write_moves_the_version(patch: Patch) -> None:
    first, second = patch({"subject": "A"}).json(), patch({"subject": "A"}).json()
    assert first["@odata.etag"] == f'W/"{first["changeKey"]}"'
    assert first["@odata.etag"] != second["@odata.etag"]


def test_a_version_that_moved_is_412_and_changes_nothing(sandbox: Sandbox, patch: Patch) -> None:
    seen = sandbox.event(LUNCH)
    assert patch({"subject": "Ours"}, If_Match=seen.etag).status_code == 200
    refused = patch({"subject": "Late"}, If_Match=seen.etag)
    assert (refused.status_code, refused.json()["error"]["code"]) == (412, "ErrorIrresolvableConflict")
    assert sandbox.event(LUNCH).properties["subject"] == "Ours"


def test_a_server_may_be_told_to_ignore_preconditions(sandbox: Sandbox, patch: Patch) -> None:
    seen = sandbox.event(LUNCH)
    sandbox.touch(LUNCH)
    sandbox.behave(preconditions=False)
    assert patch({"subject": "Trampled"}, If_Match=seen.etag).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"colour": "red"}, "RequestBodyRead"),
        ({"importance": "urgent"}, "RequestBodyRead"),
        ({"isAllDay": "yes"}, "RequestBodyRead"),
        ({"iCalUId": "x"}, "ErrorPropertyValidationFailure"),
        ({"transactionId": "x"}, "ErrorInvalidRequest"),
        ({"start": {"dateTime": "2026-12-04T12:00:00", "timeZone": "Mars"}}, "TimeZoneNotSupportedException"),
        ({"start": {"dateTime": "2026-12-04T12:00:00"}}, "TimeZoneNotSupportedException"),
        ({"end": {"dateTime": "2026-12-04T11:00:00", "timeZone": "UTC"}}, "ErrorPropertyValidationFailure"),
        ({"isAllDay": True}, "ErrorPropertyValidationFailure"),
        (whole_days("2026-12-04", "2026-12-04"), "ErrorPropertyValidationFailure"),
        (whole_days("2026-12-04", "2026-12-05", "Tokyo Standard Time"), "ErrorPropertyValidationFailure"),
        ([1], "BadRequest"),
        ({"recurrence": {"pattern": "daily", "range": []}}, "RequestBodyRead"),
        ({"recurrence": series(type="hourly")}, "RequestBodyRead"),
        ({"recurrence": series(startDate="2026-12-24")}, "ErrorPropertyValidationFailure"),
        ({"recurrence": series("endDate")}, "ErrorPropertyValidationFailure"),
        ({"start": {"dateTime": "2026-12-04T12:00:00", "timeZone": 5}}, "BadRequest"),
        ({"start": {"dateTime": "0001-01-01T00:00:00", "timeZone": "Tokyo Standard Time"}}, "BadRequest"),
        ({"attendees": [{"emailAddress": {"address": 5}}]}, "BadRequest"),
        ({"singleValueExtendedProperties": [{"id": 5, "value": "x"}]}, "BadRequest"),
        ({"singleValueExtendedProperties": [{"id": MARKER}]}, "BadRequest"),
    ],
)  # fmt: skip
def test_a_bad_body_is_400_and_changes_nothing(sandbox: Sandbox, patch: Patch, body: Any, code: str) -> None:
    before = sandbox.event(LUNCH)
    refused = patch(body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    assert sandbox.event(LUNCH) == before
    assert sandbox.calls()[-1].status == 400


def test_a_page_of_no_size_is_refused(graph: httpx.Client) -> None:
    refused = graph.get(f"{ANNA}/events", params={"$top": "x"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "BadRequest")


def test_an_all_day_event_lasts_whole_days_of_one_zone(patch: Patch) -> None:
    assert patch(whole_days("2026-12-04", "2026-12-05")).json()["isAllDay"] is True
    refused = patch({"end": {"dateTime": "2026-12-05T00:00:00", "timeZone": "UTC"}})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "ErrorPropertyValidationFailure")
    assert patch({"subject": "Two days off"}).status_code == 200


@pytest.mark.parametrize(("event", "status"), [("AAMkAGE=", 404), ("nonsense", 400)])
def test_an_event_that_is_not_there(graph: httpx.Client, event: str, status: int) -> None:
    assert graph.get(f"{ANNA}/events/{event}").status_code == status


def test_a_location_replaces_the_locations_and_the_other_way_round(patch: Patch) -> None:
    two = patch({"locations": [{"displayName": "Here"}, {"displayName": "There"}]}).json()
    assert two["location"]["displayName"] == "Here; There"
    one = patch({"location": {"displayName": "Nowhere"}}).json()
    assert [place["displayName"] for place in one["locations"]] == ["Nowhere"]


def test_attendees_are_replaced_and_those_who_stay_keep_their_answers(sandbox: Sandbox, patch: Patch) -> None:
    [samantha, dana] = sandbox.event(LUNCH).properties["attendees"]
    answered = {**samantha, "status": {"response": "accepted", "time": "2026-11-01T08:00:00Z"}}
    sandbox.edit(LUNCH, {"attendees": [answered, dana]})
    answer = patch(
        {"attendees": [seed.attendee("SamanthaB@contoso.com"), seed.attendee("new@contoso.com", "optional")]}
    )
    shown = [(one["emailAddress"]["address"], one["status"]["response"]) for one in answer.json()["attendees"]]
    assert len(shown) == 2
    assert ("new@contoso.com", "none") in shown


def test_attendees_alone_mail_only_those_added_and_removed(sandbox: Sandbox, patch: Patch) -> None:
    patch({"attendees": [seed.attendee("danas@contoso.com"), seed.attendee("new@contoso.com")]})
    assert [(mail.attendee, mail.kind) for mail in sandbox.invitations(LUNCH)] == [
        ("new@contoso.com", "request"),
        ("samanthab@contoso.com", "cancellation"),
    ]


def test_any_other_change_mails_everybody(sandbox: Sandbox, patch: Patch) -> None:
    patch({"subject": "Brunch"})
    assert {(mail.attendee, mail.kind) for mail in sandbox.invitations(LUNCH)} == {
        ("samanthab@contoso.com", "update"),
        ("danas@contoso.com", "update"),
    }


def test_an_online_meeting_lives_in_the_body(patch: Patch) -> None:
    made = patch({"isOnlineMeeting": True}).json()
    assert made["onlineMeetingProvider"] == "teamsForBusiness"
    assert made["onlineMeeting"]["joinUrl"] in made["body"]["content"]
    assert patch({"isOnlineMeeting": False}).json()["isOnlineMeeting"] is True
    assert patch({"body": {"contentType": "html", "content": "gone"}}).json()["onlineMeeting"] is None


def test_the_page_s_own_example_is_applied(patch: Patch) -> None:
    answer = patch({
        "responseStatus@odata.type": "x", "recurrence": None, "iCalUId@odata.type": "x",
        "reminderMinutesBeforeStart": 99, "isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness",
        "isReminderOn": True, "hideAttendees": False, "categories": ["Red category"],
    }).json()  # fmt: skip
    assert (answer["reminderMinutesBeforeStart"], answer["categories"]) == (99, ["Red category"])


def test_more_than_four_at_once_are_throttled(sandbox: Sandbox, graph: httpx.Client) -> None:
    sandbox.fail(Fault(effect="now", reply="own", hold=20, times=None, api="graph"))
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(graph.get(f"{ANNA}/events/{LUNCH}").status_code))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    assert until(lambda: len(statuses) == 2, 15)
    sandbox.clear_faults()
    for thread in threads:
        thread.join()
    assert statuses == [429, 429, 200, 200, 200, 200]
    assert sandbox.most_at_once("anna@contoso.com") > 4


def test_events_are_listed_and_created(graph: httpx.Client) -> None:
    new = graph.post(f"{ANNA}/events", json={
        "subject": "New",
        "start": {"dateTime": "2026-12-20T09:00:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-12-20T10:00:00", "timeZone": "Europe/Berlin"},
    })  # fmt: skip
    assert (new.status_code, new.json()["originalStartTimeZone"]) == (201, "W. Europe Standard Time")
    listed = graph.get(f"{ANNA}/events", params={"$top": "2"}).json()
    assert len(listed["value"]) == 2
    assert "@odata.nextLink" in listed
    assert len(graph.get(f"{ANNA}/calendar/events").json()["value"]) == 2


def test_the_supported_zones_are_listed(graph: httpx.Client) -> None:
    windows = graph.get(f"{ANNA}/outlook/supportedTimeZones").json()["value"]
    assert "Pacific Standard Time" in {zone["alias"] for zone in windows}
    path = f"{ANNA}/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')"
    assert "Europe/Berlin" in {zone["alias"] for zone in graph.get(path).json()["value"]}


def test_its_root_tells_what_it_is(graph: httpx.Client) -> None:
    assert graph.get("").json()["@odata.context"].endswith("/graph/v1.0/$metadata")


def test_calls_are_identified(patch: Patch) -> None:
    answer = patch({"subject": "X"}, client_request_id="mine")
    assert answer.headers["client-request-id"] == "mine"
    assert len(answer.headers["request-id"]) == 36


def test_an_event_fits_microsofts_schema(patch: Patch, reference: Path) -> None:
    schemas = json.loads((reference / "graph" / "v1.0-schemas.json").read_text(encoding="utf-8"))
    answer = patch({"isOnlineMeeting": True, "recurrence": series(), "locations": [{"displayName": "Here"}]}).json()
    jsonschema.validate(answer, {**schemas, "$ref": "#/$defs/event"})


def test_a_recurrence_makes_a_series_and_null_ends_it(patch: Patch) -> None:
    assert patch({"recurrence": series()}).json()["type"] == "seriesMaster"
    assert patch({"recurrence": None}).json()["type"] == "singleInstance"


def test_a_series_does_not_change_zones_without_its_recurrence(patch: Patch) -> None:
    patch({"recurrence": series()})
    moved = {"dateTime": "2026-12-04T23:00:00", "timeZone": "UTC"}
    assert patch({"end": moved}).json()["error"]["code"] == "ErrorPropertyValidationFailure"
