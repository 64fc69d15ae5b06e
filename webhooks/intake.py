"""What every request under /v1 goes through before it is looked at: who sends it, is it JSON, which key has it.

The order is fixed: 401 before anything is read, then 415, 413, 400.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import g, request

from webhooks import body, idempotency, problems
from webhooks.auth import client_of
from webhooks.door import door
from webhooks.problems import Problem
from workers.update import Json


def authenticate() -> None:
    """Set ``g.client``, or 401: before anything is said about the request itself."""
    client = client_of(request.headers.get("Authorization"), door().settings.client)
    if client is None:
        raise Problem(
            problems.UNAUTHORIZED, "An API key is needed, and this is none.", headers={"WWW-Authenticate": "Bearer"}
        )
    g.client = client


def content() -> Mapping[str, Json]:
    """The body, a JSON object. 415, 413 or 400."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in ("utf-8", "utf8"):
        raise Problem(problems.MEDIA_TYPE, "The body must be application/json in UTF-8.")
    if "Content-Encoding" in request.headers:
        raise Problem(problems.MEDIA_TYPE, "The body must be sent without a Content-Encoding.")
    try:
        return body.parse(body.receive(request.stream, request.content_length))
    except body.TooLarge:
        raise Problem(problems.TOO_LARGE, f"The body is larger than {body.BYTES_AT_MOST} bytes.") from None
    except body.NotJson as error:
        raise Problem(problems.MALFORMED, f"{error}.") from None


def key() -> str:
    """The idempotency key, as the store keeps it. 400."""
    header = request.headers.get("Idempotency-Key")
    if header is None:
        raise Problem(problems.KEY_MISSING, "An update needs an Idempotency-Key, so that it can be repeated safely.")
    try:
        return idempotency.digest(idempotency.key_of(header))
    except idempotency.BadKey as error:
        raise Problem(problems.KEY_MALFORMED, f"{error}.") from None


def check_parameters() -> None:
    """400 where a parameter of the URL is there twice: which one is meant?"""
    for name, values in request.args.lists():
        if len(values) > 1:
            raise problems.unreadable(name, "it is given more than once")
