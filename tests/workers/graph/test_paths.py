import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.exchange import Refused
from workers.graph import exchange_ids, supported_time_zones
from workers.graph.paths import event_path, extension_path
from workers.update import Target

DOCUMENTED = Path(__file__).resolve().parents[3] / "../shared/reference/graph/paths.json"

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


FORMS: list[Where] = [
    *[owner | calendar for owner in (ME, ANNA) for calendar in ({}, DEFAULT, BY_ID, BY_ID | {"calendar_group": "cg"})],
    GROUP,
    GROUP | DEFAULT,
]
EVENT = "{event}"
OWNER = "/me|/users/{id}"


@pytest.mark.skipif(not DOCUMENTED.is_file(), reason="the reference material is not beside this checkout")
def test_every_path_of_microsofts_page_is_among_ours() -> None:
    ours = {event_path(Target(backend="cloud", event="e1", **where)).lower() for where in FORMS}
    documented = {one["path"] for one in json.loads(DOCUMENTED.read_text())["patch_event"]}
    assert {_filled(path) for path in documented} <= ours


@pytest.mark.skipif(not DOCUMENTED.is_file(), reason="the reference material is not beside this checkout")
def test_the_other_resources_are_where_microsoft_has_them() -> None:
    target = Target(backend="cloud", event="e1", **ME)
    documented = {one["path"].partition("(")[0] for one in json.loads(DOCUMENTED.read_text())["extra"]}
    assert extension_path(target, "x").replace(event_path(target), EVENT) == f"{EVENT}/extensions/x"
    assert f"{EVENT}/extensions/{{extensionName}}" in documented
    for path in (exchange_ids.path(target), supported_time_zones.path(target)):
        assert path.replace("/me", OWNER) in documented


def _filled(path: str) -> str:
    names = {"eventId": "e1", "calendarId": "c1", "calendarGroupId": "cg", "groupId": "g1"}
    for name, value in {**names, "id|userPrincipalName": "anna@contoso.com"}.items():
        path = path.replace(f"{{{name}}}", value)
    return path.lower()


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
