"""What every request under /v1 goes through first: who sends it and how often, is it JSON, which idempotency key.

The order is fixed. With an API key: 401 and 429 before anything is read, then 400 for the URL, 415, 413, 400.
With a signature the body has to be read first: 413, 401, 429, 415, 400.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import request

from webhooks import body, idempotency, problems
from webhooks.auth import client_of
from webhooks.door import door
from webhooks.passage import passage
from webhooks.problems import Problem
from webhooks.rates import Kind, allowed
from webhooks.signed import Message, signer, suspicion
from workers.settings import Client
from workers.update import Json

_READS = ("GET", "HEAD")


def authenticate() -> None:
    """Note whose API key it is. 401 or 429, before anything is said about the request itself; 400 for its URL."""
    client = client_of(request.headers.get("Authorization"), door().settings.client)
    if client is None:
        raise _stranger("The request has no header Authorization: Bearer with a valid API key.", "Bearer")
    _welcome(client)
    _check_parameters()


def signed(name: str) -> Message:
    """The signed message; notes the client. 413, 401 or 429. Whatever is wrong with the signature, the answer is the
    same; only the log says what it probably was."""
    at = door()
    message = Message(
        id=request.headers.get("webhook-id", ""),
        timestamp=request.headers.get("webhook-timestamp", ""),
        signature=request.headers.get("webhook-signature", ""),
        body=received(),
    )
    now = at.clock().timestamp()
    client = signer(name, message, at.settings.clients, now=now)
    if client is None:
        passage().suspicion = suspicion(name, message, at.settings.clients, now=now)
        raise _stranger(
            "The signature does not fit this client, the raw body and the present time.", "Webhook-Signature"
        )
    _welcome(client)
    return message


def content() -> Mapping[str, Json]:
    """The body, a JSON object. 415, 413 or 400."""
    check_form()
    return parsed(received())


def check_form() -> None:
    """415 where the body is not JSON in UTF-8 as it is."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in ("utf-8", "utf8"):
        raise Problem(problems.MEDIA_TYPE, "The body must be application/json in UTF-8.")
    if "Content-Encoding" in request.headers:
        raise Problem(problems.MEDIA_TYPE, "The body must be sent without a Content-Encoding.")


def received(at_most: int = body.BYTES_AT_MOST) -> bytes:
    """The body as it came. 413, or 400 where it breaks off."""
    try:
        return body.receive(request.stream, request.content_length, at_most)
    except body.TooLarge:
        raise Problem(problems.TOO_LARGE, f"The body is larger than {at_most} bytes.") from None
    except body.NotJson as error:
        raise Problem(problems.MALFORMED, f"{error}.") from None


def parsed(raw: bytes) -> Mapping[str, Json]:
    """The JSON object that the bytes are. 400."""
    try:
        return body.parse(raw)
    except body.NotJson as error:
        raise Problem(problems.MALFORMED, f"{error}.") from None


def key() -> str | None:
    """The idempotency key, as the store keeps it; None where none is given. 400."""
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return None
    try:
        return idempotency.digest(idempotency.key_of(header))
    except idempotency.BadKey as error:
        raise Problem(problems.KEY_MALFORMED, f"{error}.") from None


def required_key() -> str:
    """400 where there is none."""
    given = key()
    if given is None:
        raise Problem(problems.KEY_MISSING, "An update needs an Idempotency-Key, so that it can be repeated safely.")
    return given


def _check_parameters() -> None:
    """400 where a parameter of the URL is there twice: which one is meant? And for any where something is to change:
    who asks for a replay of ``?class=refused`` must not bring back everything."""
    for name, values in request.args.lists():
        if request.method not in _READS:
            raise problems.unreadable(name, "there is no such parameter; what is to change is told in the body")
        if len(values) > 1:
            raise problems.unreadable(name, "it is given more than once")


def _stranger(detail: str, scheme: str) -> Problem:
    return Problem(problems.UNAUTHORIZED, detail, headers={"WWW-Authenticate": scheme})


def _welcome(client: Client) -> None:
    passage().client = client
    kind: Kind = "reads" if request.method in _READS else "updates"
    wait = door().rates.spend(client, kind)
    if wait is not None:
        detail = f"Your client may ask for {allowed(client, kind)}."
        raise Problem(problems.RATE_LIMITED, detail, headers={"Retry-After": str(wait)})
