"""Who is mailed about a write."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workers.events import an_event, attendee
from workers.event.invitations import check_limit, choose, mails, recipients
from workers.event.properties import EXTENSION
from workers.exchange import Event, Refused
from workers.update import BackendKind, Json, SendInvitations

MODES = ("sendToNone", "sendOnlyToAll", "sendOnlyToChanged", "sendToAllAndSaveCopy", "sendToChangedAndSaveCopy")
SUBJECT = {"subject": "Moved"}
CLEO = {"attendees": [attendee("Cleo")]}


def event(*, is_meeting: bool = True, **properties: Json) -> Event:
    known = an_event(**properties) if is_meeting else an_event(attendees=[], **properties)
    return Event("id", "v1", is_meeting, (), known)


@pytest.mark.parametrize("kind", ["ews", "graph"])
@pytest.mark.parametrize("asked", ["auto", *MODES])
def test_nobody_is_mailed_about_an_appointment(asked: SendInvitations, kind: BackendKind) -> None:
    assert choose(asked, event(is_meeting=False), SUBJECT, kind) == "sendToNone"


def test_auto_mails_everybody_of_a_meeting() -> None:
    assert choose("auto", event(), SUBJECT, "ews") == "sendToAllAndSaveCopy"


@pytest.mark.parametrize("asked", MODES)
def test_ews_does_as_it_is_asked(asked: SendInvitations) -> None:
    assert choose(asked, event(), SUBJECT, "ews") == asked


def test_an_appointment_that_gets_attendees_becomes_a_meeting() -> None:
    assert choose("auto", event(is_meeting=False), CLEO, "ews") == "sendToAllAndSaveCopy"
    assert choose("auto", event(is_meeting=False), {"attendees": None}, "ews") == "sendToNone"


@pytest.mark.parametrize("asked", ["auto", *MODES])
def test_nobody_is_mailed_about_what_stands_beside_the_event(asked: SendInvitations) -> None:
    desk = f"{EXTENSION}com.example.desk"
    assert choose(asked, event(), {desk: {"number": 7}}, "graph") == "sendToNone"
    assert choose("auto", event(), {desk: {"number": 7}, **SUBJECT}, "graph") == "sendToAllAndSaveCopy"


def test_graph_tells_what_it_will_do_whatever_it_is_asked() -> None:
    assert choose("auto", event(), SUBJECT, "graph") == "sendToAllAndSaveCopy"
    assert choose("sendOnlyToChanged", event(), {**SUBJECT, **CLEO}, "graph") == "sendToAllAndSaveCopy"
    assert choose("sendToAllAndSaveCopy", event(), CLEO, "graph") == "sendToChangedAndSaveCopy"


@pytest.mark.parametrize(("meeting", "changes"), [(True, SUBJECT), (False, CLEO)])
def test_graph_cannot_be_silent_about_a_meeting(meeting: bool, changes: dict[str, Json]) -> None:
    with pytest.raises(Refused, match="SendToNoneOnGraph: Graph always mails"):
        choose("sendToNone", event(is_meeting=meeting), changes, "graph")


def test_everybody_is_who_was_and_who_will_be_there() -> None:
    changes = {"attendees": [attendee("ben"), attendee("Cleo")], "subject": "x"}
    assert recipients("sendToAllAndSaveCopy", event(), changes) == {
        "ann@contoso.com", "ben@contoso.com", "cleo@contoso.com"
    }  # fmt: skip
    assert recipients("sendOnlyToAll", event(), SUBJECT) == {"ann@contoso.com", "ben@contoso.com"}


def test_the_changed_are_who_came_and_who_went() -> None:
    changes = {"attendees": [attendee("BEN"), attendee("Cleo")]}
    assert recipients("sendOnlyToChanged", event(), changes) == {"ann@contoso.com", "cleo@contoso.com"}
    assert recipients("sendToChangedAndSaveCopy", event(), {"attendees": None}) == {
        "ann@contoso.com",
        "ben@contoso.com",
    }


@pytest.mark.parametrize("mode", ["sendOnlyToChanged", "sendToChangedAndSaveCopy"])
def test_everybody_is_affected_where_not_only_attendees_change(mode: str) -> None:
    assert recipients(mode, event(), SUBJECT) == {"ann@contoso.com", "ben@contoso.com"}
    everybody = {"ann@contoso.com", "ben@contoso.com", "cleo@contoso.com"}
    assert recipients(mode, event(), {**CLEO, **SUBJECT}) == everybody


def test_an_organizer_among_the_attendees_is_not_mailed() -> None:
    organizer = {**attendee("Olga"), "status": {"response": "organizer", "time": "0001-01-01T00:00:00Z"}}
    meeting = event(attendees=[organizer, attendee("Ann")])
    assert recipients("sendToAllAndSaveCopy", meeting, SUBJECT) == {"ann@contoso.com"}
    everybody = {"attendees": [organizer, attendee("Ann"), attendee("Cleo")]}
    assert recipients("sendToChangedAndSaveCopy", meeting, everybody) == {"cleo@contoso.com"}
    assert mails(frozenset({"ann@contoso.com"}), [{"attendees": [organizer, attendee("Ann")]}]) == 2


def test_nobody_is_nobody() -> None:
    assert recipients("sendToNone", event(), CLEO) == frozenset()


@pytest.mark.parametrize(("limit", "mode"), [(None, "sendOnlyToAll"), (2, "sendOnlyToAll"), (0, "sendToNone")])
def test_a_limit_that_is_kept_is_no_matter(limit: int | None, mode: str) -> None:
    check_limit(limit, mails(recipients(mode, event(), SUBJECT)))


def test_a_limit_that_would_be_broken_refuses_the_write() -> None:
    with pytest.raises(Refused, match="2 people would be mailed, and maxRecipients is 1"):
        check_limit(1, mails(recipients("sendOnlyToAll", event(), SUBJECT)))


@pytest.mark.parametrize(
    ("people", "exceptions", "count"),
    [
        ("abc", [], 3),
        ("abc", [[attendee("ann@contoso.com"), attendee("ben@contoso.com")], [attendee("ann@contoso.com")]], 6),
        ("abc", [None], 6),
        ("", [[attendee("ann@contoso.com")]], 0),
    ],
)
def test_every_exception_of_a_series_may_cost_mails_of_its_own(people: str, exceptions: list[Any], count: int) -> None:
    assert mails(frozenset(people), [{"attendees": invited} for invited in exceptions]) == count
