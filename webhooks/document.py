"""The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0): the parts that flask-openapi cannot take from the
views, because bodies are parsed by webhooks/body and answers made by workers/public.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from webhooks.answers import (
    CallbackBody,
    ProblemDocument,
    ShownHealth,
    ShownLetter,
    ShownLetters,
    ShownPage,
    ShownReplay,
    ShownUpdate,
)
from webhooks.letter_filter import AskedReplay
from webhooks.problems import KINDS
from webhooks.schema.asked import AskedUpdate
from webhooks.watching.answers import ChangeBody, ShownMirror, ShownMirrors, ShownSubscription, ShownSubscriptions
from webhooks.watching.asked import AskedMirror, AskedSubscription

VERSION = "3.1.0"
_SCHEMAS = "#/components/schemas/"
_SIGNED = "Standard Webhooks, https://www.standardwebhooks.com: "
_SIGNING_IN = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key, as rendezvous keys new makes it"},
    "webhookId": {
        "type": "apiKey", "in": "header", "name": "webhook-id",
        "description": f"{_SIGNED}1 to 255 visible ASCII characters; keep it when you repeat the message.",
    },
    "webhookTimestamp": {
        "type": "apiKey", "in": "header", "name": "webhook-timestamp",
        "description": f"{_SIGNED}seconds since 1970, at most 300 away from our clock.",
    },
    "webhookSignature": {
        "type": "apiKey", "in": "header", "name": "webhook-signature",
        "description": f"{_SIGNED}v1, then the HMAC-SHA256 of id.timestamp.body in base64; spaces between several.",
    },
}  # fmt: skip


class _Plain(GenerateJsonSchema):
    """Leaves out titles that repeat the names, and defaults of null: a field that may be left out is not null then."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        shown = super().default_schema(schema)
        if shown.get("default", 0) is None:
            del shown["default"]
        return shown


_MODELS: tuple[type[BaseModel], ...] = (
    AskedUpdate, CallbackBody, ProblemDocument, ShownHealth, ShownPage, ShownUpdate, AskedReplay, ShownLetter,
    ShownLetters, ShownReplay, AskedSubscription, AskedMirror, ShownSubscription, ShownSubscriptions, ShownMirror,
    ShownMirrors, ChangeBody,
)  # fmt: skip


@cache
def components() -> dict[str, Any]:
    """Everything that the operations refer to. It is the same for every application, and made once because it takes
    half the time of making one."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in _MODELS]
    _, found = models_json_schema(models, ref_template=_SCHEMAS + "{model}", schema_generator=_Plain)
    return {"schemas": found["$defs"], "securitySchemes": _SIGNING_IN}


def _json(model: str, media_type: str = "application/json") -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": _SCHEMAS + model}}}


def problem(status: int) -> dict[str, Any]:
    """The response of one status, with the kinds of problem that it may have."""
    kinds = [f"{kind.title} (`{kind.type}`)" for kind in KINDS.values() if kind.status == status]
    response: dict[str, Any] = {
        "description": "; ".join(kinds),
        "content": _json("ProblemDocument", "application/problem+json"),
    }
    if status in _HEADERS:
        response["headers"] = _HEADERS[status]
    return response


def answers(status: int, model: str, *problems: int, headers: dict[str, Any] | None = None) -> dict[Any, Any]:
    """The responses of an operation: its success and the problems that it may have."""
    success: dict[str, Any] = {"description": "Accepted" if status == 202 else "As asked", "content": _json(model)}
    if headers:
        success["headers"] = headers
    if status == 202 and model == "ShownUpdate":
        success["links"] = _LINKS
    return {str(status): success, **refusals(*problems)}


def created(model: str, *problems: int) -> dict[Any, Any]:
    """The responses of an operation that makes something, or finds that it exists already."""
    made = {
        "description": "Made",
        "content": _json(model),
        "headers": {"Location": _header("Where it can be read")},
    }
    return {"201": made, **answers(200, model, *problems)}


def refusals(*statuses: int) -> dict[Any, Any]:
    """The problems of an operation."""
    default = {"description": "Any other problem", "content": _json("ProblemDocument", "application/problem+json")}
    return {**{str(status): problem(status) for status in statuses}, "default": default}


def required(model: str) -> dict[str, Any]:
    """A body that has to be there."""
    return {"required": True, "content": _json(model)}


def _header(description: str, type_: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": type_}}


_WAIT = {"Retry-After": _header("Seconds to wait", "integer")}
_HEADERS = {
    401: {"WWW-Authenticate": _header("Bearer or Webhook-Signature: how to say who you are")},
    429: _WAIT,
    503: _WAIT,
}
_LINKS = {
    operation: {"operationId": operation, "parameters": {"id": "$response.body#/id"}}
    for operation in ("readUpdate", "cancelUpdate")
}
ACCEPTED_HEADERS = {
    "Location": _header("Where the update can be read"),
    "Retry-After": _header("Seconds to wait before you look how it goes", "integer"),
    "Idempotent-Replayed": _header("true if this key and body were accepted before"),
}
_EXAMPLE = {
    "target": {"mailbox": "anna@contoso.com", "event": "AAMkAGI1AAAt9AHjAAA="},
    "set": {
        "subject": "Team building exercise has moved!",
        "location": {"displayName": "4567 Contoso Way, Redmond, OH 33333, USA"},
    },
    "append": {"attendees": [{"type": "required", "emailAddress": {"address": "alisa@contoso.com"}}]},
    "conflictResolution": "autoResolve",
}
FROM_GRAPH: dict[str, Any] = {
    "description": "https://learn.microsoft.com/graph/api/resources/changenotificationcollection",
    "content": {"application/json": {"schema": {"type": "object"}}},
}
ASKED: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": _SCHEMAS + "AskedUpdate"}, "example": _EXAMPLE}},
}
MAPPED: dict[str, Any] = {
    "required": True,
    "description": "An update; or, for a client whose configuration maps it, any JSON object.",
    "content": {
        "application/json": {
            "schema": {"anyOf": [{"$ref": _SCHEMAS + "AskedUpdate"}, {"type": "object"}]},
            "example": _EXAMPLE,
        }
    },
}


def _told(what: str, model: str) -> dict[str, Any]:
    """The callback that is posted to the ``callbackUrl`` of a request."""
    post = {
        "summary": what,
        "description": "Signed as Standard Webhooks; webhook-id stays the same when the callback is repeated.",
        "requestBody": required(model),
        "responses": {
            "2XX": {"description": "Received"},
            "410": {"description": "Received, and no more of them wanted"},
        },
    }
    return {"{$request.body#/callbackUrl}": {"post": post}}


_ENDED = {"ended": _told("The update has ended", "CallbackBody")}
_KEY_PATTERN = r'^([!#-~][!-~]*|"([!#-\[\]-~]|\\["\\])+")$'
KEY: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": _KEY_PATTERN}
_KEY_NEEDED = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "1 to 255 visible ASCII characters, bare or in double quotes; keep it when you repeat the request. "
    "It is remembered for 3 days, or a day longer than the update may take.",
    "schema": KEY,
}
TRACED = "W3C trace context, passed on to Exchange and with the callback. An invalid one is ignored."
_TRACE = {
    "name": "traceparent",
    "in": "header",
    "required": False,
    "description": TRACED,
    "schema": {"type": "string"},
}
CREATE: dict[str, Any] = {"parameters": [_KEY_NEEDED, _TRACE], "callbacks": _ENDED}
CREATE_SIGNED: dict[str, Any] = {"callbacks": _ENDED}
SUBSCRIBE: dict[str, Any] = {"callbacks": {"changed": _told("An event changed", "ChangeBody")}}
MIRROR: dict[str, Any] = {
    "callbacks": {**_ENDED, "sourceDeleted": _told("The event that is followed was deleted", "ChangeBody")}
}
