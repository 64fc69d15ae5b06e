import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.exchange import (
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
from workers.graph.errors import BY_CODE, SENTENCES, classify, unreadable

NOW = datetime(2026, 12, 1, 9, 0, 0, tzinfo=UTC)
RECORDED = Path(__file__).resolve().parents[3] / "../shared/reference/graph/errors"
CLASSES: dict[str, tuple[type[ExchangeError], type[ExchangeError]]] = {
    "400-invalid-id": (Refused, Refused),
    "400-occurrence-crossing": (Refused, Refused),
    "400-property-validation": (Refused, Refused),
    "400-subscription-validation": (Refused, Refused),
    "400-time-zone": (Refused, Refused),
    "400-transaction-id": (Refused, Refused),
    "401-invalid-token": (AccessDenied, AccessDenied),
    "403-access-denied": (AccessDenied, AccessDenied),
    "403-extension-error-odata-disabled": (AccessDenied, AccessDenied),
    "404-item-not-found": (NotFound, NotFound),
    "404-mailbox-not-rest-enabled": (MailboxNotFound, MailboxNotFound),
    "409-subscription-exists": (Unavailable, VersionMoved),
    "410-sync-state": (NotFound, NotFound),
    "412-irresolvable-conflict": (Unavailable, VersionMoved),
    "429-mailbox-concurrency": (Throttled, Throttled),
    "429-too-many-requests": (Throttled, Throttled),
    "500-internal": (Unavailable, Unknown),
    "503-transient": (Unavailable, Unknown),
    "503-unknown-error": (Unavailable, Unknown),
    "504-unknown-error": (Unavailable, Unknown),
}
"""Recorded error: its class while reading, and while writing."""


recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason="the reference material is not beside this checkout")
ID = "00000000-0000-0000-0000-000000000000"


def body(code: str, message: str = "", inner: dict[str, Any] | None = None) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "innerError": inner or {}}}).encode()


STRANGE = [b"", b"<html>busy</html>", b'{"error": "no"}', b"[]"]
"""Answers that are none of Graph's."""


@recorded
@pytest.mark.parametrize("name", CLASSES)
def test_every_recorded_error_is_understood(name: str) -> None:
    sample = json.loads((RECORDED / f"{name}.json").read_text())
    answer = sample["status"], sample["headers"], json.dumps(sample["body"]).encode()
    read, write = classify(*answer, "read", NOW), classify(*answer, "write", NOW)
    assert (type(read), type(write)) == CLASSES[name]
    assert write.code == sample["body"]["error"]["code"]
    assert write.request_id == ID


@recorded
def test_no_recorded_error_is_left_out_above() -> None:
    assert {path.stem for path in RECORDED.glob("*.json")} == CLASSES.keys()


@pytest.mark.parametrize(
    ("status", "on_write"),
    [
        (302, Unknown), (400, Refused), (401, AccessDenied), (403, AccessDenied), (405, Refused),
        (408, Unknown), (409, VersionMoved), (412, VersionMoved), (413, Refused), (415, Refused), (418, Refused),
        (422, Refused), (429, Throttled), (500, Unknown), (502, Unknown), (503, Unknown), (504, Unknown),
        (507, Refused), (509, Throttled), (599, Unknown),
    ],
)  # fmt: skip
@pytest.mark.parametrize("content", [*STRANGE, body("NeverHeardOf")])
def test_an_unknown_code_is_classed_by_its_status(status: int, on_write: type[ExchangeError], content: bytes) -> None:
    assert type(classify(status, {}, content, "write", NOW)) is on_write


@pytest.mark.parametrize("status", [404, 410])
def test_only_graph_itself_can_say_that_an_event_is_not_there(status: int) -> None:
    assert type(classify(status, {}, body("NeverHeardOf"), "read", NOW)) is NotFound
    assert {type(classify(status, {}, content, "read", NOW)) for content in STRANGE} == {MailboxNotFound}


@pytest.mark.parametrize(
    ("status", "code", "on_write"),
    [
        (503, "ApplicationThrottled", Throttled),
        (400, "ErrorIrresolvableConflict", VersionMoved),
        (400, "ErrorItemNotFound", NotFound),
        (400, "ErrorInternalServerTransientError", Unknown),
        (500, "ErrorAccessDenied", AccessDenied),
    ],
)
def test_a_known_code_goes_before_the_status(status: int, code: str, on_write: type[ExchangeError]) -> None:
    assert type(classify(status, {}, body(code), "write", NOW)) is on_write


@pytest.mark.parametrize("status", [400, 403, 404, 410, 413, 418])
@pytest.mark.parametrize("content", [*STRANGE, b'{"error": {"code": 7, "message": {}}}', b'{"error": {"code": null}}'])
def test_a_refusal_without_graphs_own_words_may_be_somebody_elses(status: int, content: bytes) -> None:
    refused = classify(status, {}, content, "write", NOW)
    assert refused.foreign and "not one of Graph's" in refused.detail
    assert not classify(status, {}, body("ErrorInvalidRequest"), "write", NOW).foreign


@pytest.mark.parametrize("status", [401, 407])
def test_who_asks_for_a_sign_in_has_applied_nothing(status: int) -> None:
    assert not classify(status, {}, b"", "write", NOW).foreign


def test_a_code_within_the_error_counts_where_the_outer_one_says_nothing() -> None:
    error = classify(503, {}, body("UnknownError", inner={"code": "ErrorServerBusy"}), "write", NOW)
    assert (type(error), error.code) == (Throttled, "UnknownError")


def test_a_wait_is_kept_whatever_the_class() -> None:
    waits = [classify(status, {"Retry-After": "7"}, b"", "write", NOW).retry_after for status in (429, 503, 404)]
    assert waits == [7.0, 7.0, 7.0]


@pytest.mark.parametrize(
    ("headers", "inner", "found"),
    [
        ({"request-id": "a"}, {"request-id": "b"}, "a"),
        ({}, {"request-id": "b"}, "b"),
        ({"client-request-id": "c"}, {}, "c"),
        ({}, {}, None),
    ],
)
def test_the_request_id_is_found(headers: dict[str, str], inner: dict[str, str], found: str | None) -> None:
    assert classify(500, headers, body("X", inner=inner), "read", NOW).request_id == found


def test_a_mailbox_on_premises_says_what_to_do() -> None:
    error = classify(404, {}, body("MailboxNotEnabledForRESTAPI", "hosted on-premise."), "read", NOW)
    assert "on premises" in error.detail
    assert "ews" in error.detail


@pytest.mark.parametrize("code", SENTENCES)
def test_every_sentence_is_said_after_graphs_own_words(code: str) -> None:
    assert code in BY_CODE
    detail = classify(400, {}, body(code, "No."), "write", NOW).detail
    assert detail == f"400 Bad Request: No. {SENTENCES[code]}"


@pytest.mark.parametrize(
    ("codes", "on_write"),
    [
        ("ApplicationThrottled ErrorTooManyObjectsOpened TooManyRequests", Throttled),
        ("ErrorIrresolvableConflict", VersionMoved),
        ("InvalidAuthenticationToken ErrorAccessDenied Authorization_RequestDenied", AccessDenied),
        ("ErrorItemNotFound", NotFound),
        ("MailboxNotEnabledForRESTAPI MailboxNotSupportedForRESTAPI ErrorNonExistentMailbox", MailboxNotFound),
        ("ErrorInvalidUser ResourceNotFound Request_ResourceNotFound", MailboxNotFound),
        ("ErrorInvalidRequest ErrorInvalidIdMalformed ErrorOccurrenceCrossingBoundary", Refused),
        ("TimeZoneNotSupportedException ErrorPropertyValidationFailure RequestBodyRead", Refused),
        ("ErrorInternalServerError ErrorInternalServerTransientError", Unknown),
    ],
)
@pytest.mark.parametrize("status", [400, 500])
def test_a_documented_code_means_the_same_under_any_status(
    codes: str, on_write: type[ExchangeError], status: int
) -> None:
    for code in codes.split():
        assert type(classify(status, {}, body(code), "write", NOW)) is on_write


def test_what_graph_said_is_one_short_line() -> None:
    error = classify(400, {}, body("X", "first\nsecond" + "x" * 9999), "write", NOW)
    assert error.detail.startswith("400 Bad Request: first second")
    assert len(error.detail) < 600
    assert classify(502, {}, b"<html>", "write", NOW).code == "HTTP 502"


def test_a_success_that_cannot_be_read_is_in_doubt_only_after_a_write() -> None:
    assert type(unreadable("write", "?", None)) is Unknown
    assert type(unreadable("read", "?", None)) is Unavailable


@given(st.integers(100, 999), st.binary(), st.sampled_from(["read", "write"]))
def test_any_answer_has_a_class(status: int, content: bytes, phase: Phase) -> None:
    error = classify(status, {}, content, phase, NOW)
    assert isinstance(error, ExchangeError)
    assert phase == "write" or not isinstance(error, Unknown)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["code", "message", "innerError", "x"]), inner),
)


@given(_JSON)
def test_any_error_object_has_a_class(error: Any) -> None:
    assert type(classify(400, {}, json.dumps({"error": error}).encode(), "write", NOW)) is Refused
