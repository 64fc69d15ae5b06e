"""Graph's error bodies: https://learn.microsoft.com/graph/errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ops.sandbox.call import Reply
from ops.sandbox.event import utc_now
from ops.sandbox.faults import Fault
from ops.sandbox.rules import CONFLICT

WORDS: Mapping[int, tuple[str, str]] = {
    401: ("InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
    403: ("ErrorAccessDenied", "Access is denied. Check credentials and try again."),
    404: ("ErrorItemNotFound", "The specified object was not found in the store."),
    412: ("ErrorIrresolvableConflict", CONFLICT),
    429: ("ApplicationThrottled", "Application is over its MailboxConcurrency limit."),
    500: ("ErrorInternalServerError", "An internal server error occurred. The operation failed."),
    502: ("UnknownError", ""),
    503: ("UnknownError", ""),
    504: ("UnknownError", ""),
}
CHALLENGE = {
    "WWW-Authenticate": 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize",'
    ' client_id="00000003-0000-0000-c000-000000000000"'
}


@dataclass
class GraphError(Exception):
    """A refusal: HTTP status, Graph's code and text."""

    status: int
    code: str = ""
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def reply(error: GraphError, request_id: str, client_request_id: str) -> Reply:
    """The error as Graph words it; without a code, the usual one of its status."""
    code, text = WORDS.get(error.status, ("UnknownError", ""))
    inner = {
        "date": utc_now().strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": client_request_id,
    }
    body = {"error": {"code": error.code or code, "message": error.text or text, "innerError": inner}}
    challenge = CHALLENGE if error.status == 401 else {}
    return Reply.of_json(body, error.status, {**challenge, **error.headers})


def of_fault(fault: Fault) -> GraphError:
    """The error that a fault asks for."""
    return GraphError(fault.status, fault.code, fault.text, fault.headers)
