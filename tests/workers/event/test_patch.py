"""What an intent makes of an event: by example, and where conflicts are. The laws are in test_patch_laws."""

from __future__ import annotations

import pytest

from tests.workers.events import an_event, at, attendee
from workers.event.agreement import agrees
from workers.event.patch import Changes, Conflict, desired, plan, properties_needed
from workers.event.properties import EXTENSION, OWN_ZONE, PROPERTIES, UNNAMED, WATCHED
from workers.event.zones import instant, wall_clock
from workers.update import BackendKind, ConflictResolution, Intent, Json

MODES = ("neverOverwrite", "autoResolve", "alwaysOverwrite")


def changed(
    intent: Intent, now: dict[str, Json], base: dict[str, Json] | None = None, mode: ConflictResolution = "autoResolve"
) -> Json:
    planned = plan(intent, now, base, mode)
    assert isinstance(planned, Changes), planned
    return planned.values


def clashing(
    intent: Intent, now: dict[str, Json], base: dict[str, Json] | None, mode: ConflictResolution = "autoResolve"
) -> Json:
    planned = plan(intent, now, base, mode)
    assert isinstance(planned, Conflict), planned
    return [(clash.property, clash.base, clash.theirs, clash.ours) for clash in planned.clashes]


def test_only_what_differs_is_written() -> None:
    intent = Intent(set={"subject": "Moved", "importance": "normal", "categories": ["Blue", "Red"]})
    assert changed(intent, an_event()) == {"subject": "Moved"}


def test_if_nothing_differs_nothing_is_written() -> None:
    intent = Intent(
        set={"subject": "Team building", "body": {"contentType": "html", "content": "<p>Bring <b>shoes</b></p>\r\n"}},
        append={"attendees": [attendee("ANN")]},
        remove={"categories": ["Green"], "attendees": ["nobody@contoso.com"]},
        shift={"start": "PT0S", "end": "P0D"},
    )
    assert changed(intent, an_event()) == {}


def test_what_somebody_else_took_meanwhile_is_left_as_a_group_and_the_rest_is_written() -> None:
    intent = Intent(
        set={"subject": "Moved", "importance": "high", "start": at(9)},
        only_where={"subject": "Team building", "importance": "low", "end": at(23, day=1)},
    )
    assert changed(intent, an_event()) == {"subject": "Moved"}
    assert changed(intent, an_event(subject="Theirs")) == {}
    assert changed(intent, an_event(subject="Moved"), base=an_event(), mode="alwaysOverwrite") == {}


def test_null_clears_and_clearing_what_is_clear_is_nothing() -> None:
    assert changed(Intent(set={"location": None}), an_event()) == {"location": None}
    assert changed(Intent(set={"location": None}), an_event(location={"displayName": ""})) == {}


def test_text_is_appended_to_what_is_there() -> None:
    body = {"contentType": "html", "content": "<p>a</p>"}
    intent = Intent(append={"subject": " (moved)", "body": "<p>b</p>"})
    assert changed(intent, an_event(body=body)) == {
        "subject": "Team building (moved)",
        "body": {"contentType": "html", "content": "<p>a</p><p>b</p>"},
    }


def test_text_is_appended_to_nothing_and_a_body_that_was_never_written_is_html() -> None:
    assert changed(Intent(append={"subject": "x", "body": "y"}), an_event(subject=None, body=None)) == {
        "subject": "x",
        "body": {"contentType": "html", "content": "y"},
    }


@pytest.mark.parametrize(("stands", "touched"), [("Before", True), ("Long before", True), ("Somebody's", False)])
def test_what_may_be_touched_where_it_has_one_of_several_values_is_left_where_it_has_another(
    stands: str, touched: bool
) -> None:
    intent = Intent(
        set={"subject": "New"}, only_where={"subject": "Before"}, or_where={"subject": ["Older", "Long before"]}
    )
    planned = plan(intent, {"subject": stands}, None, "alwaysOverwrite")
    assert planned == Changes({"subject": "New"} if touched else {})


def test_members_are_appended_behind_and_only_where_absent() -> None:
    intent = Intent(append={"attendees": [attendee("BEN"), attendee("Cleo")], "categories": ["red", "Green"]})
    written = changed(intent, an_event())
    assert [one["emailAddress"]["name"] for one in written["attendees"]] == ["Ann", "ben", "Cleo"]
    assert written["categories"] == ["Red", "Blue", "Green"]


def test_who_is_appended_but_is_there_keeps_their_role() -> None:
    written = changed(Intent(append={"attendees": [attendee("ben", "required"), attendee("Cleo")]}), an_event())
    assert written["attendees"][1]["type"] == "optional"


def test_an_address_in_two_roles_keeps_both_when_somebody_else_is_appended() -> None:
    both = [attendee("Ann", status={"response": "accepted"}), attendee("ann", "optional")]
    written = changed(Intent(append={"attendees": [attendee("Cleo")]}), an_event(attendees=both))
    assert written["attendees"] == [*both, attendee("Cleo")]


def test_members_are_removed_by_address_name_and_display_name_in_any_case() -> None:
    intent = Intent(remove={"attendees": [" ANN@Contoso.com "], "categories": ["BLUE"], "locations": ["lobby"]})
    written = changed(intent, an_event())
    assert [one["emailAddress"]["name"] for one in written["attendees"]] == ["ben"]
    assert (written["categories"], written["locations"]) == (["Red"], [])


def test_a_category_with_spaces_around_it_can_be_removed() -> None:
    assert changed(Intent(remove={"categories": [" Red "]}), an_event(categories=[" Red ", "Blue"])) == {
        "categories": ["Blue"]
    }


def test_a_set_and_a_removal_of_one_property_go_together() -> None:
    intent = Intent(set={"categories": ["Red", "Green"]}, remove={"categories": ["red"]})
    assert changed(intent, an_event()) == {"categories": ["Green"]}


def test_two_locations_of_one_name_both_stay_when_a_third_goes() -> None:
    rooms = [
        {"displayName": "Room", "uniqueId": "1"},
        {"displayName": "Room", "uniqueId": "2"},
        {"displayName": "Hall"},
    ]
    assert changed(Intent(remove={"locations": ["Hall"]}), an_event(locations=rooms)) == {"locations": rooms[:2]}


def test_distribution_lists_without_an_address_stay() -> None:
    lists = [{"type": "required", "emailAddress": {"name": name}} for name in ("Board", "Choir")]
    written = changed(Intent(append={"attendees": [attendee("Cleo")]}), an_event(attendees=lists))
    assert [one["emailAddress"]["name"] for one in written["attendees"]] == ["Board", "Choir", "Cleo"]


def test_who_stays_keeps_what_exchange_knows_of_them() -> None:
    written = changed(Intent(set={"attendees": [attendee("ann", "optional"), attendee("Dora")]}), an_event())
    assert written["attendees"][0] == {**attendee("ann", "optional"), "status": {"response": "accepted"}}


def test_who_stays_keeps_their_name() -> None:
    nameless = {"type": "required", "emailAddress": {"address": "Ann@contoso.com"}}
    written = changed(Intent(set={"attendees": [nameless]}), an_event())
    assert written["attendees"][0]["emailAddress"] == {"address": "Ann@contoso.com", "name": "Ann"}
    renamed = {"type": "required", "emailAddress": {"address": "ann@contoso.com", "name": "Ann B."}}
    written = changed(Intent(set={"attendees": [renamed]}), an_event())
    assert written["attendees"][0]["emailAddress"]["name"] == "Ann B."


def test_a_time_in_utc_leaves_the_event_in_its_own_zone() -> None:
    assert changed(Intent(set={"start": at(7, zone="UTC")}), an_event()) == {"start": at(8), "end": at(10)}
    tokyo = "Tokyo Standard Time"
    event = an_event(start=at(9, zone=tokyo), end=at(10, zone="UTC"))
    written = changed(Intent(set={"start": at(23, zone="UTC"), "end": at(23, zone="utc")}), event)
    assert written == {"start": at(8, day=24, zone=tokyo), "end": at(23, zone="UTC")}


def test_a_time_in_utc_that_stands_already_is_nothing_to_do() -> None:
    start = {"dateTime": "2026-11-23T08:00:00.5", "timeZone": "UTC"}
    assert changed(Intent(set={"start": start, "end": at(9, zone="UTC")}), an_event()) == {}


@pytest.mark.parametrize(
    ("asked", "event"),
    [
        ({}, {"isAllDay": True}),
        ({"isAllDay": True}, {}),
        ({}, {"start": at(9, zone="tzone://Microsoft/Custom")}),
        ({}, {"start": None}),
    ],
    ids=["all day", "becomes all day", "a zone without a name", "no time"],
)
def test_a_time_in_utc_stays_as_it_is_where_the_clock_of_the_event_says_nothing(asked: Json, event: Json) -> None:
    start = at(0, zone="UTC")
    assert changed(Intent(set={"start": start, **asked}), an_event(**event))["start"] == start


def test_a_time_in_utc_leaves_an_event_in_its_zone_also_where_it_no_longer_lasts_whole_days() -> None:
    event = an_event(isAllDay=True, start=at(0), end=at(0, day=24))
    asked = {"isAllDay": False, "start": at(8, zone="UTC"), "end": at(9, zone="UTC")}
    assert changed(Intent(set=asked), event) == {"isAllDay": False, "start": at(9), "end": at(10)}


TWICE = {"dateTime": "2026-10-25T02:30:00+01:00", "timeZone": at(9)["timeZone"]}


def test_an_hour_that_the_clock_shows_twice_is_the_moment_that_was_asked_for() -> None:
    first, second = ({"dateTime": f"2026-10-25T0{hour}:30:00", "timeZone": "UTC"} for hour in (0, 1))
    shown = {"start": TWICE | {"dateTime": "2026-10-25T02:30:00"}, "end": TWICE}
    assert changed(Intent(set={"start": first, "end": second}), an_event()) == shown
    assert changed(Intent(set={"start": first, "end": second}), an_event(**shown)) == {}
    assert changed(Intent(set={"subject": "x"}, expect={"end": second}), an_event(**shown)) == {"subject": "x"}
    assert clashing(Intent(set={"subject": "x"}, expect={"end": first}), an_event(**shown), None)


def test_an_event_in_the_second_of_two_hours_stays_there_when_its_end_moves() -> None:
    event = an_event(start=TWICE, end=TWICE | {"dateTime": "2026-10-25T03:30:00"})
    longer = TWICE | {"dateTime": "2026-10-25T04:00:00"}
    assert changed(Intent(shift={"end": "PT30M"}), event) == {"start": TWICE, "end": longer}
    assert changed(Intent(set={"end": longer}), event) == {"start": TWICE, "end": longer}


@pytest.mark.parametrize("zone", ["Tokyo Standard Time", "UTC"])
def test_the_second_of_two_hours_is_the_same_moment_in_another_zone_but_another_zone(zone: str) -> None:
    elsewhere = {"dateTime": wall_clock(instant(TWICE["dateTime"], TWICE["timeZone"]), zone), "timeZone": zone}
    assert agrees("start", elsewhere, TWICE)
    assert agrees("start", TWICE, elsewhere) == (zone == "UTC")


def test_the_last_moment_of_the_calendar_is_left_to_exchange() -> None:
    late = {"dateTime": "9999-12-31T23:30:00", "timeZone": "UTC"}
    assert changed(Intent(set={"end": late}), an_event())["end"] == late


def a_series(**span: Json) -> Json:
    return {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd", **span}}


@pytest.mark.parametrize(
    ("recurrence", "start"),
    [
        (a_series(startDate="2026-11-24"), at(0, day=24)),
        (a_series(startDate="2026-11-24", recurrenceTimeZone="Europe/Vienna"), at(0, day=24)),
        (a_series(startDate="2026-11-23"), at(23, zone="UTC")),
        (a_series(startDate="2026-11-24", recurrenceTimeZone="UTC"), at(23, zone="UTC")),
    ],
    ids=["its day", "its zone", "the day in UTC", "the zone UTC"],
)
def test_a_series_that_is_asked_for_begins_on_the_day_and_in_the_zone_that_it_names(
    recurrence: Json, start: Json
) -> None:
    intent = Intent(set={"start": at(23, zone="UTC"), "recurrence": recurrence})
    assert changed(intent, an_event())["start"] == start


def test_a_series_that_is_asked_for_without_a_start_begins_with_the_event() -> None:
    recurrence = a_series(startDate="2026-11-23")
    assert changed(Intent(set={"recurrence": recurrence}), an_event()) == {"recurrence": recurrence}


def test_a_series_that_is_asked_for_begins_in_utc_where_the_zone_of_the_event_has_no_name() -> None:
    event = an_event(start=at(8, zone="UTC") | {OWN_ZONE: UNNAMED})
    intent = Intent(set={"start": at(9, zone="UTC"), "recurrence": a_series(startDate="2026-11-23")})
    assert changed(intent, event)["start"] == at(9, zone="UTC")


def test_start_and_end_go_together() -> None:
    assert changed(Intent(set={"start": at(8)}), an_event()) == {"start": at(8), "end": at(10)}
    assert changed(Intent(shift={"end": "PT1H"}), an_event()) == {"start": at(9), "end": at(11)}


def test_a_shift_keeps_the_zone() -> None:
    tokyo = "Tokyo Standard Time"
    event = an_event(start=at(23, zone=tokyo), end=at(23, zone=tokyo))
    assert changed(Intent(shift={"start": "PT2H", "end": "PT2H"}), event)["start"] == at(1, 24, tokyo)


def weekly(*days: str, first: str) -> Json:
    span = {"type": "noEnd", "startDate": first, "recurrenceTimeZone": "W. Europe Standard Time"}
    return {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": list(days)}, "range": span}


@pytest.mark.parametrize(
    ("by", "days", "becomes", "first"),
    [
        ("P1D", ["monday"], ["tuesday"], "2026-11-24"),
        ("P2D", ["monday", "wednesday"], ["wednesday", "friday"], "2026-11-25"),
        ("P1D", ["monday", "tuesday", "friday"], ["tuesday", "wednesday", "saturday"], "2026-11-24"),
        ("-P1W", ["monday", "wednesday"], ["monday", "wednesday"], "2026-11-16"),
    ],
)
def test_a_shift_moves_all_meetings_of_a_series(by: str, days: list[str], becomes: list[str], first: str) -> None:
    event = an_event(recurrence=weekly(*days, first="2026-11-23"))
    found = changed(Intent(shift={"start": by, "end": by}), event)
    assert found["recurrence"] == weekly(*becomes, first=first)
    assert found["start"]["dateTime"][:10] == first


def test_a_series_stays_on_its_days_where_a_shift_leaves_the_first_there_or_its_recurrence_is_named() -> None:
    event = an_event(recurrence=weekly("monday", "tuesday", first="2026-11-23"))
    assert changed(Intent(shift={"start": "PT1H", "end": "PT1H"}), event).keys() == {"start", "end"}
    named = weekly("tuesday", first="2026-11-24")
    asked = Intent(shift={"start": "P1D", "end": "P1D"}, set={"recurrence": named})
    assert changed(asked, event)["recurrence"] == named


def test_of_a_series_whose_days_are_not_known_a_shift_says_nothing_but_the_times() -> None:
    event = an_event(recurrence=weekly("monday", first="2026-11-23"), start=at(20, zone="UTC") | {OWN_ZONE: UNNAMED})
    assert changed(Intent(shift={"start": "PT9H", "end": "PT9H"}), event).keys() == {"start", "end"}


@pytest.mark.parametrize("by", ["P1D", "-P1W", "P1DT1H"])
def test_days_are_not_added_where_nobody_can_say_when_the_clocks_change(by: str) -> None:
    event = an_event(start=at(9, zone="UTC") | {OWN_ZONE: UNNAMED}, end=at(10, zone="UTC") | {OWN_ZONE: UNNAMED})
    with pytest.raises(ValueError, match=r"start: .* zone that is not known: .*, or shift by hours"):
        changed(Intent(shift={"start": by, "end": by}), event)
    later = changed(Intent(shift={"start": "PT24H", "end": "PT24H"}), event)
    assert later["start"] == at(9, 24, "UTC") | {OWN_ZONE: UNNAMED}


def test_what_is_not_there_cannot_be_moved() -> None:
    with pytest.raises(ValueError, match="start: the event has none"):
        changed(Intent(shift={"start": "PT1H", "end": "PT1H"}), an_event(start=None))


def test_a_shift_over_a_recurrence_that_somebody_else_changed_is_a_conflict() -> None:
    base, now = (an_event(recurrence=weekly(day, first="2026-11-23")) for day in ("monday", "sunday"))
    intent = Intent(shift={"start": "P1D", "end": "P1D"})
    assert [name for name, *_ in clashing(intent, now, base)] == ["recurrence"]


@pytest.mark.parametrize("mode", MODES)
def test_what_is_expected_and_holds_not_is_a_conflict_in_every_mode(mode: ConflictResolution) -> None:
    intent = Intent(set={"subject": "Moved"}, expect={"subject": "Standup", "importance": "normal"})
    assert clashing(intent, an_event(), None, mode) == [("subject", "Standup", "Team building", "Moved")]


@pytest.mark.parametrize("mode", MODES)
def test_what_is_expected_and_holds_is_no_conflict(mode: ConflictResolution) -> None:
    assert changed(Intent(set={"subject": "Moved"}, expect={"subject": "Team building"}), an_event(), None, mode)


def test_the_same_property_changed_by_both_is_a_conflict_that_names_all_three() -> None:
    base, now = an_event(), an_event(subject="Cancelled?")
    assert clashing(Intent(set={"subject": "Moved"}), now, base) == [
        ("subject", "Team building", "Cancelled?", "Moved")
    ]


def test_always_overwrite_overwrites() -> None:
    base, now = an_event(), an_event(subject="Cancelled?")
    assert changed(Intent(set={"subject": "Moved"}), now, base, "alwaysOverwrite") == {"subject": "Moved"}


def test_never_overwrite_minds_a_change_of_anything_that_was_read() -> None:
    base, now = an_event(), an_event(importance="high")
    assert clashing(Intent(set={"subject": "Moved"}), now, base, "neverOverwrite") == [
        ("importance", "normal", "high", None)
    ]
    assert changed(Intent(set={"subject": "Moved"}), now, base) == {"subject": "Moved"}


@pytest.mark.parametrize(("wanted", "now"), [({"a": 1}, {"a": 1}), (None, None)], ids=["written", "deleted"])
def test_never_overwrite_minds_no_extension_that_an_earlier_attempt_has_written(wanted: Json, now: Json) -> None:
    base = an_event(**{f"{EXTENSION}x": {"a": 0}})
    intent = Intent(set={f"{EXTENSION}x": wanted, "subject": "Moved"})
    assert changed(intent, {**base, f"{EXTENSION}x": now}, base, "neverOverwrite") == {"subject": "Moved"}
    clashes = clashing(intent, {**base, f"{EXTENSION}x": {"a": 2}}, base, "neverOverwrite")
    assert [clash[0] for clash in clashes] == [f"{EXTENSION}x"]


def test_never_overwrite_minds_our_change_of_the_event_itself_by_somebody_else() -> None:
    base, now = an_event(), an_event(subject="Moved")
    intent = Intent(set={"subject": "Moved", "importance": "high"})
    assert [clash[0] for clash in clashing(intent, now, base, "neverOverwrite")] == ["subject"]


@pytest.mark.parametrize("mode", MODES)
def test_a_reply_of_an_attendee_is_no_change_of_content(mode: ConflictResolution) -> None:
    now = an_event(attendees=[attendee("Ann", status={"response": "declined"}), attendee("ben", "optional")])
    assert changed(Intent(set={"subject": "Moved"}), now, an_event(), mode) == {"subject": "Moved"}


@pytest.mark.parametrize("mode", MODES)
def test_when_somebody_made_our_change_there_is_nothing_to_do(mode: ConflictResolution) -> None:
    now = an_event(subject="Moved")
    assert changed(Intent(set={"subject": "Moved"}), now, an_event(), mode) == {}


def test_members_that_both_added_are_kept_together() -> None:
    base = an_event()
    now = an_event(attendees=[*base["attendees"], attendee("Dora")], categories=["Red", "Green"])
    written = changed(Intent(append={"attendees": [attendee("Cleo")]}, remove={"categories": ["red"]}), now, base)
    assert [one["emailAddress"]["name"] for one in written["attendees"]] == ["Ann", "ben", "Dora", "Cleo"]
    assert written["categories"] == ["Green"]


def test_a_whole_list_set_by_both_is_a_conflict() -> None:
    base, now = an_event(), an_event(categories=["Red", "Green"])
    assert [clash[0] for clash in clashing(Intent(set={"categories": ["Red"]}), now, base)] == ["categories"]


@pytest.mark.parametrize(
    ("intent", "moved"),
    [
        (Intent(set={"start": at(8)}), {"end": at(11)}),
        (Intent(set={"end": at(12)}), {"isAllDay": True}),
        (Intent(shift={"start": "PT1H", "end": "PT1H"}), {"start": at(7)}),
        (Intent(set={"location": {"displayName": "Hall"}}), {"locations": [{"displayName": "Roof"}]}),
    ],
)
def test_what_belongs_together_conflicts_together(intent: Intent, moved: dict[str, Json]) -> None:
    assert clashing(intent, an_event(**moved), an_event())


def test_a_conflict_names_what_somebody_else_changed_and_not_only_what_goes_with_it() -> None:
    base, ours = an_event(), Intent(set={"start": at(8)})
    assert clashing(ours, an_event(end=at(11)), base) == [("end", at(10), at(11), at(10))]
    assert clashing(ours, an_event(start=at(7), end=at(11)), base) == [
        ("end", at(10), at(11), at(10)),
        ("start", at(9), at(7), at(8)),
    ]


def test_a_detail_that_somebody_added_to_the_location_is_not_trampled() -> None:
    now = an_event(location={"displayName": "Lobby", "locationType": "default", "address": {"city": "Wien"}})
    assert clashing(Intent(set={"location": {"displayName": "Hall"}}), now, an_event())
    base = an_event(location={})
    assert clashing(Intent(set={"location": {"displayName": "Hall"}}), an_event(), base)


@pytest.mark.parametrize(
    ("intent", "mode", "kind", "needed"),
    [
        (Intent(set={"subject": "x"}), "autoResolve", "graph", {"subject", "attendees"}),
        (Intent(set={"isAllDay": True}), "autoResolve", "ews", {"isAllDay", "start", "end", "attendees"}),
        (Intent(shift={"end": "PT1H"}), "autoResolve", "ews", {"isAllDay", "start", "end", "attendees"}),
        (Intent(set={"location": None}), "autoResolve", "graph", {"location", "locations", "attendees"}),
        (Intent(set={"location": None}), "autoResolve", "ews", {"location", "attendees"}),
        (
            Intent(set={"subject": "x"}, expect={"showAs": "oof"}),
            "autoResolve",
            "ews",
            {"subject", "showAs", "attendees"},
        ),
        (Intent(set={"subject": "x"}), "neverOverwrite", "ews", {*WATCHED, "responseRequested"}),
        (Intent(set={"subject": "x"}), "neverOverwrite", "graph", PROPERTIES.keys()),
    ],
)
def test_what_is_read_is_what_is_needed_to_decide(
    intent: Intent, mode: ConflictResolution, kind: BackendKind, needed: set[str]
) -> None:
    assert properties_needed(intent, mode, kind) == needed | {"recurrence"}


def test_a_change_of_the_other_location_property_is_seen_with_what_is_read() -> None:
    intent = Intent(set={"location": {"displayName": "Hall"}})
    read = properties_needed(intent, "autoResolve", "graph")
    base, now = an_event(), an_event(locations=[{"displayName": "Roof"}])
    seen = plan(intent, {name: now[name] for name in read}, {name: base[name] for name in read}, "autoResolve")
    assert isinstance(seen, Conflict)


def test_what_is_wanted_does_not_touch_what_it_was_given() -> None:
    event = an_event()
    desired(Intent(append={"attendees": [attendee("Cleo")], "body": "x"}, shift={"start": "P1D"}), event)
    assert event == an_event()
