"""Callbacks: composed when an update is settled, signed and POSTed as jobs of their own.

The body is fixed when the callback is composed and ``webhook-id`` is the job's id, so both stay the same over all
attempts; timestamp and signature are new each time.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

import httpcore

from workers import trace
from workers.callbacks.egress import Answer, DeadlineExceeded, post
from workers.callbacks.public_net import Blocked
from workers.callbacks.signature import sign
from workers.clock import now
from workers.failpoint import failpoint
from workers.identifiers import new_id
from workers.job import ErrorClass, Failure, UpdateJob
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.public import public
from workers.retry_after import retry_after
from workers.settings import Client
from workers.store import Callback
from workers.update import known_fields
from workers.version import USER_AGENT

SCHEDULE = tuple(timedelta(seconds=seconds) for seconds in (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400))
"""How long after the previous one each attempt is made: ten attempts in about three days."""
LONGEST_RETRY_AFTER = timedelta(hours=10)
ROOM = 10
"""Callbacks of one client at once to one host."""
SAID_AT_MOST = 500
"""Characters of an error that quotes the receiver: each attempt is kept, logged and shown."""
_NO_ANSWER = (
    OSError, DeadlineExceeded, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a callback job holds: the client whose secrets sign it, where it goes, the exact text to send, and its
    update's trace."""

    client: str
    url: str
    text: str
    traceparent: str | None = None

    @property
    def update(self) -> str | None:
        """The id of the update that it tells of; None if it tells of a change in a mailbox."""
        body = json.loads(self.text)
        return str(body["data"]["id"]) if body["type"].startswith("calendar.update.") else None

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**known_fields(cls, json.loads(text)))


def for_update(job: UpdateJob) -> Callback | None:
    """The callback that tells how ``job`` ended, or None where nobody asked for one."""
    update = job.update
    if update.callback_url is None:
        return None
    event = f"calendar.update.{job.state.value}"
    body = {"type": event, "timestamp": job.finished_at, "data": public(job)}
    text = json.dumps(body, separators=(",", ":"))
    delivery = Delivery(update.client, update.callback_url, text, update.traceparent)
    return composed(delivery, update.target.owner, update.target.line, f"{event}, {update.id}")


def composed(delivery: Delivery, owner: str, line: str, label: str) -> Callback:
    """The job that delivers it. ``owner`` and ``line`` are those of the event, ``label`` says what it tells."""
    host = urlsplit(delivery.url).netloc.lower()
    return Callback(
        id=new_id("msg"),
        body=delivery.to_json(),
        client=delivery.client,
        owner=owner,
        line=f"callback/{delivery.client}/{delivery.url}/{line}",
        lane=f"callback/{delivery.client}@{host}",
        room=ROOM,
        label=f"{host}, {label}",
    )


class Deliverer:
    """Delivers callbacks. Thread-safe."""

    def __init__(self, clients: Mapping[str, Client], public_trust: ssl.SSLContext, own_trust: ssl.SSLContext) -> None:
        self._clients = clients
        self._public_trust = public_trust
        self._own_trust = own_trust
        """For clients with networks of their own, whose hosts may have certificates of the backends' private CAs."""

    def deliver(self, job_id: str, body: str, attempts: int, dice: float) -> Outcome:
        """One attempt; ``attempts``: how many came before."""
        delivery = Delivery.from_json(body)
        client = self._clients.get(delivery.client)
        if client is None:
            return _dead("refused", "ClientGone", f"The client {delivery.client} is no longer configured.")
        secrets = [secret.get_secret_value() for secret in client.webhook_secrets]
        if not secrets:
            return _dead("refused", "NoSecret", f"The client {client.name} has no webhook secret to sign it with.")
        try:
            answer = self._posted(delivery, client, secrets, job_id)
        except Blocked as error:
            return _dead("refused", "blocked", str(error))
        except _NO_ANSWER as error:
            return _again(f"{type(error).__name__}: {error}"[:SAID_AT_MOST], attempts, timedelta(), dice)
        return judge(answer, attempts, dice)

    def _posted(self, delivery: Delivery, client: Client, secrets: Sequence[str], job_id: str) -> Answer:
        raw = delivery.text.encode()
        trust = self._own_trust if client.callback_networks else self._public_trust
        failpoint("post.before", job_id)
        with trace.span("callback", delivery.traceparent) as note:
            headers = [*_headers(secrets, job_id, raw, delivery.url), *trace.headers().items()]
            answer = post(delivery.url, headers, raw, networks=client.callback_networks, context=trust)
            note("status", str(answer.status))
        failpoint("post.after", job_id)
        return answer


def judge(answer: Answer, attempts: int, dice: float) -> Outcome:
    """2xx is success, 410 the end, everything else (3xx too) is tried again on schedule."""
    if 200 <= answer.status < 300:
        return Succeeded(None, f"HTTP {answer.status}")
    if answer.status == 410:
        return _dead("refused", "410", "The receiver answered 410 Gone: it wants no more callbacks.")
    hint = retry_after(answer.header("retry-after"), now()) or 0
    return _again(f"HTTP {answer.status}", attempts, min(timedelta(seconds=min(hint, 1e6)), LONGEST_RETRY_AFTER), dice)


def _again(detail: str, attempts: int, hint: timedelta, dice: float) -> Outcome:
    if attempts + 1 >= len(SCHEDULE):
        return _dead("unavailable", "CallbackExhausted", f"{len(SCHEDULE)} attempts failed; the last: {detail}")
    planned = SCHEDULE[attempts + 1]
    jitter = min(max(planned * 0.1, timedelta(seconds=2)), timedelta(minutes=15)) * dice
    return Retry("unavailable", detail, max(planned, hint) + jitter)


def _headers(secrets: Sequence[str], job_id: str, raw: bytes, url: str) -> list[tuple[str, str]]:
    timestamp = int(now().timestamp())
    return [
        ("host", urlsplit(url).netloc),
        ("content-type", "application/json"),
        ("content-length", str(len(raw))),
        ("accept-encoding", "identity"),
        ("user-agent", USER_AGENT),
        ("webhook-id", job_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", sign(secrets, job_id, timestamp, raw)),
    ]


def _dead(error_class: ErrorClass, code: str, detail: str) -> Dead:
    return Dead(Failure(error_class, code, "The callback could not be delivered", detail))
