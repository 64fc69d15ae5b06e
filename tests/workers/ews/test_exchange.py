from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from lxml import etree

from tests.workers.ews.reference import assert_valid, needs_reference
from tests.workers.ews.server import backend
from workers.ews import EwsExchange
from workers.ews.soap import find, text_of
from workers.exchange import Event, Exchange, Patch, Refused, Throttled, Unavailable, Unknown, VersionMoved
from workers.update import Target

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
    return EwsExchange(backend("https://mail.hq.example/EWS/Exchange.asmx", **settings), httpx.MockTransport(recorder))


def test_it_is_what_a_backend_promises() -> None:
    seam: Exchange = exchange(Recorder())
    seam.close()


def test_an_event_is_read() -> None:
    event = exchange(Recorder(GetItem=item("DwAAAC=="))).read(TARGET, ["subject"])
    assert event == Event("AAMk2=", "DwAAAC==", False, (), {"subject": "Dinner"})


def test_a_write_is_read_back_and_has_the_newest_version() -> None:
    recorder = Recorder(UpdateItem=item("DwAAAC=="), GetItem=item("DwAAAD=="))
    written = exchange(recorder).write(TARGET, EVENT, PATCH)
    assert (written.version, written.request_id) == ("DwAAAD==", "r-1")
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
        (httpx.ConnectError("gone"), Unavailable),
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
