"""The sandbox's subscriptions and rounds, as a client of Graph meets them. What it tells is tested end to end."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from ops.sandbox import seed
from ops.sandbox.control import Sandbox
from ops.sandbox.event import graph_form
from ops.sandbox.faults import Fault
from tests.ops.sandbox.conftest import TENANT, plain
from tests.workers.authority import certificate

WINDOW = {"startDateTime": "2026-11-01T00:00:00Z", "endDateTime": "2027-01-01T00:00:00Z"}
DELTA = "/users/anna@contoso.com/calendarView/delta"


def asked(url: str, **changes: Any) -> dict[str, Any]:
    expires = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    return {"changeType": "updated", "notificationUrl": url, "resource": "users/anna@contoso.com/events",
            "expirationDateTime": expires, "clientState": "s", **changes}  # fmt: skip


def test_an_address_that_does_not_give_the_token_back_is_refused(sandbox: Sandbox, graph: httpx.Client) -> None:
    answer = graph.post("/subscriptions", json=asked(f"{sandbox.url}/callbacks/x"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ValidationError")
    (post,) = sandbox.callbacks()
    assert "validationToken=Validation: Testing" in post.query
    assert sandbox.subscriptions() == []


@pytest.mark.parametrize("changes", [{"resource": "users/nobody@contoso.com/events"}, {"expirationDateTime": "x"}])
def test_what_makes_no_sense_is_refused(sandbox: Sandbox, graph: httpx.Client, changes: dict[str, Any]) -> None:
    assert graph.post("/subscriptions", json=asked(f"{sandbox.url}/callbacks/x", **changes)).status_code == 400


@pytest.fixture
def listener() -> Iterator[str]:
    """The address of a client that gives the validation token back and takes whatever else comes."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            [token] = parse_qs(urlsplit(self.path).query).get("validationToken", [""])
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(token.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook"
        server.shutdown()


def test_a_list_of_subscriptions_does_not_tell_their_secrets(graph: httpx.Client, listener: str) -> None:
    made = graph.post("/subscriptions", json=asked(listener))
    assert (made.status_code, made.json()["clientState"]) == (201, "s")
    [listed] = graph.get("/subscriptions").json()["value"]
    assert (listed["id"], listed["clientState"]) == (made.json()["id"], None)
    assert graph.get(f"/subscriptions/{listed['id']}").json()["clientState"] == "s"


def test_the_same_changes_are_subscribed_to_once(sandbox: Sandbox, graph: httpx.Client, listener: str) -> None:
    first = graph.post("/subscriptions", json=asked(listener)).json()["id"]
    refused = graph.post("/subscriptions", json=asked(listener))
    assert (refused.status_code, first in refused.json()["error"]["message"]) == (409, True)
    assert graph.post("/subscriptions", json=asked(listener, changeType="created")).status_code == 201
    assert graph.delete(f"/subscriptions/{first}").status_code == 204
    assert graph.post("/subscriptions", json=asked(listener)).status_code == 201
    assert len(sandbox.subscriptions()) == 2


def test_a_person_subscribes_to_their_own_events_and_an_application_is_nobody(
    graph: httpx.Client, delegated: httpx.Client, listener: str
) -> None:
    assert delegated.post("/subscriptions", json=asked(listener, resource="me/events")).status_code == 201
    assert graph.post("/subscriptions", json=asked(listener)).status_code == 409
    assert graph.post("/subscriptions", json=asked(listener, resource="me/events")).status_code == 400


def test_a_secret_has_at_most_128_characters(graph: httpx.Client, listener: str) -> None:
    assert graph.post("/subscriptions", json=asked(listener, clientState="s" * 129)).status_code == 400
    assert graph.post("/subscriptions", json=asked(listener, clientState="s" * 128)).status_code == 201


@pytest.mark.parametrize("body", [{}, {"expirationDateTime": "x"}, {"expirationDateTime": "2026-12-01T00:00:00"}, []])
def test_a_renewal_says_until_when(graph: httpx.Client, listener: str, body: Any) -> None:
    made = graph.post("/subscriptions", json=asked(listener)).json()
    assert graph.patch(f"/subscriptions/{made['id']}", json=body).status_code == 400
    assert graph.get(f"/subscriptions/{made['id']}").json() == made


def test_a_subscription_that_is_not_there_cannot_be_renewed(graph: httpx.Client) -> None:
    body = {"expirationDateTime": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    assert graph.patch("/subscriptions/none", json=body).status_code == 404


def test_a_rich_subscription_needs_a_certificate_with_an_rsa_key(
    sandbox: Sandbox, graph: httpx.Client, tmp_path: Path
) -> None:
    certificate(tmp_path / "ec.pem", ec.generate_private_key(ec.SECP256R1()))
    der = x509.load_pem_x509_certificate((tmp_path / "ec.pem").read_bytes()).public_bytes(Encoding.DER)
    for text in ("?", b64encode(b"no certificate").decode(), b64encode(der).decode()):
        body = asked(f"{sandbox.url}/callbacks/x", encryptionCertificate=text, encryptionCertificateId="c")
        assert graph.post("/subscriptions", json=body).status_code == 400


def test_a_rich_subscription_lives_for_a_day_at_most(sandbox: Sandbox, graph: httpx.Client, tmp_path: Path) -> None:
    certificate(tmp_path / "rsa.pem", rsa.generate_private_key(65537, 2048))
    der = x509.load_pem_x509_certificate((tmp_path / "rsa.pem").read_bytes()).public_bytes(Encoding.DER)
    body = asked(
        f"{sandbox.url}/callbacks/x",
        encryptionCertificate=b64encode(der).decode(),
        encryptionCertificateId="c",
        expirationDateTime=(datetime.now(UTC) + timedelta(days=2)).isoformat(),
    )
    answer = graph.post("/subscriptions", json=body)
    assert (answer.status_code, "1440 minutes" in answer.text) == (400, True)


def test_the_key_that_tokens_are_signed_with_is_published(sandbox: Sandbox) -> None:
    told = plain(sandbox).get(f"{sandbox.url}/{TENANT}/v2.0/.well-known/openid-configuration").json()
    (key,) = plain(sandbox).get(told["jwks_uri"]).json()["keys"]
    assert (key["kty"], key["use"], "d" in key) == ("RSA", "sig", False)


def test_a_round_tells_what_changed_since_the_last(sandbox: Sandbox, graph: httpx.Client) -> None:
    kept, gone = (sandbox.create_event("anna@contoso.com", {"subject": name}) for name in ("Kept", "Gone"))
    first = graph.get(DELTA, params=WINDOW).json()
    assert {kept.graph_id, gone.graph_id} <= {event["id"] for event in first["value"]}
    sandbox.edit(kept.id, {"subject": "Changed"})
    sandbox.delete(gone.id)
    second = graph.get(first["@odata.deltaLink"]).json()
    assert [(event["id"], event.get("subject"), "@removed" in event) for event in second["value"]] == [
        (kept.graph_id, "Changed", False),
        (gone.graph_id, None, True),
    ]
    assert graph.get(second["@odata.deltaLink"]).json()["value"] == []


def test_a_round_tells_nothing_of_other_calendars(sandbox: Sandbox, graph: httpx.Client) -> None:
    project = graph_form(seed.PROJECT_REVIEW)
    first = graph.get(DELTA, params=WINDOW).json()
    assert project not in {event["id"] for event in first["value"]}
    sandbox.edit(project, {"subject": "Changed"})
    sandbox.delete(project)
    assert graph.get(first["@odata.deltaLink"]).json()["value"] == []


def test_a_round_from_before_a_reset_is_too_old(sandbox: Sandbox, graph: httpx.Client) -> None:
    link = graph.get(DELTA, params=WINDOW).json()["@odata.deltaLink"]
    sandbox.reset()
    answer = graph.get(link)
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "SyncStateNotFound")


def test_a_round_is_a_call_in_its_mailbox(sandbox: Sandbox, graph: httpx.Client) -> None:
    sandbox.fail(Fault(status=503, api="graph", mailbox="anna@contoso.com"))
    assert graph.get(DELTA, params=WINDOW).status_code == 503
    sandbox.behave(graph_concurrency=0)
    refused = graph.get(DELTA, params=WINDOW)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "ApplicationThrottled")
    assert sandbox.most_at_once("anna@contoso.com") == 1


def test_subscriptions_are_no_calls_in_a_mailbox(sandbox: Sandbox, graph: httpx.Client) -> None:
    sandbox.behave(graph_concurrency=0)
    assert graph.get("/subscriptions").status_code == 200


@pytest.mark.parametrize("option", ["$select", "$expand", "$filter", "$orderby", "$search"])
def test_a_round_is_always_of_whole_events(graph: httpx.Client, option: str) -> None:
    refused = graph.get(DELTA, params={**WINDOW, option: "subject" if option == "$select" else ""})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "ErrorInvalidUrlQuery")


def test_a_first_round_needs_a_window(graph: httpx.Client) -> None:
    assert graph.get(DELTA).status_code == 400
