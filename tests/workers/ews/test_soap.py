from __future__ import annotations

import pytest
from lxml import etree

from tests.workers.ews.reference import SAMPLES, assert_valid, needs_reference
from workers.ews.soap import (
    Answer,
    Header,
    NotAnAnswer,
    Unwritable,
    answers,
    element,
    envelope,
    find,
    parse,
    qualified,
    text_of,
)

GET_ITEM = element(
    "m:GetItem",
    element("m:ItemShape", element("t:BaseShape", "IdOnly")),
    element("m:ItemIds", element("t:ItemId", Id="AAMk=")),
)


def test_an_envelope_has_its_headers_in_the_order_of_the_wsdl() -> None:
    root = etree.fromstring(envelope(Header("Exchange2013_SP1", "anna@contoso.com", "UTC"), GET_ITEM))
    header = find(root, "s:Header")
    assert header is not None
    names = [etree.QName(part).localname for part in header]
    assert names == ["ExchangeImpersonation", "RequestServerVersion", "TimeZoneContext"]
    assert text_of(header, "t:ExchangeImpersonation/t:ConnectingSID/t:PrimarySmtpAddress") == "anna@contoso.com"


def test_an_envelope_without_impersonation_or_zone_has_neither() -> None:
    sent = envelope(Header("Exchange2007_SP1"), GET_ITEM)
    assert b"ExchangeImpersonation" not in sent
    assert b"TimeZoneContext" not in sent


@needs_reference
def test_an_envelope_is_valid_by_microsofts_schema() -> None:
    assert_valid(envelope(Header("Exchange2013_SP1", "anna@contoso.com", "Pacific Standard Time"), GET_ITEM))


@pytest.mark.parametrize("text", ["a\0b", "\x0b", "\ud800", "\udfff", "\ufffe", "\uffff"])
def test_text_that_xml_cannot_hold_is_refused_with_its_code_point(text: str) -> None:
    with pytest.raises(Unwritable, match=r"U\+[0-9A-F]{4}"):
        element("t:Subject", text)
    with pytest.raises(Unwritable):
        element("t:ItemId", Id=text)


def test_text_survives_the_wire_with_line_ends_and_markup() -> None:
    text = "a\r\nb\rc\nd\te <&>\"' \U0001f4c5 ä"
    assert parse(etree.tostring(element("t:Subject", text))).text == text


SHELL = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Body>{}</s:Body></s:Envelope>'
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"\0\1\2",
        b"not xml",
        b"<html><body>Server Error in '/EWS' Application</body></html>",
        SHELL.format("").encode(),
        SHELL.format("<m:UpdateItemResponse/>").encode(),
        SHELL.format("<m:R><m:M ResponseClass='Success'>").encode()[:-30],
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + SHELL.format("<s:Fault><faultstring>&a;</faultstring></s:Fault>").encode(),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + SHELL.format("<s:Fault/>").encode(),
        ("\ufeff" + SHELL.format("<s:Fault/>")).encode("utf-16")[:-4],
    ],
    ids=["empty", "blank", "binary", "text", "html", "no body", "no message", "truncated", "entity", "dtd", "utf-16"],
)
def test_what_is_no_answer_is_called_so(body: bytes) -> None:
    with pytest.raises(NotAnAnswer):
        answers(body)


def test_entities_are_never_expanded() -> None:
    laughs = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>'
    with pytest.raises(NotAnAnswer, match="DOCTYPE"):
        parse(laughs)


def test_entities_are_not_multiplied_within_an_attribute() -> None:
    levels = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 8))
    with pytest.raises(NotAnAnswer):
        parse(f'<!DOCTYPE l [<!ENTITY e0 "{"ha" * 50}">{levels}]><l a="&e7;"/>'.encode())


def test_a_text_may_be_as_long_as_an_answer() -> None:
    assert len(parse(b"<a>" + b"x" * 10_000_001 + b"</a>").text or "") == 10_000_001


def test_an_escaped_control_character_does_not_make_an_event_unreadable() -> None:
    root = parse(b"<a>one&#x1;two&#11;&#x41;&#xD800;&#x110000;</a>")
    assert root.text == "one\ufffdtwo\ufffdA\ufffd\ufffd"


def test_a_fault_without_anything_in_it_is_a_fault() -> None:
    assert answers(SHELL.format("<s:Fault/>").encode()) == (Answer("Fault", ""),)


def test_the_path_to_blame_is_read() -> None:
    body = SHELL.format(
        "<m:R><m:M ResponseClass='Error'><m:ResponseCode>ErrorInvalidPropertySet</m:ResponseCode>"
        "<m:MessageXml><t:FieldURI FieldURI='calendar:IsOrganizer'/></m:MessageXml></m:M></m:R>"
    )
    assert answers(body.encode())[0].values == {"Path": "calendar:IsOrganizer"}


def test_names_are_qualified() -> None:
    assert qualified("t:ItemId") == "{http://schemas.microsoft.com/exchange/services/2006/types}ItemId"


def _codes(name: str) -> list[tuple[str, str]] | str:
    try:
        return [(answer.kind, answer.code) for answer in answers((SAMPLES / f"{name}.xml").read_bytes())]
    except NotAnAnswer:
        return "no answer"


@needs_reference
def test_every_sample_is_read_as_what_its_index_says() -> None:
    rows = [line.split("\t") for line in (SAMPLES / "INDEX.tsv").read_text("utf-8").splitlines()[1:]]
    assert len(rows) == len(list(SAMPLES.glob("*.xml")))
    for name, _, _, kind in rows:
        read = _codes(name)
        if kind == "request":
            assert read == "no answer", name
            continue
        assert isinstance(read, list) and read, name
        if kind == "fault":
            assert [found for found, _ in read] == ["Fault"], name
        for found, code in read:
            assert (found == "Success") == (code == "NoError"), name


@needs_reference
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("constructed-success-response", [("Success", "NoError")]),
        ("constructed-batch-mixed-response", [("Success", "NoError"), ("Error", "ErrorIrresolvableConflict")]),
        ("exchangelib-0-ErrorInternalServerError", [("Error", "ErrorInternalServerError")]),
        ("exchangelib-2-ErrorServerBusy", [("Fault", "ErrorServerBusy")]),
        ("exchangelib-3-ErrorSchemaValidation", [("Fault", "ErrorSchemaValidation")]),
        ("exchangelib-7-x", [("Fault", "")]),
        ("msdocs-getuseroofsettings-operation-2-fault", [("Fault", "")]),
        ("msdocs-updateitem-operation-contact-3-fault", [("Fault", "ErrorSchemaValidation")]),
        ("thunderbird-soap-2-ErrorExceededConnectionCount", [("Fault", "ErrorExceededConnectionCount")]),
    ],
)
def test_a_sample_has_its_code(name: str, expected: list[tuple[str, str]]) -> None:
    assert (_codes(name)[: len(expected)]) == expected
