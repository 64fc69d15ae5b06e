"""Subscriptions: https://learn.microsoft.com/graph/api/resources/subscription.

Create with the validation handshake, list, get, renew, reauthorize, delete. What they are told is in notifier.
"""

from __future__ import annotations

import json
import re
import ssl
import uuid
from base64 import b64decode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_der_x509_certificate

from ops.sandbox.call import Call, Json, Reply
from ops.sandbox.event import utc_now
from ops.sandbox.graph.errors import GraphError
from ops.sandbox.graph.sealing import Seal
from ops.sandbox.store import Missing, Store
from ops.sandbox.tokens import Token

LONGEST = timedelta(minutes=10_080)
LONGEST_RICH = timedelta(minutes=1_440)
SHORTEST = timedelta(minutes=45)
LONGEST_SECRET = 128
"""Characters in a clientState."""
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription of an application. ``mailbox``: the address whose events it is about."""

    id: str
    mailbox: str
    resource: str
    change_type: str
    notification_url: str
    lifecycle_url: str | None
    client_state: str | None
    expires: datetime
    seal: Seal | None = None
    """For rich notifications."""

    def wants(self, mailbox: str, change: str, now: datetime) -> bool:
        """Whether it wants to hear of such a change in this mailbox."""
        return self.mailbox == mailbox and change in self.change_type.split(",") and now < self.expires

    def show(self, *, secretive: bool) -> Json:
        """Its JSON. A list does not show the clientState."""
        return {
            "id": self.id,
            "resource": self.resource,
            "changeType": self.change_type,
            "notificationUrl": self.notification_url,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "clientState": None if secretive else self.client_state,
            "expirationDateTime": moment(self.expires),
            "latestSupportedTlsVersion": "v1_2",
            "includeResourceData": self.seal is not None,
            "encryptionCertificateId": self.seal.certificate_id if self.seal else None,
        }


def concerns(path: str) -> bool:
    """Whether a Graph path is one of these."""
    return path.split("/")[0].lower() == "subscriptions"


@dataclass(frozen=True, slots=True)
class Office:
    """Where subscriptions are kept, for whose mailboxes, and for how long at most (None: as documented)."""

    kept: dict[str, Subscription]
    store: Store
    life: timedelta | None


def answer(office: Office, call: Call, token: Token) -> Reply:
    """Answer one call of an application, or of a person; ``GraphError``, or ``UNREADABLE``."""
    kept = office.kept
    rest = [segment for segment in call.path.split("/") if segment][1:]
    match call.method, rest:
        case "POST", []:
            made = _create(office, json.loads(call.body), token)
            return Reply.of_json(made.show(secretive=False), 201)
        case "GET", []:
            return Reply.of_json({"value": [one.show(secretive=True) for one in kept.values()]})
    known = kept.get(rest[0]) if rest else None
    if known is None or known.expires <= utc_now():
        raise GraphError(404, "ResourceNotFound", "The object was not found.")
    match call.method, rest[1:]:
        case "GET", []:
            return Reply.of_json(known.show(secretive=False))
        case "PATCH", []:
            asked = json.loads(call.body)
            seal = _seal(asked, token.client_id) or known.seal
            kept[known.id] = replace(known, expires=_expiry(office, asked, rich=seal is not None), seal=seal)
            return Reply.of_json(kept[known.id].show(secretive=False))
        case "POST", ["reauthorize"]:
            return Reply(204)
        case "DELETE", []:
            del kept[known.id]
            return Reply(204)
    raise GraphError(405, "UnsupportedMethod", f"The method {call.method} is not supported here.")


def post(url: str, body: bytes = b"", content_type: str = "application/json") -> httpx.Response:
    """POST to a client. Plain http is allowed here, and certificates are not checked."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with httpx.Client(verify=context, trust_env=False, timeout=_TIMEOUT) as client:
        return client.post(url, content=body, headers={"Content-Type": content_type})


def moment(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def _create(office: Office, asked: Json, token: Token) -> Subscription:
    if len(asked.get("clientState") or "") > LONGEST_SECRET:
        raise GraphError(400, "InvalidRequest", f"The clientState is longer than {LONGEST_SECRET} characters.")
    seal = _seal(asked, token.client_id)
    made = Subscription(
        id=str(uuid.uuid4()),
        mailbox=_mailbox(office.store, asked["resource"], token.user),
        resource=asked["resource"],
        change_type=asked["changeType"],
        notification_url=asked["notificationUrl"],
        lifecycle_url=asked.get("lifecycleNotificationUrl"),
        client_state=asked.get("clientState"),
        expires=_expiry(office, asked, rich=seal is not None),
        seal=seal,
    )
    for other in office.kept.values():
        if (other.mailbox, other.change_type) == (made.mailbox, made.change_type) and other.expires > utc_now():
            text = f"Subscription Id {other.id} already exists for the requested combination"
            raise GraphError(409, "ExtensionError", text)
    for url in filter(None, (made.notification_url, made.lifecycle_url)):
        _validate(url)
    office.kept[made.id] = made
    return made


def _validate(url: str) -> None:
    """https://learn.microsoft.com/graph/change-notifications-delivery-webhooks#notificationurl-validation"""
    token = f"Validation: Testing client application reachability for subscription Request-Id: {uuid.uuid4()}"
    joint = "&" if urlsplit(url).query else "?"
    try:
        reply = post(f"{url}{joint}validationToken={quote(token)}", b"", "text/plain; charset=utf-8")
    except httpx.HTTPError as error:
        raise _unvalidated(f"{type(error).__name__}") from error
    if reply.status_code != 200 or reply.text != token or not reply.headers["content-type"].startswith("text/plain"):
        raise _unvalidated(f"HTTP status code is '{reply.status_code}'")


def _unvalidated(why: str) -> GraphError:
    text = (
        "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request."
    )
    return GraphError(400, "ValidationError", f"{text} ({why})")


def _mailbox(store: Store, resource: str, person: str | None) -> str:
    """Whose events the resource names. ``person``: who ``me`` is."""
    found = re.fullmatch(r"/?(?:users/([^/]+)|me)/events(?:\?\$select=[\w,]+)?", resource, re.IGNORECASE)
    try:
        return store.mailbox((found[1] or person or "") if found else "").address
    except Missing as missing:
        raise ValueError("resource") from missing


def _seal(asked: Json, application: str) -> Seal | None:
    """What to seal with. Raises ``ValueError`` and the like if it is not a certificate."""
    if "encryptionCertificate" not in asked:
        return None
    if not isinstance(load_der_x509_certificate(b64decode(asked["encryptionCertificate"])).public_key(), RSAPublicKey):
        raise ValueError("encryptionCertificate")
    return Seal(asked["encryptionCertificate"], asked["encryptionCertificateId"], application)


def _expiry(office: Office, asked: Json, *, rich: bool) -> datetime:
    wanted, now = datetime.fromisoformat(asked["expirationDateTime"]), utc_now()
    longest = LONGEST_RICH if rich else LONGEST
    if wanted > now + longest:
        text = f"Subscription expiration can only be {longest // timedelta(minutes=1)} minutes in the future."
        raise GraphError(400, "ValidationError", text)
    return max(wanted, now + SHORTEST) if office.life is None else now + office.life
