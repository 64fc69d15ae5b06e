"""The OpenAPI document: it is one, it is served, and the answers are as it says."""

from __future__ import annotations

import json
from typing import Any

import openapi_spec_validator
import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from tests.webhooks.conftest import Caller
from tests.webhooks.given import SEED, SMALLEST
from webhooks.problems import KINDS
from workers.event.properties import PROPERTIES


@pytest.fixture
def document(http: FlaskClient) -> dict[str, Any]:
    response = http.get("/openapi.json")
    assert response.status_code == 200
    return dict(response.get_json())


def _is_as(document: dict[str, Any], model: str, value: Any) -> bool:
    schema = {"$ref": f"#/components/schemas/{model}", "components": document["components"]}
    errors = list(Draft202012Validator(schema).iter_errors(value))
    assert not errors, errors
    return True


def test_it_is_a_valid_openapi_3_1_document(document: dict[str, Any]) -> None:
    openapi_spec_validator.validate(document)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, list):
            return [ref for item in node for ref in references(item)]
        if not isinstance(node, dict):
            return []
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in references(value)]

    found = set(references(document))
    assert len(found) > 20
    assert {ref for ref in found if ref.rsplit("/", 1)[1] not in document["components"]["schemas"]} == set()


def test_every_operation_of_the_contract_is_there(document: dict[str, Any]) -> None:
    operations = {(path, method) for path, item in document["paths"].items() for method in item}
    assert document["openapi"] == "3.1.0"
    assert operations == {
        ("/v1/updates", "post"),
        ("/v1/updates", "get"),
        ("/v1/updates/{id}", "get"),
        ("/v1/updates/{id}/cancel", "post"),
        ("/v1/clients/{client}/updates", "post"),
        ("/v1/dead-letters", "get"),
        ("/v1/dead-letters/{id}", "get"),
        ("/v1/dead-letters/{id}", "delete"),
        ("/v1/dead-letters/{id}/replay", "post"),
        ("/v1/dead-letters/replay", "post"),
        ("/v1/subscriptions", "post"),
        ("/v1/subscriptions", "get"),
        ("/v1/subscriptions/{id}", "get"),
        ("/v1/subscriptions/{id}", "delete"),
        ("/v1/mirrors", "post"),
        ("/v1/mirrors", "get"),
        ("/v1/mirrors/{id}", "get"),
        ("/v1/mirrors/{id}", "delete"),
        ("/v1/graph/notifications", "post"),
        ("/v1/graph/lifecycle", "post"),
        ("/livez", "get"),
        ("/readyz", "get"),
    }


def test_asking_for_an_update_says_key_body_answers_and_callback(document: dict[str, Any]) -> None:
    asking = document["paths"]["/v1/updates"]["post"]
    assert [parameter["name"] for parameter in asking["parameters"]] == ["Idempotency-Key", "traceparent"]
    assert asking["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/AskedUpdate"
    }
    assert asking["responses"].keys() == {"202", "400", "401", "403", "413", "415", "422", "429", "503", "default"}
    assert asking["responses"]["422"]["content"].keys() == {"application/problem+json"}
    assert "{$request.body#/callbackUrl}" in asking["callbacks"]["ended"]
    assert asking["security"] == [{"apiKey": []}]
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_asking_with_a_signature_says_how_to_sign_and_that_the_key_may_be_left_out(document: dict[str, Any]) -> None:
    asking = document["paths"]["/v1/clients/{client}/updates"]["post"]
    assert asking["security"] == [{"webhookId": [], "webhookTimestamp": [], "webhookSignature": []}]
    schemes = document["components"]["securitySchemes"]
    assert {schemes[name]["name"] for name in asking["security"][0]} == {
        "webhook-id", "webhook-timestamp", "webhook-signature"
    }  # fmt: skip
    required = {parameter["name"]: parameter["required"] for parameter in asking["parameters"]}
    assert required == {"client": True, "Idempotency-Key": False, "traceparent": False}
    assert "{$request.body#/callbackUrl}" in asking["callbacks"]["ended"]


def test_who_asks_for_callbacks_about_changes_is_told_what_they_look_like(document: dict[str, Any]) -> None:
    def told(path: str) -> dict[str, str]:
        callbacks = document["paths"][path]["post"]["callbacks"]
        posts = {name: one["{$request.body#/callbackUrl}"]["post"] for name, one in callbacks.items()}
        bodies = {name: post["requestBody"]["content"]["application/json"] for name, post in posts.items()}
        return {name: body["schema"]["$ref"].rpartition("/")[2] for name, body in bodies.items()}

    assert told("/v1/subscriptions") == {"changed": "ChangeBody"}
    assert told("/v1/mirrors") == {"ended": "CallbackBody", "sourceDeleted": "ChangeBody"}


def test_every_kind_of_problem_is_in_the_document(document: dict[str, Any]) -> None:
    told = json.dumps(document["paths"])
    of_no_operation = {"method-not-allowed", "internal"}
    assert {name for name in KINDS if f"(`/problems/{name}`)" not in told} == of_no_operation


def test_who_is_told_to_wait_is_told_how_long(document: dict[str, Any]) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            for status in {"429", "503"} & operation["responses"].keys():
                assert operation["responses"][status]["headers"].keys() == {"Retry-After"}


def test_who_is_not_let_in_is_told_how_to_say_who_it_is(document: dict[str, Any]) -> None:
    refused = [
        operation["responses"]["401"]
        for item in document["paths"].values()
        for operation in item.values()
        if "401" in operation["responses"]
    ]
    assert {tuple(response["headers"]) for response in refused} == {("WWW-Authenticate",)}


def test_every_client_may_be_told_to_wait(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert not operation.get("security") or "429" in operation["responses"], f"{method} {path}"


def test_the_body_is_described_property_by_property(document: dict[str, Any]) -> None:
    assert document["components"]["schemas"]["EventProperties"]["properties"].keys() >= PROPERTIES.keys()
    assert document["components"]["schemas"]["AskedUpdate"]["additionalProperties"] is False


def test_every_property_of_every_body_is_described_in_a_few_words_at_least(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    shown = {(model, name): at for model in schemas for name, at in schemas[model].get("properties", {}).items()}
    assert len(shown) > 200
    assert [place for place, at in shown.items() if len(at.get("description", "").split()) < 3] == []


@pytest.mark.parametrize("body", [SMALLEST, SEED], ids=["smallest", "seed"])
def test_what_we_accept_is_as_the_document_says(document: dict[str, Any], body: dict[str, Any]) -> None:
    assert _is_as(document, "AskedUpdate", body)


def test_what_we_answer_is_as_the_document_says(document: dict[str, Any], hr: Caller) -> None:
    accepted = hr.ask(SEED).get_json()
    assert _is_as(document, "ShownUpdate", accepted)
    assert _is_as(document, "ShownUpdate", hr.get(f"/v1/updates/{accepted['id']}").get_json())
    assert _is_as(document, "ShownPage", hr.get("/v1/updates").get_json())
    assert _is_as(document, "ShownHealth", hr.get("/readyz").get_json())
    assert _is_as(document, "ProblemDocument", hr.ask({"set": 5}).get_json(force=True))


def test_the_page_to_read_it_on_needs_no_other_server(http: FlaskClient) -> None:
    page = http.get("/docs").text
    assert "openapi.json" in page
    assert "//" not in page.split("<body>")[0].replace("<!--", "")
    for asset in ("swagger/css/swagger-ui.css", "swagger/js/swagger-ui-bundle.js"):
        assert asset in page
        assert http.get(f"/{asset}").status_code == 200
