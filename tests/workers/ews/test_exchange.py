from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from lxml import etree

from tests.workers.ews.reference import assert_valid, needs_reference
from tests.workers.ews.server import backend
from workers.ews.call import Caller
from workers.ews.exchange import EwsExchange
from workers.ews.get_item import EwsEvent
from workers.ews.soap import find, text_of
from workers.exchange import (
    AccessDenied,
    Away,
    Event,
    NotFound,
    Patch,
    Refused,
    Throttled,
    Unavailable,
    Unknown,
    VersionMoved,
)
from workers.update import Occurrence, Target

TARGET = Target(backend="hq", event="AAMk=", mailbox="anna@hq.example")
EVENT = Event("AAMk=", "DwAAAB==", False, (), {"subject": "Lunch"})
PATCH = Patch({"subject": "Dinner"}, "sendToNone", ("upd_1",))
SHELL = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Body><m:R><m:ResponseMessages>'
    '<m:M ResponseClass="{kind}"><m:ResponseCode>{code}</m:ResponseCode><m:Items>{items}</m:Items></m:M>'
    "</m:ResponseMessages></m:R></s:Body></s:Envelope>"
)

Answering = Callable[[str], httpx.Response]


def item(version: str, subject: str = "Dinner") -> httpx.Response:
    item_id = f'<t:ItemId Id="AAMk2=" ChangeKey="{version}"/>'
    return said(f"<t:CalendarItem>{item_id}<t:Subject>{subject}</t:Subject></t:CalendarItem>")


def said(items: str = "", code: str = "NoError", kind: str = "Success", status: int = 200) -> httpx.Response:
    body = SHELL.format(kind=kind, code=code, items=items)
    return httpx.Response(status, content=body.encode(), headers={"request-id": "r-1"})


class Recorder:
    """Answers by operation, and keeps what was sent."""

    def __init__(self, **answers: httpx.Response | Exception):
        self.answers = answers
        self.sent: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        answer = self.answers[request.headers["SOAPAction"].strip('"').rpartition("/")[2]]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def document(self, number: int) -> etree._Element:
        return etree.fromstring(self.sent[number].content)


def exchange(recorder: Recorder, **settings: object) -> EwsExchange:
    return EwsExchange(
        Caller(backend("https://mail.hq.example/EWS/Exchange.asmx", **settings), httpx.MockTransport(recorder))
    )


def test_an_event_is_read() -> None:
    event = exchange(Recorder(GetItem=item("DwAAAC=="))).read(TARGET, ["subject"])
    assert event == EwsEvent("AAMk2=", "DwAAAC==", False, (), {"subject": "Dinner"})


def test_a_write_has_the_version_that_it_made_whoever_wrote_before_it_is_read_back() -> None:
    recorder = Recorder(UpdateItem=item("DwAAAC=="), GetItem=item("DwAAAD=="))
    written = exchange(recorder).write(TARGET, EVENT, PATCH)
    assert (written.version, written.request_id) == ("DwAAAC==", "r-1")
    assert written.event is not None and written.event.properties == {"subject": "Dinner"}
    asked = recorder.document(1).find(".//{*}ItemIds/{*}ItemId")
    assert asked is not None and asked.get("Id") == "AAMk2="


@pytest.mark.parametrize(
    "answer",
    [
        said(code="ErrorItemNotFound", kind="Error"),
        said(code="ErrorServerBusy", kind="Error"),
        httpx.Response(503),
        httpx.Response(200, content=b"<html/>"),
        said(),
        httpx.ReadTimeout("gone"),
        httpx.ConnectError("gone"),
    ],
)
def test_a_read_back_that_fails_takes_nothing_back(answer: httpx.Response | Exception) -> None:
    written = exchange(Recorder(UpdateItem=item("DwAAAC=="), GetItem=answer)).write(TARGET, EVENT, PATCH)
    assert (written.version, written.event) == ("DwAAAC==", None)


def test_a_yes_without_an_id_is_a_yes_if_the_event_can_be_read() -> None:
    written = exchange(Recorder(UpdateItem=said(), GetItem=item("DwAAAD=="))).write(TARGET, EVENT, PATCH)
    assert written.version == "DwAAAD=="


def test_a_yes_without_an_id_or_a_read_back_is_in_doubt() -> None:
    with pytest.raises(Unknown) as caught:
        exchange(Recorder(UpdateItem=said(), GetItem=httpx.Response(503))).write(TARGET, EVENT, PATCH)
    assert caught.value.request_id == "r-1"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (said(code="ErrorIrresolvableConflict", kind="Error"), VersionMoved),
        (said(code="ErrorServerBusy", kind="Error", status=500), Throttled),
        (httpx.Response(504), Unknown),
        (httpx.ReadTimeout("gone"), Unknown),
        (httpx.ConnectError("gone"), Away),
    ],
)
def test_a_failed_write_is_not_read_back(answer: httpx.Response | Exception, expected: type[Exception]) -> None:
    recorder = Recorder(UpdateItem=answer)
    with pytest.raises(expected) as caught:
        exchange(recorder).write(TARGET, EVENT, PATCH)
    assert type(caught.value) is expected
    assert len(recorder.sent) == 1


def test_a_success_without_an_event_is_no_event() -> None:
    with pytest.raises(Unavailable):
        exchange(Recorder(GetItem=said())).read(TARGET, ["subject"])


def test_the_mailbox_is_impersonated_and_anchored() -> None:
    recorder = Recorder(GetItem=item("DwAAAC=="))
    exchange(recorder, impersonation=True).read(TARGET, ["subject"])
    header = find(recorder.document(0), "s:Header")
    assert header is not None
    assert text_of(header, "t:ExchangeImpersonation/t:ConnectingSID/t:PrimarySmtpAddress") == "anna@hq.example"
    assert recorder.sent[0].headers["X-AnchorMailbox"] == "anna@hq.example"


def test_without_impersonation_nobody_is_impersonated() -> None:
    recorder = Recorder(GetItem=item("DwAAAC=="))
    exchange(recorder).read(replace(TARGET, mailbox="me"), ["subject"])
    assert b"ExchangeImpersonation" not in recorder.sent[0].content
    assert "X-AnchorMailbox" not in recorder.sent[0].headers


@pytest.mark.parametrize("version", ["Exchange2007_SP1", "Exchange2010_SP2", "Exchange2016"])
def test_the_configured_version_is_asked_for(version: str) -> None:
    recorder = Recorder(GetItem=item("DwAAAC=="))
    exchange(recorder, server_version=version).read(TARGET, ["subject"])
    found = recorder.document(0).find(".//{*}RequestServerVersion")
    assert found is not None and found.get("Version") == version


def test_times_without_a_zone_are_in_that_of_the_events_start() -> None:
    recorder = Recorder(UpdateItem=item("DwAAAC=="), GetItem=item("DwAAAC=="))
    start = {"dateTime": "2026-12-01T09:00:00", "timeZone": "America/Los_Angeles"}
    exchange(recorder).write(TARGET, replace(EVENT, properties={"start": start}), PATCH)
    found = recorder.document(0).find(".//{*}TimeZoneContext/{*}TimeZoneDefinition")
    assert found is not None and found.get("Id") == "Pacific Standard Time"


def test_the_recurrence_that_went_along_with_the_start_of_a_series_is_told_of_the_write() -> None:
    span = "<t:NoEndRecurrence><t:StartDate>2026-12-02</t:StartDate></t:NoEndRecurrence>"
    pattern = "<t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence>"
    stands = f"<t:ItemId Id='AAMk2=' ChangeKey='DwAAAC=='/><t:Recurrence>{pattern}{span}</t:Recurrence>"
    recorder = Recorder(UpdateItem=item("DwAAAC=="), GetItem=said(f"<t:CalendarItem>{stands}</t:CalendarItem>"))
    daily = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd", "startDate": "2026-12-01"}}
    event = EwsEvent("AAMk=", "DwAAAB==", False, (), {"start": a_time(1), "end": a_time(1)}, "RecurringMaster", daily)
    written = exchange(recorder).write(TARGET, event, replace(PATCH, changes={"start": a_time(2), "end": a_time(2)}))
    assert written.event is not None
    assert written.event.properties["recurrence"]["range"]["startDate"] == "2026-12-02"


def a_time(day: int) -> dict[str, str]:
    return {"dateTime": f"2026-12-0{day}T09:00:00", "timeZone": "UTC"}


@needs_reference
def test_what_goes_over_the_wire_is_valid_by_microsofts_schema() -> None:
    recorder = Recorder(UpdateItem=item("DwAAAC=="), GetItem=item("DwAAAC=="))
    exchange(recorder, impersonation=True).write(TARGET, EVENT, PATCH)
    for request in recorder.sent:
        assert_valid(request.content)


@pytest.mark.parametrize(
    ("target", "impersonation", "named"),
    [
        (replace(TARGET, mailbox=None, group="g-1"), False, "target.group"),
        (replace(TARGET, mailbox="me"), True, "target.mailbox"),
        (replace(TARGET, mailbox="anna\x01@hq.example"), True, "target.mailbox"),
        (replace(TARGET, event="AA\x01"), False, "target.event"),
    ],
)
def test_a_target_that_ews_cannot_serve_is_refused_before_anything_is_sent(
    target: Target, impersonation: bool, named: str
) -> None:
    recorder = Recorder()
    with pytest.raises(Refused, match=named):
        exchange(recorder, impersonation=impersonation).read(target, ["subject"])
    assert recorder.sent == []


def test_a_value_that_xml_cannot_hold_is_refused_before_anything_is_sent() -> None:
    recorder = Recorder()
    with pytest.raises(Refused, match="subject: "):
        exchange(recorder).write(TARGET, EVENT, replace(PATCH, changes={"subject": "a\0"}))
    assert recorder.sent == []


MASTER = (
    '<t:CalendarItem><t:ItemId Id="AAMk=" ChangeKey="DwAAAB=="/><t:ParentFolderId Id="AAMkFolder=" ChangeKey="AQ=="/>'
    "<t:UID>040000</t:UID><t:CalendarItemType>{kind}</t:CalendarItemType>{exceptions}</t:CalendarItem>"
)
NINTH = replace(TARGET, occurrence=Occurrence(start="2026-12-09T09:00:00Z"))


def view(start: str = "2026-12-09T09:00:00Z") -> httpx.Response:
    found = (
        '<t:CalendarItem><t:ItemId Id="AAMkO=" ChangeKey="DwAAAB=="/><t:UID>040000</t:UID>'
        f"<t:Start>{start}</t:Start><t:CalendarItemType>Occurrence</t:CalendarItemType></t:CalendarItem>"
    )
    body = SHELL.format(kind="Success", code="NoError", items="")
    return httpx.Response(
        200,
        content=body.replace(
            "<m:Items></m:Items>", f"<m:RootFolder><t:Items>{found}</t:Items></m:RootFolder>"
        ).encode(),
    )


class Mailbox(Recorder):
    """Answers GetItem by what is asked: a master's series, or the event."""

    kind = "RecurringMaster"
    exceptions = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.answers["GetItem"] = item("DwAAAC==")
        if b"calendar:UID" in request.content:
            self.answers["GetItem"] = said(MASTER.format(kind=self.kind, exceptions=self.exceptions))
        return super().__call__(request)

    def operations(self) -> list[str]:
        return [request.headers["SOAPAction"].strip('"').rpartition("/")[2] for request in self.sent]


def test_a_meeting_of_a_series_is_found_by_its_start() -> None:
    mailbox = Mailbox(FindItem=view())
    exchange(mailbox).read(NINTH, ["subject"])
    assert mailbox.operations() == ["GetItem", "FindItem", "GetItem"]
    asked = mailbox.document(2).find(".//{*}ItemIds/{*}ItemId")
    assert asked is not None and asked.get("Id") == "AAMkO="


def test_a_meeting_that_was_moved_is_found_by_when_it_was_to_start() -> None:
    moved = (
        '<t:ModifiedOccurrences><t:Occurrence><t:ItemId Id="AAMkE=" ChangeKey="DwAAAB=="/>'
        "<t:OriginalStart>2026-12-09T09:00:00Z</t:OriginalStart></t:Occurrence></t:ModifiedOccurrences>"
    )
    mailbox = Mailbox()
    mailbox.exceptions = moved
    exchange(mailbox).read(NINTH, ["subject"])
    assert mailbox.operations() == ["GetItem", "GetItem"]
    asked = mailbox.document(1).find(".//{*}ItemIds/{*}ItemId")
    assert asked is not None and asked.get("Id") == "AAMkE="


def test_a_meeting_that_the_series_does_not_have_is_not_found() -> None:
    with pytest.raises(NotFound, match="2026-12-09T09:00:00Z"):
        exchange(Mailbox(FindItem=view("2026-12-09T09:30:00Z"))).read(NINTH, ["subject"])


def test_a_meeting_of_what_is_no_series_is_refused() -> None:
    mailbox = Mailbox()
    mailbox.kind = "Single"
    with pytest.raises(Refused, match="not the master of a series"):
        exchange(mailbox).read(NINTH, ["subject"])


DAILY = {
    "pattern": {"type": "daily", "interval": 1},
    "range": {"type": "noEnd", "startDate": "2026-12-01"},
}


@pytest.mark.parametrize("recurrence", [DAILY, None])
def test_a_meeting_named_by_its_master_has_no_recurrence_to_be_written(recurrence: Any) -> None:
    recorder = Recorder()
    with pytest.raises(Refused, match="recurrence: only the series"):
        exchange(recorder).write(NINTH, EVENT, replace(PATCH, changes={"recurrence": recurrence}))
    assert recorder.sent == []


START = {"dateTime": "2026-12-01T09:00:00", "timeZone": "Pacific Standard Time"}
STANDS = replace(EVENT, properties={"start": START, "end": START})
VIENNA = {"dateTime": "2026-12-01T09:00:00", "timeZone": "Europe/Vienna"}
ABROAD = replace(PATCH, changes={"start": VIENNA, "end": VIENNA})


def zones(*names: str) -> httpx.Response:
    known = "".join(f'<t:TimeZoneDefinition Id="{name}"/>' for name in names)
    body = SHELL.format(kind="Success", code="NoError", items="")
    return httpx.Response(
        200,
        content=body.replace("<m:Items></m:Items>", f"<m:TimeZoneDefinitions>{known}</m:TimeZoneDefinitions>").encode(),
    )


def test_a_zone_that_the_server_does_not_know_is_refused_before_the_write() -> None:
    recorder = Mailbox(GetServerTimeZones=zones())
    with pytest.raises(Refused, match=r"start\.timeZone: .*'W\. Europe Standard Time'"):
        exchange(recorder).write(TARGET, STANDS, ABROAD)
    assert recorder.operations() == ["GetServerTimeZones"]


def test_a_zone_that_the_server_knows_is_asked_for_once() -> None:
    recorder = Mailbox(GetServerTimeZones=zones("W. Europe Standard Time"), UpdateItem=item("DwAAAC=="))
    with_memory = exchange(recorder)
    for _ in range(2):
        with_memory.write(TARGET, STANDS, ABROAD)
    assert recorder.operations() == ["GetServerTimeZones", "UpdateItem", "GetItem", "UpdateItem", "GetItem"]


def test_the_zone_that_the_event_has_is_not_asked_for() -> None:
    recorder = Mailbox(UpdateItem=item("DwAAAC=="))
    moved = START | {"dateTime": "2026-12-01T10:00:00", "timeZone": "America/Los_Angeles"}
    exchange(recorder).write(TARGET, STANDS, replace(PATCH, changes={"start": START, "end": moved}))
    assert recorder.operations()[0] == "UpdateItem"


@pytest.mark.parametrize(
    "answer", [httpx.Response(500), said(code="ErrorInvalidRequest", kind="Error"), said(), httpx.ConnectError("gone")]
)
def test_a_server_that_does_not_tell_its_zones_is_written_to(answer: httpx.Response | Exception) -> None:
    recorder = Mailbox(GetServerTimeZones=answer, UpdateItem=item("DwAAAC=="))
    assert exchange(recorder).write(TARGET, STANDS, ABROAD).version == "DwAAAC=="


def test_exchange_2007_has_no_zones_to_be_asked_for() -> None:
    recorder = Mailbox(UpdateItem=item("DwAAAC=="))
    exchange(recorder, server_version="Exchange2007_SP1").write(TARGET, STANDS, ABROAD)
    assert recorder.operations()[0] == "UpdateItem"


def test_graphs_id_is_taken() -> None:
    recorder = Recorder(GetItem=item("DwAAAC=="))
    exchange(recorder).read(replace(TARGET, event="AAMk" + "Xm_jXRIyi-JP" * 10), ["subject"])
    asked = recorder.document(0).find(".//{*}ItemIds/{*}ItemId")
    assert asked is not None and asked.get("Id") == "AAMk" + "Xm+jXRIyi/JP" * 10


def test_an_entry_id_is_converted() -> None:
    body = SHELL.format(kind="Success", code="NoError", items="").replace(
        "<m:Items></m:Items>", '<m:AlternateId Id="AAMk3="/>'
    )
    recorder = Recorder(ConvertId=httpx.Response(200, content=body.encode()), GetItem=item("DwAAAC=="))
    exchange(recorder).read(replace(TARGET, event="00" * 70), ["subject"])
    asked = recorder.document(1).find(".//{*}ItemIds/{*}ItemId")
    assert asked is not None and asked.get("Id") == "AAMk3="


def test_an_entry_id_needs_an_address() -> None:
    with pytest.raises(Refused, match=r"target\.event"):
        exchange(Recorder()).read(replace(TARGET, mailbox="me", event="00" * 70), ["subject"])


@pytest.mark.parametrize("name", ["isOnlineMeeting", "locations", "extensions/com.contoso.x"])
def test_a_property_that_ews_lacks_is_refused_before_anything_is_sent(name: str) -> None:
    recorder = Recorder()
    with pytest.raises(Refused, match=name):
        exchange(recorder).read(NINTH, ["subject", name])
    assert recorder.sent == []


@pytest.mark.parametrize("answer", [httpx.Response(403), said(code="ErrorAccessDenied", kind="Error", status=403)])
def test_where_ews_is_closed_the_graph_backend_is_named(answer: httpx.Response) -> None:
    online = backend("https://outlook.office365.com/EWS/Exchange.asmx")
    closed = EwsExchange(Caller(online, httpx.MockTransport(Recorder(GetItem=answer)), instead="cloud"))
    with pytest.raises(AccessDenied, match="switched off there; let the backend 'cloud'"):
        closed.read(TARGET, ["subject"])
