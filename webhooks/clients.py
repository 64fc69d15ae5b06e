"""``/v1/clients/{client}/updates``: for a system that can only be given a URL and a secret.

It signs instead of showing an API key (webhooks/signed), and may send JSON of its own where the configuration maps it
(workers/mapping). From there on an update is an update (webhooks/acceptance).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from webhooks import acceptance, body, document, idempotency, intake, problems
from webhooks.door import door
from webhooks.faults import Fault, fault, pointer
from webhooks.passage import client
from webhooks.problems import Problem
from workers.mapping import Mapped, Mapper, MappingError
from workers.update import Json


class ClientPath(BaseModel):
    client: Annotated[
        str, Field(description="The client's name", json_schema_extra={"pattern": "^[A-Za-z0-9_-]{1,64}$"})
    ]


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


def _as_a_key(schema: dict[str, Any]) -> None:
    _without_default(schema)
    schema.update(document.KEY)


class SignedHeader(BaseModel):
    """For the document only: webhooks/intake reads the key, but only once it knows who sends the request."""

    key: Annotated[
        str,
        Field(
            default="",
            alias="Idempotency-Key",
            description="As in POST /v1/updates; without it the webhook-id is the key.",
            json_schema_extra=_as_a_key,
        ),
    ]
    traceparent: Annotated[str, Field(default="", description=document.TRACED, json_schema_extra=_without_default)]


clients = APIBlueprint(
    "clients",
    __name__,
    url_prefix="/v1/clients",
    abp_tags=[Tag(name="updates", description="Changes of calendar events")],
    abp_security=[{"webhookSignature": [], "webhookId": [], "webhookTimestamp": []}],
)


@clients.post(
    "/<string:client>/updates",
    summary="Ask for an update, signed",
    operation_id="createSignedUpdate",
    request_body=document.MAPPED,
    openapi_extensions=document.CREATE_SIGNED,
    responses=document.answers(
        202, "ShownUpdate", 400, 401, 403, 413, 415, 422, 429, 503, headers=document.ACCEPTED_HEADERS
    ),
)
def create(path: ClientPath, header: SignedHeader) -> Response:
    """As POST /v1/updates, with a Standard Webhooks signature over the raw body. Without an Idempotency-Key the
    webhook-id is the key; a message that was sent before is the same update, whatever key it bears now."""
    message = intake.signed(path.client)
    intake.check_form()
    sent = intake.parsed(message.body)
    message_id = idempotency.digest(message.id)
    key = door().store.first_key(client().name, message_id, intake.key() or message_id)
    return _accepted(sent, client().mapper, key)


def _accepted(sent: Mapping[str, Json], mapper: Mapper | None, key: str) -> Response:
    """If a key is used again, what was sent is compared and not what the mapping made of it that day."""
    fingerprint = idempotency.fingerprint(sent)
    if mapper is None:
        return acceptance.accept(sent, client(), key=key, fingerprint=fingerprint)
    mapped = _mapped(mapper, sent)
    try:
        return acceptance.accept(mapped.update, client(), key=key, fingerprint=fingerprint)
    except Problem as problem:
        if problem.kind is not problems.INVALID:
            raise
        raise problems.invalid([explained(fault, mapped) for fault in problem.errors]) from None


def _mapped(mapper: Mapper, sent: Mapping[str, Json]) -> Mapped:
    """The update that the client's expressions make, read as strictly as one that is sent. 422."""
    try:
        mapped = mapper.apply(sent)
        raw = json.dumps(mapped.update, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")
        if len(raw) > body.BYTES_AT_MOST:
            raise problems.invalid([fault(f"the mapping makes more than {body.BYTES_AT_MOST} bytes of this")])
        return replace(mapped, update=dict(body.parse(raw)))
    except MappingError as error:
        raise problems.invalid([fault(str(error), *error.path)]) from None
    except body.NotJson as error:
        raise problems.invalid([fault(f"what the mapping makes of this is no update: {error}")]) from None


def explained(fault: Fault, mapped: Mapped) -> Fault:
    """The fault, with the expression that made the value or left it out."""
    sources = {pointer(path): expression for path, expression in mapped.sources.items()}
    for end in range(len(fault.pointer), 0, -1):
        if fault.pointer[end:][:1] in ("", "/") and (expression := sources.get(fault.pointer[:end])) is not None:
            return replace(fault, detail=f"{fault.detail} (it comes from the expression {expression!r})")
    return fault
