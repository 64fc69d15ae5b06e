import json
import socket
import time
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook

from ops.demo import client
from ops.demo.client import Api, is_genuine, is_settled
from tests.workers.receiver import Receiver, answering, receiving, take_request

SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes, ok").decode()
BODY = json.dumps({"type": "calendar.update.succeeded"}).encode()


def headers(secret: str = SECRET, body: bytes = BODY) -> dict[str, str]:
    now = datetime.now(UTC)
    signature = Webhook(secret).sign("msg_1", now, body.decode())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": f"v1,bm9uZQ== {signature}",
    }


def test_the_published_librarys_signature_is_genuine() -> None:
    assert is_genuine(headers(), BODY, SECRET)


def test_another_body_or_secret_is_not_genuine() -> None:
    other = "whsec_" + b64encode(b"another secret of 32 bytes, yes!").decode()
    assert not is_genuine(headers(), BODY + b" ", SECRET)
    assert not is_genuine(headers(other), BODY, SECRET)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_callback_without_one_of_the_headers_is_not_genuine(missing: str) -> None:
    assert not is_genuine({name: value for name, value in headers().items() if name != missing}, BODY, SECRET)


@pytest.mark.parametrize(
    ("state", "callback", "settled"),
    [
        ("queued", None, False),
        ("retrying", {"state": "delivered"}, False),
        ("succeeded", None, True),
        ("succeeded", {"state": "pending"}, False),
        ("succeeded", {"state": "delivered"}, True),
        ("dead", {"state": "dead"}, True),
    ],
)
def test_an_update_is_settled_when_its_callback_is_too(state: str, callback: object, settled: bool) -> None:
    assert is_settled({"state": state, "callback": callback}) is settled


def test_an_update_is_asked_for_under_the_same_key_until_there_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def mute(connection: socket.socket, receiver: Receiver) -> None:
        take_request(connection, receiver)
        connection.recv(1)  # until the caller hangs up

    def answer(status: str) -> bytes:
        return f'HTTP/1.1 {status}\r\ncontent-length: 13\r\nconnection: close\r\n\r\n{{"id": "upd"}}'.encode()

    monkeypatch.setattr(client, "TIMEOUT", 0.2)
    with receiving(answering(answer("503 x")), mute, answering(answer("202 x"))) as receiver:
        assert Api(f"http://127.0.0.1:{receiver.port}", "key").send({}, lambda _: time.sleep(0.01)) == {"id": "upd"}
    keys = [line for head in receiver.heads for line in head.splitlines() if line.startswith("Idempotency-Key: ")]
    assert len(keys) == 3 and len(set(keys)) == 1
