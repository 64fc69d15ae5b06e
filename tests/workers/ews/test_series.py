from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.workers.ews.reference import assert_valid_body, needs_reference
from tests.workers.ews.test_get_item import SHELL
from workers.ews.find_item import Found
from workers.ews.series import Series, build, meeting_at, moment_asked, read
from workers.ews.soap import Answer, NotAnAnswer, answers
from workers.exchange import Refused
from workers.update import Occurrence

NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)
MASTER = (
    '<t:CalendarItem><t:ItemId Id="AAMk=" ChangeKey="DwAAAB=="/><t:ParentFolderId Id="AAMkFolder=" ChangeKey="AQ=="/>'
    "<t:UID>040000</t:UID><t:CalendarItemType>RecurringMaster</t:CalendarItemType><t:ModifiedOccurrences>"
    '<t:Occurrence><t:ItemId Id="AAMkE=" ChangeKey="DwAAAB=="/><t:Start>2026-12-02T15:00:00Z</t:Start>'
    "<t:End>2026-12-02T16:00:00Z</t:End><t:OriginalStart>2026-12-01T09:00:00Z</t:OriginalStart></t:Occurrence>"
    "</t:ModifiedOccurrences></t:CalendarItem>"
)


def answer(items: str) -> Answer:
    return answers(SHELL.format(items).encode())[0]


def test_a_master_tells_its_calendar_and_where_its_exceptions_were_to_be() -> None:
    assert read(answer(MASTER)) == Series("040000", "AAMkFolder=", {NINE: "AAMkE="})


@pytest.mark.parametrize("kind", ["Single", "Occurrence", "Exception"])
def test_an_item_that_is_no_master_is_refused(kind: str) -> None:
    with pytest.raises(Refused, match=f"names {kind}, not the master of a series"):
        read(answer(MASTER.replace("RecurringMaster", kind)))


@pytest.mark.parametrize("gone", ["<t:UID>040000</t:UID>", '<t:ParentFolderId Id="AAMkFolder=" ChangeKey="AQ=="/>'])
def test_a_master_that_tells_too_little_is_no_answer(gone: str) -> None:
    with pytest.raises(NotAnAnswer):
        read(answer(MASTER.replace(gone, "")))


def test_an_exception_that_cannot_be_read_is_no_answer() -> None:
    with pytest.raises(NotAnAnswer):
        read(answer(MASTER.replace("2026-12-01T09:00:00Z", "soon")))


@needs_reference
def test_the_request_is_valid_by_microsofts_schema() -> None:
    assert_valid_body(build("AAMk="))


SERIES = Series("040000", "AAMkFolder=", {})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Found("AAMkO=", "040000", NINE, "Occurrence"), "AAMkO="),
        (Found("AAMkO=", "other", NINE, "Occurrence"), None),
        (Found("AAMkO=", "040000", NINE.replace(minute=30), "Occurrence"), None),
        # It was moved here: the one that was to start now is another.
        (Found("AAMkO=", "040000", NINE, "Exception"), None),
    ],
)
def test_a_meeting_is_the_one_of_this_series_that_was_to_start_then(found: Found, expected: str | None) -> None:
    assert meeting_at(SERIES, NINE, [found]) == expected


@pytest.mark.parametrize("start", ["2026-12-01T09:00:00Z", "2026-12-01t10:00:00.25+01:00"])
def test_a_start_is_a_moment(start: str) -> None:
    assert moment_asked(Occurrence(start=start)) == NINE


@pytest.mark.parametrize("start", ["soon", "", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_a_start_that_is_no_moment_is_refused(start: str) -> None:
    with pytest.raises(Refused, match=r"target\.occurrence\.start"):
        moment_asked(Occurrence(start=start))
