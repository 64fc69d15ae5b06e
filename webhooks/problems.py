"""Every way in which the API says no: one table, and how each becomes ``application/problem+json``.

RFC 9457, https://www.rfc-editor.org/rfc/rfc9457. ``type`` is a path that this server itself answers with a page saying
what it means and what to do (webhooks/manual).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from traceback import extract_tb

import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound as NoSuchRoute
from werkzeug.wrappers import Response as BaseResponse

from webhooks.faults import Fault
from webhooks.passage import passage
from workers.store import BadCursor, StoreUnavailable

_log = structlog.get_logger("webhooks")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. ``remedy``: what the caller can do about it."""

    name: str
    status: int
    title: str
    remedy: str

    @property
    def type(self) -> str:
        return f"/problems/{self.name}"


MALFORMED = Kind("malformed", 400, "The request cannot be read", "Correct the request as the detail says.")
KEY_MISSING = Kind(
    "key-missing", 400, "The Idempotency-Key is missing",
    "Send an Idempotency-Key header: a new random value for each change you mean, the same one when you repeat it.",
)  # fmt: skip
KEY_MALFORMED = Kind(
    "key-malformed", 400, "The Idempotency-Key cannot be used", "Use 1 to 255 visible ASCII characters: a UUID is good."
)
UNAUTHORIZED = Kind(
    "unauthorized", 401, "Who are you?",
    "Send Authorization: Bearer and an API key of yours that is still valid; or, to your client's own address, sign "
    "the request as Standard Webhooks with a live secret, the raw body and a clock that is right.",
)  # fmt: skip
FORBIDDEN = Kind(
    "forbidden",
    403,
    "You may not touch this mailbox",
    "Ask the operator to add the mailbox to your client's mailboxes.",
)
NOT_FOUND = Kind("not-found", 404, "There is no such thing", "Check the address; what belongs to others is not shown.")
NOT_ALLOWED = Kind("method-not-allowed", 405, "This method does nothing here", "Use one of the methods in Allow.")
NOT_CANCELLABLE = Kind(
    "not-cancellable", 409, "It is too late to cancel", "Read the update to see how it ended, or send another one."
)
TOO_LARGE = Kind("too-large", 413, "The body is too large", "Send at most 256 KiB.")
MEDIA_TYPE = Kind(
    "media-type",
    415,
    "The body's form is not supported",
    "Send Content-Type: application/json and no Content-Encoding.",
)
INVALID = Kind(
    "validation", 422, "What was sent is not valid",
    "errors lists everything that is wrong: a sentence and a JSON Pointer to the field. Nothing was accepted.",
)  # fmt: skip
KEY_REUSED = Kind(
    "key-reused", 422, "The Idempotency-Key was used for something else",
    "Use a new key for a new change; repeat a request only with the body that it had.",
)  # fmt: skip
RATE_LIMITED = Kind(
    "rate-limited",
    429,
    "Too many requests",
    "Wait for Retry-After seconds; the operator sets your client's rate_limit.",
)
BACKLOG_FULL = Kind(
    "backlog-full", 429, "Too many updates are waiting",
    "Nothing was accepted: send it again with the same key after Retry-After seconds, when some have been applied.",
)  # fmt: skip
INTERNAL = Kind(
    "internal",
    500,
    "Rendezvous failed",
    "Send the request again with the same key; report the requestId if it persists.",
)
UNAVAILABLE = Kind(
    "unavailable", 503, "Not now", "Nothing was lost: send it again with the same key after Retry-After seconds."
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        MALFORMED, KEY_MISSING, KEY_MALFORMED, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, NOT_ALLOWED, NOT_CANCELLABLE,
        TOO_LARGE, MEDIA_TYPE, INVALID, KEY_REUSED, RATE_LIMITED, BACKLOG_FULL, INTERNAL, UNAVAILABLE,
    )
}  # fmt: skip
NOTHING_HERE = "There is nothing at this address: the API is described at /docs, the console is at /console."
_MEDIA_TYPE = "application/problem+json"
_OF_THE_BODY = ("Content-Type", "Content-Length")
_BY_STATUS = {400: MALFORMED, 404: NOT_FOUND, 405: NOT_ALLOWED, 413: TOO_LARGE, 415: MEDIA_TYPE, 500: INTERNAL}


class Problem(Exception):
    """An answer that says no; raised anywhere in a view."""

    def __init__(
        self, kind: Kind, detail: str, *, errors: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ):
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


def invalid(errors: Sequence[Fault]) -> Problem:
    """422 with everything that is wrong."""
    first = f"{errors[0].pointer or 'The body'}: {errors[0].detail}."
    said = first if len(errors) == 1 else f"{len(errors)} things are wrong; errors lists them."
    return Problem(INVALID, said, errors=errors)


def unreadable(parameter: str, detail: str) -> Problem:
    """400 for a parameter of the URL."""
    return Problem(MALFORMED, f"The parameter {parameter[:100]}: {detail}.")


def unavailable(detail: str) -> Problem:
    return Problem(UNAVAILABLE, detail, headers={"Retry-After": "5"})


def answer(problem: Problem) -> Response:
    """The problem as a response."""
    kind = problem.kind
    body = _body(kind, problem.detail)
    known = passage()
    if problem.errors:
        known.faults = len(problem.errors)
        body["errors"] = [{"detail": fault.detail, "pointer": fault.pointer} for fault in problem.errors]
    body["requestId"], known.problem = known.request_id, kind.name
    return Response(json.dumps(body), kind.status, problem.headers, content_type=_MEDIA_TYPE)


def unparsed(status: int, reason: str, detail: str) -> bytes:
    """The whole HTTP answer to what gunicorn could not read as a request (ops/gunicorn.conf.py). Flask never sees
    it, so it has no requestId."""
    kind = _of_status(status, reason)
    _log.info("request", method="other", route="unknown", status=status, problem=kind.name)
    body = json.dumps(_body(kind, detail or f"{kind.title}."))
    return (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: {_MEDIA_TYPE}\r\n"
        f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode("ascii")


def _body(kind: Kind, detail: str) -> dict[str, object]:
    return {"type": kind.type, "title": kind.title, "status": kind.status, "detail": detail}


def install(app: Flask) -> None:
    """Make every error of the app come out as a problem, those of Flask itself included."""
    app.register_error_handler(Exception, lambda error: answer(problem_of(error)))
    app.register_error_handler(HTTPException, _of_flask)


def problem_of(error: Exception) -> Problem:
    """What an exception that comes out of a view means to who asked. One that nobody foresaw is logged, without its
    message, which may repeat what a caller sent."""
    match error:
        case Problem():
            return error
        case BadCursor():
            return unreadable("cursor", str(error))
        case StoreUnavailable():
            _log.warning("store unavailable", reason=str(error))
            return unavailable("The store that keeps the updates cannot take or give anything just now.")
        case HTTPException(code=int(status)):
            detail = NOTHING_HERE if isinstance(error, NoSuchRoute) else f"{error.description}"
            headers = {name: value for name, value in error.get_headers() if name not in _OF_THE_BODY}
            return Problem(_of_status(status, HTTPStatus(status).phrase), detail, headers=headers)
    _log.error("request failed", request_id=passage().request_id, error=type(error).__name__, where=_where(error))
    return Problem(INTERNAL, "Something is wrong on our side. The request is logged under its requestId.")


def _of_flask(error: HTTPException) -> BaseResponse:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()  # a redirect, say, which is no problem
    return answer(problem_of(error))


def _of_status(status: int, phrase: str) -> Kind:
    """What a status means that was not said by us. ``phrase``: its name, where it is none of the table."""
    return _BY_STATUS.get(status) or replace(MALFORMED, status=status, title=phrase)


def _where(error: BaseException) -> list[str]:
    """The calls that led to an error, outermost first."""
    return [f"{Path(call.filename).name}:{call.lineno} {call.name}" for call in extract_tb(error.__traceback__)]
