from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from tests.workers.ews.reference import REFERENCE, SAMPLES, needs_reference
from workers.ews.errors import Reply, judge, malformed
from workers.ews.soap import Answer
from workers.exchange import (
    SAID_AT_MOST,
    AccessDenied,
    ExchangeError,
    MailboxNotFound,
    NotFound,
    Refused,
    Throttled,
    Unavailable,
    Unknown,
    VersionMoved,
)
from workers.exchange.doubt import Phase

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
    ' xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors"'
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Body>{}</s:Body></s:Envelope>'
)


def message(code: str, kind: str = "Error", values: Mapping[str, str] | None = None, text: str = "said") -> bytes:
    inner = "".join(f'<t:Value Name="{name}">{value}</t:Value>' for name, value in (values or {}).items())
    return ENVELOPE.format(
        f'<m:UpdateItemResponse><m:ResponseMessages><m:UpdateItemResponseMessage ResponseClass="{kind}">'
        f"<m:MessageText>{text}</m:MessageText><m:ResponseCode>{code}</m:ResponseCode>"
        f"<m:MessageXml>{inner}</m:MessageXml></m:UpdateItemResponseMessage></m:ResponseMessages>"
        "</m:UpdateItemResponse>"
    ).encode()


def fault(code: str, values: Mapping[str, str] | None = None, faultcode: str = "a:x") -> bytes:
    inner = "".join(f'<t:Value Name="{name}">{value}</t:Value>' for name, value in (values or {}).items())
    return ENVELOPE.format(
        f"<s:Fault><faultcode>{faultcode}</faultcode><faultstring>said</faultstring><detail>"
        f"<e:ResponseCode>{code}</e:ResponseCode><t:MessageXml>{inner}</t:MessageXml></detail></s:Fault>"
    ).encode()


def reply(status: int = 200, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, NOW)


def error_of(answered: Reply, phase: Phase = "write") -> ExchangeError:
    judged = judge(answered, phase)
    assert isinstance(judged, ExchangeError), judged
    return judged


@pytest.mark.parametrize(
    ("code", "in_read", "in_write"),
    [
        ("ErrorItemNotFound", NotFound, NotFound),
        ("ErrorNonExistentMailbox", MailboxNotFound, MailboxNotFound),
        ("ErrorMailboxNotFound", MailboxNotFound, MailboxNotFound),
        ("ErrorFolderNotFound", MailboxNotFound, MailboxNotFound),
        ("ErrorCalendarOccurrenceIsDeletedFromRecurrence", NotFound, NotFound),
        ("ErrorAccessDenied", AccessDenied, AccessDenied),
        ("ErrorImpersonateUserDenied", AccessDenied, AccessDenied),
        ("ErrorImpersonationFailed", AccessDenied, AccessDenied),
        ("ErrorIrresolvableConflict", Unavailable, VersionMoved),
        ("ErrorStaleObject", Unavailable, VersionMoved),
        ("ErrorChangeKeyRequiredForWriteOperations", Unavailable, VersionMoved),
        ("ErrorServerBusy", Throttled, Throttled),
        ("ErrorExceededConnectionCount", Throttled, Throttled),
        ("ErrorBatchProcessingStopped", Unavailable, Unavailable),
        ("ErrorInternalServerError", Unavailable, Unknown),
        ("ErrorInternalServerTransientError", Unavailable, Unknown),
        ("ErrorMailboxStoreUnavailable", Unavailable, Unknown),
        ("ErrorMailboxMoveInProgress", Unavailable, Unknown),
        ("ErrorTimeoutExpired", Unavailable, Unknown),
        ("ErrorSubmissionQuotaExceeded", Unavailable, Unknown),
        ("ErrorMessageSubmissionBlocked", Unavailable, Unknown),
        ("ErrorMessageBlocked", Unavailable, Unknown),
        ("ErrorExceededMessageLimit", Unavailable, Unknown),
        ("ErrorExceededMessageLimitShowTierUpgrade", Unavailable, Unknown),
        ("ErrorExceededMaxRecipientLimit", Unavailable, Unknown),
        ("ErrorExceededMaxRecipientLimitBlock", Unavailable, Unknown),
        ("ErrorExceededMaxRecipientLimitShowTierUpgrade", Unavailable, Unknown),
        ("ErrorAccountSuspend", Unavailable, Unknown),
        ("ErrorAccountSuspendShowTierUpgrade", Unavailable, Unknown),
        ("ErrorNoApplicableProxyCASServersAvailable", Unavailable, Unknown),
        ("ErrorSendAsDenied", AccessDenied, AccessDenied),
        ("ErrorSchemaValidation", Refused, Refused),
        ("ErrorInvalidPropertySet", Refused, Refused),
        ("ErrorInvalidChangeKey", Refused, Refused),
        ("ErrorInvalidServerVersion", Refused, Refused),
        ("ErrorOccurrenceCrossingBoundary", Refused, Refused),
        ("ErrorCalendarInvalidRecurrence", Refused, Refused),
        ("ErrorRecurrenceHasNoOccurrence", Refused, Refused),
        ("ErrorQuotaExceeded", Refused, Refused),
        ("ErrorItemSave", Refused, Refused),
        ("ErrorNobodyHasHeardOf", Refused, Refused),
        ("ErrorSomethingNewUnavailable", Unavailable, Unknown),
    ],
)
def test_a_response_code_has_its_class(code: str, in_read: type[ExchangeError], in_write: type[ExchangeError]) -> None:
    assert type(error_of(reply(body=message(code)), "read")) is in_read
    assert type(error_of(reply(body=message(code)), "write")) is in_write


def test_an_unknown_code_in_a_warning_is_in_doubt() -> None:
    assert type(error_of(reply(body=message("ErrorNobodyHasHeardOf", "Warning")))) is Unknown


@pytest.mark.parametrize(
    ("status", "body", "in_read", "in_write"),
    [
        (500, fault("ErrorSchemaValidation"), Refused, Refused),
        (500, fault("ErrorServerBusy"), Throttled, Throttled),
        (500, fault("ErrorInvalidServerVersion"), Refused, Refused),
        (500, fault("ErrorAccessDenied"), AccessDenied, AccessDenied),
        (500, fault("ErrorNonPrimarySmtpAddress"), Refused, Refused),
        (500, fault("ErrorIncorrectSchemaVersion"), Refused, Refused),
        (500, fault("ErrorUnsupportedCulture"), Refused, Refused),
        (500, fault("ErrorDuplicateSOAPHeader"), Refused, Refused),
        (500, fault("ErrorRequestStreamTooBig"), Refused, Refused),
        (500, fault("ErrorCalendarEndDateIsEarlierThanStartDate"), Refused, Refused),
        (500, fault("ErrorOccurrenceCrossingBoundary"), Refused, Refused),
        (500, fault("ErrorRecurrenceHasNoOccurrence"), Refused, Refused),
        (500, fault("ErrorTimeZone"), Refused, Refused),
        (500, fault("ErrorQuotaExceeded"), Refused, Refused),
        (500, fault("ErrorItemCorrupt"), Refused, Refused),
        (500, fault("ErrorDataSizeLimitExceeded"), Refused, Refused),
        (500, fault("ErrorObjectTypeChanged"), Refused, Refused),
        (500, fault("ErrorSendMeetingInvitationsOrCancellationsRequired"), Refused, Refused),
        (500, fault("ErrorCalendarOccurrenceIsDeletedFromRecurrence"), NotFound, NotFound),
        (500, fault("ErrorCalendarStoreUnavailable"), Unavailable, Unknown),
        (500, fault("ErrorItemSave"), Unavailable, Unknown),
        (500, fault("ErrorNobodyHasHeardOf"), Unavailable, Unknown),
        (500, fault("", faultcode="s:Client"), Refused, Refused),
        (500, fault("", faultcode="s:Server"), Unavailable, Unknown),
        (503, fault("ErrorServerBusy"), Throttled, Throttled),
        (401, fault("ErrorNobodyHasHeardOf"), AccessDenied, AccessDenied),
    ],
)
def test_a_fault_has_its_class_whatever_the_status(
    status: int, body: bytes, in_read: type[ExchangeError], in_write: type[ExchangeError]
) -> None:
    assert type(error_of(reply(status, body), "read")) is in_read
    assert type(error_of(reply(status, body), "write")) is in_write


HTML = b"<!DOCTYPE html><html><body>Server Error in '/EWS' Application</body></html>"


@pytest.mark.parametrize("body", [b"", HTML, b"<s:Envelope", b"upstream timed out"])
@pytest.mark.parametrize(
    ("status", "in_read", "in_write"),
    [
        (200, Unavailable, Unknown),
        (204, Unavailable, Unknown),
        (400, Refused, Refused),
        (401, AccessDenied, AccessDenied),
        (403, AccessDenied, AccessDenied),
        (404, Unavailable, Unavailable),
        (405, Refused, Refused),
        (406, Refused, Refused),
        (407, AccessDenied, AccessDenied),
        (408, Unavailable, Unknown),
        (410, Unavailable, Unavailable),
        (411, Refused, Refused),
        (413, Refused, Refused),
        (414, Refused, Refused),
        (415, Refused, Refused),
        (418, Unavailable, Unknown),
        (421, Unavailable, Unavailable),
        (425, Unavailable, Unavailable),
        (429, Throttled, Throttled),
        (431, Refused, Refused),
        (440, AccessDenied, AccessDenied),
        (451, Unavailable, Unavailable),
        (456, AccessDenied, AccessDenied),
        (500, Unavailable, Unknown),
        (502, Unavailable, Unknown),
        (503, Unavailable, Unknown),
        (504, Unavailable, Unknown),
    ],
)
def test_a_status_without_an_answer_has_its_class(
    status: int, body: bytes, in_read: type[ExchangeError], in_write: type[ExchangeError]
) -> None:
    assert type(error_of(reply(status, body), "read")) is in_read
    assert type(error_of(reply(status, body), "write")) is in_write


@pytest.mark.parametrize(("status", "foreign"), [(400, True), (403, True), (413, True), (401, False), (407, False)])
def test_a_refusal_without_soap_may_be_somebody_elses(status: int, foreign: bool) -> None:
    assert error_of(reply(status, b"<html>No.</html>"), "write").foreign is foreign


def test_a_status_without_an_answer_says_so_once() -> None:
    said = "HTTP 503: no answer of Exchange (not XML: Document is empty, line 1, column 1)"
    assert str(error_of(reply(503, b""))) == said


@pytest.mark.parametrize(
    ("location", "in_write"),
    [
        ("https://mail.contoso.com/owa/auth/logon.aspx?url=x&reason=0", AccessDenied),
        ("https://login.microsoftonline.com/common/oauth2/authorize", AccessDenied),
        ("/ews/genericerrorpage.htm?aspxerrorpath=/ews/exchange.asmx", Unknown),
        ("https://mail2.contoso.com/EWS/Exchange.asmx", Unavailable),
        ("", Unavailable),
    ],
)
def test_a_redirect_has_its_class_and_shows_no_query(location: str, in_write: type[ExchangeError]) -> None:
    error = error_of(reply(302, b"", location=location))
    assert type(error) is in_write
    assert "?" not in error.detail


@pytest.mark.parametrize("body", [b"", fault("ErrorAccessDenied")])
def test_a_forbidden_call_says_that_ews_is_being_switched_off_and_what_to_use(body: bytes) -> None:
    detail = error_of(reply(403, body)).detail
    assert "switched off" in detail
    assert "kind graph" in detail


def test_a_broken_token_service_is_no_refused_sign_in() -> None:
    diagnostics = '2000007;reason="internal error";error_category="internal_error"'
    error = error_of(reply(401, x_ms_diagnostics=diagnostics))
    assert type(error) is Unavailable
    assert diagnostics in error.detail


@pytest.mark.parametrize(
    ("answered", "seconds"),
    [
        (reply(200, message("ErrorServerBusy", values={"BackOffMilliseconds": "297749"})), 297.749),
        (reply(500, fault("ErrorServerBusy", {"BackOffMilliseconds": "297749"})), 297.749),
        (reply(503, fault("ErrorServerBusy", {"BackOffMilliseconds": "25"}), retry_after="3"), 3.0),
        (reply(500, fault("ErrorServerBusy"), retry_after="3"), 3.0),
        (reply(500, fault("ErrorServerBusy", {"BackOffMilliseconds": "0"})), None),
        (reply(500, fault("ErrorServerBusy", {"BackOffMilliseconds": "soon"})), None),
        (reply(429, retry_after="1.5"), 1.5),
        (reply(429, retry_after="Sat, 21 Nov 2026 08:01:00 GMT"), 60.0),
        (
            reply(429, retry_after="Sat, 21 Nov 2026 09:01:00 GMT", date="Sat, 21 Nov 2026 09:00:30 GMT"),
            30.0,
        ),
        (reply(429, retry_after="Sat, 21 Nov 2026 08:01:00 GMT", date="Sat, 21 Nov 2026 08:00:00 -0000"), 60.0),
        (reply(429, retry_after="later"), None),
        (reply(429), None),
    ],
)
def test_how_long_to_stay_away_is_read_wherever_it_stands(answered: Reply, seconds: float | None) -> None:
    error = error_of(answered)
    assert type(error) is Throttled
    assert error.retry_after == seconds


def test_a_write_in_doubt_keeps_how_long_to_stay_away() -> None:
    error = error_of(reply(503, retry_after="7"))
    assert (type(error), error.retry_after) == (Unknown, 7.0)


def test_a_read_that_is_told_to_stay_away_is_throttled() -> None:
    error = error_of(reply(503, retry_after="7"), "read")
    assert (type(error), error.retry_after) == (Throttled, 7.0)


@pytest.mark.parametrize(
    ("inner", "expected"),
    [("ErrorServerBusy", Throttled), ("ErrorQuotaExceededOnDelete", Refused), ("ErrorItemNotFound", NotFound)],
)
@pytest.mark.parametrize(
    "outer", ["ErrorInternalServerError", "ErrorInternalServerTransientError", "ErrorProxyCallFailed"]
)
def test_an_inner_code_is_the_real_one(outer: str, inner: str, expected: type[ExchangeError]) -> None:
    body = message(outer, values={"InnerErrorResponseCode": inner, "InnerErrorMessageText": "why"})
    error = error_of(reply(200, body))
    assert (type(error), error.code, error.detail) == (expected, inner, "said why")


def test_the_request_id_is_kept() -> None:
    assert error_of(reply(500, request_id="r-1", client_request_id="c-1")).request_id == "r-1"
    assert error_of(reply(500, client_request_id="c-1")).request_id == "c-1"
    assert error_of(reply(500)).request_id is None


def test_a_success_is_the_answer() -> None:
    judged = judge(reply(200, message("NoError", "Success")), "write")
    assert isinstance(judged, Answer)
    assert judged.kind == "Success"


def test_one_failure_in_a_batch_is_the_failure_of_the_whole() -> None:
    body = message("NoError", "Success").decode()
    second = message("ErrorItemNotFound").decode()
    start, end = second.index("<m:UpdateItemResponseMessage"), second.index("</m:ResponseMessages>")
    mixed = body.replace("</m:ResponseMessages>", second[start:end] + "</m:ResponseMessages>")
    assert type(error_of(reply(200, mixed.encode()))) is NotFound


def test_a_success_that_cannot_be_read_is_in_doubt_only_in_a_write() -> None:
    assert type(malformed(reply(), "read", "x")) is Unavailable
    assert type(malformed(reply(), "write", "x")) is Unknown


SAMPLE_ERRORS = {
    "constructed-ErrorAccessDenied-response": AccessDenied,
    "constructed-ErrorChangeKeyRequiredForWriteOperations-response": VersionMoved,
    "constructed-ErrorInternalServerTransientError-response": Unknown,
    "constructed-ErrorInvalidPropertySet-response": Refused,
    "constructed-ErrorIrresolvableConflict-response": VersionMoved,
    "constructed-ErrorItemNotFound-response": NotFound,
    "constructed-ErrorMailboxMoveInProgress-response": Unknown,
    "constructed-ErrorServerBusy-in-message-response": Throttled,
    "constructed-ErrorStaleObject-response": VersionMoved,
    "constructed-batch-mixed-response": VersionMoved,
    "constructed-batch-stopped-response": Unknown,
    "evo-Exchange2010_SP2-camel-folder-create_existing_folder-0": Refused,
    "evo-Exchange2010_SP2-camel-folder-create_folder_with_invalid_distinguished_parent_id-0": Refused,
    "evo-Exchange2010_SP2-camel-folder-create_folder_with_invalid_non_distinguished_parent_id-0": Refused,
    "evo-Exchange2010_SP2-camel-folder-create_folder_with_malformed_parent_id-0": Refused,
    "evo-Exchange2010_SP2-camel-folder-hard_delete_distinguished_folder_subfolder-1": NotFound,
    "evo-Exchange2010_SP2-camel-folder-hard_delete_non_distinguished_folder_subfolder-1": NotFound,
    "evo-Exchange2010_SP2-camel-folder-hard_delete_root_subfolder-0": Refused,
    "evo-Exchange2010_SP2-camel-folder-move_folder_to_folder_that_has_subfolder_with_the_same_name-1": Refused,
    "evo-Exchange2010_SP2-camel-folder-move_invalid_folder_to_valid_folder-0": Refused,
    "evo-Exchange2010_SP2-camel-folder-move_valid_folder_to_invalid_folder-0": Refused,
    "exchangelib-0-ErrorInternalServerError": Refused,
    "exchangelib-1-ErrorInvalidValueForProperty": Refused,
    "exchangelib-2-ErrorServerBusy": Throttled,
    "exchangelib-3-ErrorSchemaValidation": Refused,
    "exchangelib-4-ErrorTooManyObjectsOpened": Unknown,
    "exchangelib-7-x": Unknown,
    "msdocs-addimgroup-operation-2-fault": Refused,
    "msdocs-convertid-operation-2-error": Refused,
    "msdocs-copyitem-operation-2-error": Refused,
    "msdocs-createitem-operation-meeting-request-2-error": NotFound,
    "msdocs-deleteitem-operation-2-error": NotFound,
    "msdocs-getimitemlist-operation-2-fault": Refused,
    "msdocs-getserviceconfiguration-operation-2-fault": Refused,
    "msdocs-getuseroofsettings-operation-2-fault": Refused,
    "msdocs-how-to-process-calendar-items-in-batches-in-exchange-8-error": NotFound,
    "msdocs-senditem-operation-3-error": Refused,
    "msdocs-updatedelegate-operation-2-error": AccessDenied,
    "msdocs-updatefolder-operation-2-error": Refused,
    "msdocs-updateitem-operation-contact-3-fault": Refused,
    "thunderbird-soap-1-ErrorSchemaValidation": Refused,
    "thunderbird-soap-2-ErrorExceededConnectionCount": Throttled,
    "thunderbird-soap-3-ErrorServerBusy": Throttled,
}


@needs_reference
def test_every_sample_is_a_success_or_its_error() -> None:
    samples = sorted(SAMPLES.glob("*.xml"))
    assert {path.stem for path in samples} >= SAMPLE_ERRORS.keys()
    for path in samples:
        body = path.read_bytes()
        judged = judge(reply(500 if b"Fault" in body else 200, body), "write")
        if path.stem in SAMPLE_ERRORS:
            assert type(judged) is SAMPLE_ERRORS[path.stem], path.stem
        elif path.stem.endswith("-request"):
            assert type(judged) is Unknown, path.stem
        else:
            assert isinstance(judged, Answer), path.stem


@needs_reference
def test_every_documented_response_code_is_given_some_class_in_both_phases() -> None:
    codes = [line.split("\t")[0] for line in (REFERENCE / "ews2016/responsecodes.tsv").read_text("utf-8").splitlines()]
    errors = [code for code in codes if code.startswith("Error")]
    assert {"ErrorItemNotFound", "ErrorServerBusy"} <= {*errors}
    for code in errors:
        assert type(error_of(reply(body=message(code)), "read")) not in (Unknown, VersionMoved), code
        assert isinstance(error_of(reply(body=message(code)), "write"), ExchangeError), code


def test_of_what_exchange_says_only_so_much_is_kept() -> None:
    error = error_of(reply(200, message("Error" + "x" * 50_000, text="y" * 50_000), request_id="z" * 50_000))
    assert max(len(error.code), len(error.detail), len(error.request_id or "")) == SAID_AT_MOST
    assert len(str(error)) < 2 * SAID_AT_MOST + 10
