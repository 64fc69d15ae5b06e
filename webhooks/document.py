"""The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0): the parts that flask-openapi cannot take from the
views, because bodies are parsed by webhooks/body and answers made by workers/public.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from webhooks.answers import CallbackBody, ProblemDocument, ShownHealth, ShownPage, ShownUpdate
from webhooks.asked import AskedUpdate
from webhooks.problems import KINDS

VERSION = "3.1.0"
_SCHEMAS = "#/components/schemas/"


class _Plain(GenerateJsonSchema):
    """Without titles that repeat the names. A field that may be left out has no default: null is not what it would
    be."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        shown = super().default_schema(schema)
        if shown.get("default", 0) is None:
            del shown["default"]
        return shown


def components() -> dict[str, Any]:
    """Everything that the operations refer to."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (AskedUpdate, "validation"),
        (CallbackBody, "validation"),
        (ProblemDocument, "validation"),
        (ShownHealth, "validation"),
        (ShownPage, "validation"),
        (ShownUpdate, "validation"),
    ]
    _, found = models_json_schema(models, ref_template=_SCHEMAS + "{model}", schema_generator=_Plain)
    key = {"type": "http", "scheme": "bearer", "description": "An API key, as rendezvous keys new makes them"}
    return {"schemas": found["$defs"], "securitySchemes": {"apiKey": key}}


def _json(model: str, media_type: str = "application/json") -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": _SCHEMAS + model}}}


def problem(status: int) -> dict[str, Any]:
    """The response of one status: which kinds of problem it may be."""
    kinds = [f"{kind.title} (`{kind.type}`)" for kind in KINDS.values() if kind.status == status]
    response: dict[str, Any] = {
        "description": "; ".join(kinds),
        "content": _json("ProblemDocument", "application/problem+json"),
    }
    if status == 503:
        response["headers"] = {"Retry-After": _header("Seconds to wait", "integer")}
    return response


def answers(status: int, model: str, *refusals: int, headers: dict[str, Any] | None = None) -> dict[Any, Any]:
    """The responses of an operation: its success and the problems that it may have."""
    success: dict[str, Any] = {"description": "Accepted" if status == 202 else "As asked", "content": _json(model)}
    if headers:
        success["headers"] = headers
    default = {"description": "Any other problem", "content": _json("ProblemDocument", "application/problem+json")}
    return {str(status): success, **{str(refusal): problem(refusal) for refusal in refusals}, "default": default}


def _header(description: str, type_: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": type_}}


ACCEPTED_HEADERS = {
    "Location": _header("Where the update can be read"),
    "Retry-After": _header("Seconds after which it is worth looking", "integer"),
    "Idempotent-Replayed": _header("true where this key and body were accepted before"),
}
ASKED: dict[str, Any] = {"required": True, "content": _json("AskedUpdate")}
CREATE: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "1 to 255 visible ASCII characters, bare or in double quotes; the same when you repeat it.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        }
    ],
    "callbacks": {
        "ended": {
            "{$request.body#/callbackUrl}": {
                "post": {
                    "summary": "The update has ended",
                    "description": "Signed as Standard Webhooks; webhook-id stays the same when it is repeated.",
                    "requestBody": {"required": True, "content": _json("CallbackBody")},
                    "responses": {
                        "2XX": {"description": "Received"},
                        "410": {"description": "Received, and no more of them wanted"},
                    },
                }
            }
        }
    },
}
