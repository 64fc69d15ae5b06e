from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.exchange import Refused
from workers.graph.paths import event_path
from workers.update import Target

Where = dict[str, Any]
ANNA: Where = {"mailbox": "anna@contoso.com"}
ME: Where = {"mailbox": "me"}
GROUP: Where = {"group": "g1"}
BY_ID: Where = {"calendar": "c1"}
DEFAULT: Where = {"calendar": "default"}


@pytest.mark.parametrize(
    ("where", "path"),
    [
        (ME, "/me/events/e1"),
        (ANNA, "/users/anna@contoso.com/events/e1"),
        (GROUP, "/groups/g1/events/e1"),
        (ME | DEFAULT, "/me/calendar/events/e1"),
        (ANNA | DEFAULT, "/users/anna@contoso.com/calendar/events/e1"),
        (GROUP | DEFAULT, "/groups/g1/calendar/events/e1"),
        (ME | BY_ID, "/me/calendars/c1/events/e1"),
        (ANNA | BY_ID, "/users/anna@contoso.com/calendars/c1/events/e1"),
        (ME | BY_ID | {"calendar_group": "default"}, "/me/calendargroup/calendars/c1/events/e1"),
        (
            ANNA | BY_ID | {"calendar_group": "default"},
            "/users/anna@contoso.com/calendargroup/calendars/c1/events/e1",
        ),
        (ME | BY_ID | {"calendar_group": "cg"}, "/me/calendargroups/cg/calendars/c1/events/e1"),
        (
            ANNA | BY_ID | {"calendar_group": "cg"},
            "/users/anna@contoso.com/calendargroups/cg/calendars/c1/events/e1",
        ),
    ],
)
def test_every_documented_path_is_reachable(where: Where, path: str) -> None:
    assert event_path(Target(backend="cloud", event="e1", **where)) == path


def test_me_is_me_in_any_case() -> None:
    assert event_path(Target(backend="cloud", event="e1", mailbox="Me")) == "/me/events/e1"


def test_an_id_with_slashes_stays_one_segment_up_to_the_wire() -> None:
    path = event_path(Target(backend="cloud", event="AAMk/+a=?#%2F", mailbox="x#EXT#@contoso.com"))
    raw = httpx.URL(f"https://graph.example/v1.0{path}").raw_path.decode()
    assert [unquote(part) for part in raw.split("/")[3:]] == ["x#EXT#@contoso.com", "events", "AAMk/+a=?#%2F"]


@given(st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_any_id_survives(identifier: str) -> None:
    path = event_path(Target(backend="cloud", event=identifier, group=identifier, calendar=f"c{identifier}"))
    assert [unquote(part) for part in path.split("/")] == [
        "", "groups", identifier, "calendars", f"c{identifier}", "events", identifier,
    ]  # fmt: skip


@pytest.mark.parametrize("identifier", ["", ".", "..", "\ud800"])
def test_an_id_that_would_address_something_else_is_refused(identifier: str) -> None:
    with pytest.raises(Refused, match=r"target\.event"):
        event_path(Target(backend="cloud", event=identifier, mailbox="anna@contoso.com"))


@pytest.mark.parametrize("calendar", [None, "default"])
def test_a_calendar_group_needs_a_calendar_by_id(calendar: str | None) -> None:
    with pytest.raises(Refused, match=r"target\.calendar"):
        event_path(Target(backend="cloud", event="e1", calendar=calendar, calendar_group="cg", **ANNA))
