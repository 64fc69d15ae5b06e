from __future__ import annotations

from collections.abc import Mapping

import pytest

from workers.event.patch import Changes, plan
from workers.event.whole_days import by_date, in_zone_of
from workers.update import Intent, Json


def days(start: str, end: str, zone: str) -> dict[str, Json]:
    return {"start": midnight(start, zone), "end": midnight(end, zone)}


def midnight(day: str, zone: str) -> dict[str, str]:
    return {"dateTime": f"{day}T00:00:00", "timeZone": zone}


STANDS: Mapping[str, Json] = {"isAllDay": True, "subject": "Fair", **days("2026-12-01", "2026-12-02", "UTC")}
SAME = days("2026-12-01", "2026-12-02", "Pacific Standard Time")


@pytest.mark.parametrize(("kind", "is_same"), [("graph", True), ("ews", False)])
def test_a_midnight_in_another_zone_is_the_same_day_where_zones_of_days_say_nothing(kind: str, is_same: bool) -> None:
    assert (plan(by_date(Intent(set=SAME), STANDS, kind), STANDS, None, "alwaysOverwrite") == Changes({})) is is_same


def test_an_event_with_hours_is_left_as_it_was_asked_for() -> None:
    hours = {**STANDS, "isAllDay": False}
    assert in_zone_of(SAME, hours, "graph") == SAME
    assert by_date(Intent(set=SAME), hours, "graph") == Intent(set=SAME)


@pytest.mark.parametrize("which", ["only_where", "or_where"])
def test_days_that_must_stand_or_may_stand_are_dates_too(which: str) -> None:
    other, there = days("2026-11-01", "2026-11-02", "UTC"), {name: [value] for name, value in SAME.items()}
    held = {"only_where": SAME} if which == "only_where" else {"only_where": other, "or_where": there}
    asked = Intent(set=days("2027-01-01", "2027-01-02", "UTC"), **held)
    changes = plan(by_date(asked, STANDS, "graph"), STANDS, None, "alwaysOverwrite")
    assert isinstance(changes, Changes)
    assert changes.values.keys() == {"start", "end"}, "nobody changed them meanwhile"
