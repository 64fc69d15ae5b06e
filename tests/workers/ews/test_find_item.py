from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.workers.ews.reference import assert_valid_body, needs_reference
from workers.ews.fields import moment_of
from workers.ews.find_item import Found, build, read
from workers.ews.soap import Answer, NotAnAnswer, answers, find

NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)
SHELL = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Body><m:FindItemResponse>'
    '<m:ResponseMessages><m:FindItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
    '<m:RootFolder TotalItemsInView="1"><t:Items>{}</t:Items></m:RootFolder></m:FindItemResponseMessage>'
    "</m:ResponseMessages></m:FindItemResponse></s:Body></s:Envelope>"
)
MEETING = (
    '<t:CalendarItem><t:ItemId Id="AAMkO=" ChangeKey="DwAAAB=="/><t:UID>040000</t:UID>'
    "<t:Start>2026-12-01T09:00:00Z</t:Start><t:CalendarItemType>Occurrence</t:CalendarItemType></t:CalendarItem>"
)


def answer(items: str) -> Answer:
    return answers(SHELL.format(items).encode())[0]


def test_the_view_is_of_the_moment_in_its_calendar() -> None:
    request = build("AAMkFolder=", NINE)
    view, folder = find(request, "m:CalendarView"), find(request, "m:ParentFolderIds/t:FolderId")
    assert view is not None and dict(view.attrib) == {
        "StartDate": "2026-12-01T08:59:00Z",
        "EndDate": "2026-12-01T09:01:00Z",
    }
    assert folder is not None and folder.get("Id") == "AAMkFolder="


@needs_reference
def test_the_request_is_valid_by_microsofts_schema() -> None:
    assert_valid_body(build("AAMkFolder=", NINE))


def test_what_is_there_is_read() -> None:
    assert read(answer(MEETING)) == (Found("AAMkO=", "040000", NINE, "Occurrence"),)


def test_nothing_there_is_an_answer() -> None:
    assert read(answer("")) == ()


@pytest.mark.parametrize("text", ["2026-12-01T09:00:00Z", "2026-12-01T09:00:00", "2026-12-01T01:00:00-08:00"])
def test_a_moment_is_the_same_however_it_is_spelled(text: str) -> None:
    assert moment_of(text) == NINE
    assert moment_of(text).astimezone(timezone(timedelta(hours=1))).hour == 10


@pytest.mark.parametrize("items", [MEETING.replace("2026-12-01T09:00:00Z", "soon"), "<t:CalendarItem/>"])
def test_a_meeting_that_cannot_be_read_is_no_answer(items: str) -> None:
    with pytest.raises(NotAnAnswer):
        read(
            answer(
                items.replace(
                    "<t:CalendarItem/>", "<t:CalendarItem><t:Start>2026-12-01T09:00:00Z</t:Start></t:CalendarItem>"
                )
            )
        )


def test_a_success_without_items_is_no_answer() -> None:
    with pytest.raises(NotAnAnswer):
        read(Answer("Success", "NoError"))
