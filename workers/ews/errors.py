"""What Exchange's answers mean: response codes, faults and bare HTTP statuses become our few exchange errors.

The codes are https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode; throttling is
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange.

``judge`` is the whole of it: one pure function over what came back and whether we were reading or writing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from workers.ews.soap import Answer, NotAnAnswer, answers
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
from workers.exchange.doubt import Phase, in_phase, may_be_foreign
from workers.retry_after import retry_after


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. ``headers`` have lower-case names; ``received_at`` is aware."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime

    @property
    def request_id(self) -> str | None:
        """Exchange's own id of the request, else ours that it gave back."""
        return self.headers.get("request-id") or self.headers.get("client-request-id")


_CODES: Mapping[type[ExchangeError], str] = {
    VersionMoved: "ErrorIrresolvableConflict ErrorStaleObject ErrorChangeKeyRequired "
    "ErrorChangeKeyRequiredForWriteOperations",
    Throttled: "ErrorServerBusy ErrorExceededConnectionCount",
    Unavailable: "ErrorBatchProcessingStopped ErrorWrongServerVersion ErrorCrossSiteRequest",
    NotFound: "ErrorItemNotFound ErrorCalendarOccurrenceIsDeletedFromRecurrence",
    MailboxNotFound: "ErrorFolderNotFound ErrorNonExistentMailbox ErrorMailboxNotFound",
    AccessDenied: "ErrorAccessDenied ErrorAccountDisabled ErrorPasswordExpired ErrorPasswordChangeRequired "
    "ErrorInvalidLicense ErrorOrganizationAccessBlocked ErrorSendAsDenied ErrorCreateItemAccessDenied "
    "ErrorUserNotAllowedByPolicy ErrorTokenSerializationDenied ErrorCallerIsInvalidADAccount "
    "ErrorNotDelegate",
    Unknown: "ErrorInternalServerError ErrorInternalServerTransientError ErrorMailboxStoreUnavailable "
    "ErrorMailboxMoveInProgress ErrorMailboxFailover ErrorConnectionFailed ErrorTimeoutExpired ErrorADUnavailable "
    "ErrorADOperation ErrorInsufficientResources ErrorNotEnoughMemory ErrorTooManyObjectsOpened "
    "ErrorNoRespondingCASInDestinationSite ErrorNoApplicableProxyCASServersAvailable ErrorProxyCallFailed "
    "ErrorProxyRequestProcessingFailed ErrorProxyServiceDiscoveryFailed ErrorClientDisconnected "
    "ErrorMailboxLogonFailed ErrorRequestAborted ErrorDataSourceOperation ErrorResponseSchemaValidation "
    # The item may be saved by the time its mail is held back.
    "ErrorSubmissionQuotaExceeded ErrorMessageSubmissionBlocked ErrorMessageBlocked ErrorExceededMessageLimit "
    "ErrorExceededMessageLimitShowTierUpgrade ErrorExceededMaxRecipientLimit ErrorExceededMaxRecipientLimitBlock "
    "ErrorExceededMaxRecipientLimitShowTierUpgrade ErrorAccountSuspend ErrorAccountSuspendShowTierUpgrade",
}
_BY_CODE = {code: kind for kind, codes in _CODES.items() for code in codes.split()}
_PASSING = re.compile("Transient|Unavailable|Timeout|Busy|Failover|Aborted")
"""What codes that we do not know are called when they pass by themselves."""

_OUTER = frozenset({"ErrorInternalServerError", "ErrorInternalServerTransientError", "ErrorProxyCallFailed"})
"""Codes that only wrap the real one, which is in MessageXml as InnerErrorResponseCode."""

_REFUSING = (
    "ErrorInvalid", "ErrorCalendar", "ErrorOccurrence", "ErrorRecurr", "ErrorTimeZone", "ErrorSchemaValidation",
    "ErrorIncorrectSchemaVersion", "ErrorUnsupportedCulture", "ErrorDuplicateSOAPHeader", "ErrorRequestStreamTooBig",
    "ErrorNonPrimarySmtpAddress", "ErrorIncorrectUpdatePropertyCount", "ErrorUpdatePropertyMismatch",
    "ErrorPropertyUpdate", "ErrorItemSavePropertyError", "ErrorItemCorrupt", "ErrorCorruptData",
    "ErrorObjectTypeChanged", "ErrorQuotaExceeded", "ErrorDataSizeLimitExceeded", "ErrorMessageSizeExceeded",
    "ErrorSendMeetingInvitationsOrCancellationsRequired", "ErrorSentMeetingRequestUpdate",
)  # fmt: skip
"""How the codes begin that are final even as faults with HTTP 500."""

_BY_STATUS: Mapping[int, type[ExchangeError]] = {
    **dict.fromkeys((400, 405, 406, 411, 413, 414, 415, 431), Refused),
    **dict.fromkeys((401, 403, 407, 440, 456), AccessDenied),
    # No EWS application took the request: a load balancer or a server that is starting answered in its place.
    **dict.fromkeys((404, 410, 421, 425, 451), Unavailable),
    429: Throttled,
}

_BLOCKED = (
    "Exchange Web Services is closed to this application or mailbox. If the mailbox is in Exchange Online: EWS is "
    "being switched off there; let {} serve it"
)


def judge(reply: Reply, phase: Phase, instead: str | None = None) -> Answer | ExchangeError:
    """The successful answer, or the error that the reply amounts to. ``instead``: the backend of kind graph to name
    where EWS is closed."""
    try:
        found = answers(reply.body)
    except NotAnAnswer as error:
        return _bare(reply, phase, str(error), _closed(instead))
    worst = next((answer for answer in found if answer.kind != "Success"), None)
    return found[0] if worst is None else _refusal(worst, reply, phase, _closed(instead))


def _closed(instead: str | None) -> str:
    """https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-ews-exchange-online"""
    return _BLOCKED.format(f"the backend {instead!r} (Microsoft Graph)" if instead else "a backend of kind graph")


def malformed(reply: Reply, phase: Phase, detail: str) -> ExchangeError:
    """A success whose content cannot be read."""
    return _error(Unknown, phase, reply, "MalformedAnswer", detail)


def _refusal(answer: Answer, reply: Reply, phase: Phase, closed: str) -> ExchangeError:
    inner = answer.values.get("InnerErrorResponseCode", "")
    code = inner if answer.code in _OUTER and inner else answer.code
    wait = max((_back_off(answer), _retry_after(reply)), key=lambda seconds: seconds or 0.0)
    said = [answer.text, answer.values.get("InnerErrorMessageText"), answer.values.get("Violation")]
    if (path := answer.values.get("Path")) is not None:
        said.append(f"(property: {path})")
    if reply.status == 403:
        said.append(closed)
    detail = " ".join(part for part in dict.fromkeys(said) if part)
    return _error(_kind(code, answer, reply.status), phase, reply, code or f"HTTP {reply.status}", detail, wait)


def _kind(code: str, answer: Answer, status: int) -> type[ExchangeError]:
    """What a response code means. An undocumented one is judged by the response class and the HTTP status."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code.startswith("ErrorImpersonat"):
        return AccessDenied
    if _PASSING.search(code) or answer.kind == "Warning":
        return Unknown
    if answer.kind == "Error" or answer.client_fault or code.startswith(_REFUSING):
        return Refused
    return _BY_STATUS.get(status, Unknown)


def _bare(reply: Reply, phase: Phase, why: str, closed: str) -> ExchangeError:
    """What an HTTP answer without SOAP means: an error page, a redirect, a proxy's answer, nothing."""
    status = reply.status
    kind, detail = _BY_STATUS.get(status, Unknown), f"no answer of Exchange ({why})"
    if 300 <= status < 400:
        kind, detail = _redirect(reply.headers.get("location", ""))
    elif status == 401:
        # Exchange's token service failed, not the token: https://learn.microsoft.com/exchange/client-developer/
        # exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth
        broken = reply.headers.get("x-ms-diagnostics", "").startswith("2000007")
        kind, detail = (Unavailable if broken else AccessDenied), "Exchange does not accept this sign-in"
    elif status == 403:
        detail = closed
    code = "MalformedAnswer" if status < 300 else f"HTTP {status}"
    return _error(kind, phase, reply, code, detail, _retry_after(reply), foreign=may_be_foreign(status))


def _redirect(location: str) -> tuple[type[ExchangeError], str]:
    """Redirects are never followed: they would carry the credentials elsewhere, and turn the POST into a GET."""
    where = urlsplit(location)
    shown = f"{where.scheme}://{where.netloc}{where.path}" if where.netloc else where.path
    if re.search("logon|login|signin|/adfs/|/oauth2/", location, re.IGNORECASE):
        return AccessDenied, f"redirected to a sign-in page ({shown}): this sign-in is not accepted here"
    if "errorpage" in location.lower():
        return Unknown, f"redirected to an error page ({shown})"
    return Unavailable, f"redirected to {shown}, which is not followed: correct the backend's url"


def _error(
    kind: type[ExchangeError],
    phase: Phase,
    reply: Reply,
    code: str,
    detail: str,
    wait: float | None = None,
    *,
    foreign: bool = False,
) -> ExchangeError:
    if diagnostics := reply.headers.get("x-ms-diagnostics"):
        detail = f"{detail} [{diagnostics}]"
    kind = in_phase(kind, phase)
    if wait and kind is Unavailable:
        kind = Throttled  # an answer that says how long means the whole mailbox
    return kind(code, detail, request_id=reply.request_id, retry_after=wait, foreign=foreign)


def _back_off(answer: Answer) -> float | None:
    """Seconds, from BackOffMilliseconds; None for what is no positive number."""
    found = re.fullmatch(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", answer.values.get("BackOffMilliseconds", ""))
    return float(found[0]) / 1000 or None if found else None


def _retry_after(reply: Reply) -> float | None:
    """Seconds, from Retry-After; a date is read against the answer's own Date, since two machines' clocks differ."""
    with suppress(ValueError, TypeError):
        return retry_after(reply.headers.get("retry-after"), parsedate_to_datetime(reply.headers.get("date", "")))
    return retry_after(reply.headers.get("retry-after"), reply.received_at)
