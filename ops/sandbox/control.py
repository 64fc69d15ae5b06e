"""The operator's client: drives a running sandbox from tests, ``make run`` and the chaos suite."""

from __future__ import annotations

import ssl
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

import httpx

from ops.sandbox.call import Json
from ops.sandbox.callbacks import Answer
from ops.sandbox.calls import Received
from ops.sandbox.event import graph_form
from ops.sandbox.faults import Fault
from ops.sandbox.journal import Entry, Invitation

TIMEOUT = 30.0
"""Seconds for an answer: what the sandbox does to callers on purpose it never does to its operator."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as the operator sees it. ``properties``: Graph's names; ``start``, ``end`` in the event's own zone."""

    id: str
    graph_id: str
    mailbox: str
    calendar: str
    uid: str
    etag: str
    change_key: str
    ews_change_key: str
    properties: Mapping[str, Json]
    extended: Mapping[str, str]
    is_meeting: bool
    is_organizer: bool
    sequence: int


@dataclass(frozen=True, slots=True)
class Post:
    """A callback as it arrived. Header names are lower-case."""

    at: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    status: int


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: where it is, and everything that an operator may do to it.

    Every method raises ``httpx.HTTPStatusError`` when the sandbox refuses.
    """

    url: str
    ca_file: Path
    _client: httpx.Client

    @classmethod
    def at(cls, url: str, ca_file: Path) -> Self:
        """The sandbox at this address, on this machine: no proxy of the environment can reach it."""
        context, url = ssl.create_default_context(cafile=str(ca_file)), url.rstrip("/")
        client = httpx.Client(base_url=f"{url}/sandbox/", verify=context, timeout=TIMEOUT, trust_env=False)
        return cls(url, ca_file, client)

    @property
    def graph_url(self) -> str:
        """Graph's base address."""
        return f"{self.url}/graph/v1.0"

    @property
    def ews_url(self) -> str:
        """The EWS endpoint."""
        return f"{self.url}/EWS/Exchange.asmx"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def reset(self) -> None:
        """Start again from the seed: events, journal, calls, faults, behaviour, callbacks."""
        self._do("POST", "reset")

    def create_mailbox(self, address: str, kind: Literal["cloud", "onPremises", "group"] = "cloud") -> Json:
        """Open a mailbox: its address, object id and calendars."""
        return self._do("POST", "mailboxes", {"address": address, "kind": kind})

    def create_event(
        self,
        mailbox: str,
        properties: Mapping[str, Json] | None = None,
        *,
        calendar: str | None = None,
        extended: Mapping[str, str] | None = None,
        is_organizer: bool = True,
    ) -> Seen:
        """Make an event, as a person would; ``properties`` in the stored form (see ``event.DEFAULTS``)."""
        body = {"mailbox": mailbox, "properties": properties or {}, "calendar": calendar, "extended": extended or {}}
        return Seen(**self._do("POST", "events", {**body, "is_organizer": is_organizer}))

    def event(self, event_id: str) -> Seen:
        """An event as it stands, by its id in either spelling."""
        return Seen(**self._do("GET", f"events/{graph_form(event_id)}"))

    def edit(self, event_id: str, properties: Mapping[str, Json]) -> Seen:
        """A person changes an event; nobody is mailed."""
        return Seen(**self._do("PATCH", f"events/{graph_form(event_id)}", dict(properties)))

    def touch(self, event_id: str) -> Seen:
        """Exchange moves the version by itself."""
        return Seen(**self._do("POST", f"events/{graph_form(event_id)}/touch"))

    def delete(self, event_id: str) -> None:
        """A person deletes an event."""
        self._do("DELETE", f"events/{graph_form(event_id)}")

    def journal(self, event_id: str = "", since: int = 0) -> list[Entry]:
        """Every applied write to one event or to all after entry number ``since``, oldest first."""
        entries = self._do("GET", "journal", event=graph_form(event_id), since=since)
        return [Entry(**{**entry, "written": tuple(entry["written"])}) for entry in entries]

    def invitations(self, event_id: str = "") -> list[Invitation]:
        """Every mail that went out, oldest first."""
        mails = self._do("GET", "invitations", event=graph_form(event_id))
        return [Invitation(**{**mail, "about": tuple(mail["about"])}) for mail in mails]

    def calls(self, since: int = 0) -> list[Received]:
        """Every API call received after number ``since``."""
        return [Received(**call) for call in self._do("GET", "calls", since=since)]

    def most_at_once(self, mailbox: str) -> int:
        """The most calls at once that a mailbox has seen."""
        return int(self._do("GET", "concurrency").get(mailbox.lower(), 0))

    def fail(self, fault: Fault) -> None:
        """Add a fault: let something go wrong."""
        self._do("POST", "faults", asdict(fault))

    def faults(self) -> list[Fault]:
        """What is still to go wrong. A fault is gone from here as soon as its last call has come."""
        return [Fault(**fault) for fault in self._do("GET", "faults")]

    def clear_faults(self) -> None:
        """Take all faults away: everything works again, and calls that are held go on."""
        self._do("DELETE", "faults")

    def behave(self, **traits: bool | float | str | None) -> None:
        """Change standing traits: the fields of ``world.Behaviour``."""
        self._do("PUT", "behaviour", traits)

    def callbacks(self) -> list[Post]:
        """Every post to ``/callbacks/…``, in order of arrival."""
        return [_post(caught) for caught in self._do("GET", "callbacks")]

    def answer_callbacks(self, answer: Answer) -> None:
        """Choose how the catcher answers from now on."""
        self._do("PUT", "callbacks/answer", asdict(answer))

    def register_client(self, client_id: str, *, secret: str | None = None, certificate: str | None = None) -> None:
        """Register an application with a secret or a PEM certificate."""
        self._do("POST", "clients", {"client_id": client_id, "secret": secret, "certificate": certificate})

    def register_refresh_token(self, token: str, mailbox: str) -> None:
        """Let a refresh token stand for somebody's sign-in."""
        self._do("POST", "refresh-tokens", {"token": token, "mailbox": mailbox})

    def subscriptions(self) -> list[Json]:
        """Graph's subscriptions, clientState included."""
        return list(self._do("GET", "subscriptions"))

    def lifecycle(self, event: Literal["reauthorizationRequired", "subscriptionRemoved", "missed"]) -> int:
        """Let Graph send a lifecycle notification to every subscription. Returns how many there are."""
        return int(self._do("POST", "lifecycle", {"event": event})["told"])

    def revoke_tokens(self) -> None:
        """Make every access token given out so far invalid."""
        self._do("DELETE", "tokens")

    def _do(self, method: str, path: str, body: Json = None, **query: Any) -> Json:
        reply = self._client.request(method, path, json=body, params=query or None)
        reply.raise_for_status()
        return reply.json()


def _post(caught: Json) -> Post:
    return Post(
        at=caught["at"],
        path=caught["path"],
        query=caught["query"],
        headers=caught["headers"],
        body=b64decode(caught["body_base64"]),
        status=caught["status"],
    )
