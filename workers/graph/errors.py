"""What an answer of Graph that is no success means: one of the exchange errors.

https://learn.microsoft.com/graph/errors. Decided by the error's code, then by the HTTP status, never by the message.
What may pass is ``Unavailable`` for a read; for a write that may have been applied it is ``Unknown``.
Not here: what is done about it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

import httpx

from workers.exchange import (
    AccessDenied,
    ExchangeError,
    MailboxNotFound,
    NotFound,
    Refused,
    Throttled,
    Unknown,
    VersionMoved,
)
from workers.exchange.doubt import Phase, in_phase, may_be_foreign
from workers.retry_after import retry_after
from workers.update import Json

BY_CODE: Mapping[str, type[ExchangeError]] = {
    "ApplicationThrottled": Throttled,
    "ErrorExceededConnectionCount": Throttled,
    "ErrorServerBusy": Throttled,
    "ErrorTooManyObjectsOpened": Throttled,
    "TooManyRequests": Throttled,
    "ErrorIrresolvableConflict": VersionMoved,
    "ErrorStaleObject": VersionMoved,
    "Authorization_RequestDenied": AccessDenied,
    "ErrorAccessDenied": AccessDenied,
    "InvalidAuthenticationToken": AccessDenied,
    "ErrorItemNotFound": NotFound,
    "ErrorInvalidUser": MailboxNotFound,
    "ErrorNonExistentMailbox": MailboxNotFound,
    "MailboxNotEnabledForRESTAPI": MailboxNotFound,
    "MailboxNotSupportedForRESTAPI": MailboxNotFound,
    "Request_ResourceNotFound": MailboxNotFound,
    # Also said of a subscription that is gone, but never of an event.
    "ResourceNotFound": MailboxNotFound,
    "ErrorInternalServerError": Unknown,
    "ErrorInternalServerTransientError": Unknown,
    "ErrorMailboxMoveInProgress": Unknown,
    "ErrorMailboxStoreUnavailable": Unknown,
    "ErrorTimeoutExpired": Unknown,
    "ErrorCalendarIsNotOrganizer": Refused,
    "ErrorInvalidIdMalformed": Refused,
    "ErrorInvalidRequest": Refused,
    "ErrorOccurrenceCrossingBoundary": Refused,
    "ErrorPropertyValidationFailure": Refused,
    "ErrorQuotaExceeded": Refused,
    "RequestBodyRead": Refused,
    "TimeZoneNotSupportedException": Refused,
}
"""A code that is not here is classed by its status."""

BY_STATUS: Mapping[int, type[ExchangeError]] = {
    401: AccessDenied,
    403: AccessDenied,
    404: NotFound,
    407: AccessDenied,
    408: Unknown,
    409: VersionMoved,
    410: NotFound,
    412: VersionMoved,
    425: Unknown,
    429: Throttled,
    507: Refused,
    509: Throttled,
}
"""Any other 4xx is Refused; whatever else there is (5xx, a redirect, a success that cannot be read) is Unknown."""

SENTENCES: Mapping[str, str] = {
    "ErrorAccessDenied": "Is the application allowed Calendars.ReadWrite in this mailbox?",
    "ErrorCalendarIsNotOrganizer": "Only the organizer can change this, in the organizer's own mailbox.",
    "ErrorInvalidIdMalformed": "target.event has to be an id that this mailbox's Graph or EWS gave out.",
    "ErrorOccurrenceCrossingBoundary": "An occurrence may not reach or pass the day of its neighbours.",
    "ErrorQuotaExceeded": "The mailbox is full.",
    "MailboxNotEnabledForRESTAPI": "If the mailbox is on premises, Graph cannot reach it: name a backend of kind ews.",
    "MailboxNotSupportedForRESTAPI": "Graph cannot reach this mailbox: name a backend of kind ews.",
}
"""What a caller can do about it, where Graph's own words do not say."""


def classify(status: int, headers: Mapping[str, str], body: bytes, phase: Phase, now: datetime) -> ExchangeError:
    """The error that this answer is. ``now`` (aware) is what a date in Retry-After is measured from."""
    headers = httpx.Headers(headers)
    error = _error(body)
    codes = _codes(error)
    code = codes[0] if codes else f"HTTP {status}"
    return in_phase(_kind(status, codes), phase)(
        code,
        _detail(status, error, code),
        request_id=_request_id(headers, error),
        retry_after=retry_after(headers.get("retry-after"), now),
        foreign=not codes and may_be_foreign(status),
    )


def unreadable(phase: Phase, detail: str, request_id: str | None) -> ExchangeError:
    """The error for a success whose body cannot be read."""
    return in_phase(Unknown, phase)("UnreadableAnswer", detail, request_id=request_id)


def _kind(status: int, codes: tuple[str, ...]) -> type[ExchangeError]:
    for code in codes:
        if code in BY_CODE:
            return BY_CODE[code]
    kind = BY_STATUS.get(status, Refused if 400 <= status < 500 else Unknown)
    # The answer is not from Graph but from something in between, which cannot know whether there is such an event.
    return MailboxNotFound if kind is NotFound and not codes else kind


def _error(body: bytes) -> Mapping[str, Json]:
    """The ``error`` object; empty if the body is not Graph's."""
    try:
        error = json.loads(body)["error"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
    return error if isinstance(error, dict) else {}


def _inner(error: Mapping[str, Json]) -> Mapping[str, Json]:
    inner = error.get("innerError") or error.get("innererror")
    return inner if isinstance(inner, dict) else {}


def _codes(error: Mapping[str, Json]) -> tuple[str, ...]:
    """The error's code, then those of the errors within it, ever more specific."""
    codes = []
    while error:
        codes.append(error.get("code"))
        error = _inner(error)
    return tuple(code for code in codes if code and isinstance(code, str))


def _detail(status: int, error: Mapping[str, Json], code: str) -> str:
    said = " ".join(str(error.get("message") or "").split())[:500]
    if not _codes(error):
        said = "the answer is not one of Graph's"
    sentence = f"{status} {_phrase(status)}".rstrip() + (f": {said}" if said else "")
    return f"{sentence} {SENTENCES[code]}" if code in SENTENCES else sentence


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _request_id(headers: Mapping[str, str], error: Mapping[str, Json]) -> str | None:
    found = headers.get("request-id") or _inner(error).get("request-id") or headers.get("client-request-id")
    return str(found) if found else None
