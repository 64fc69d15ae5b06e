"""The callers: each changes one event of its own, step by step, and keeps every 202 it was given.

A caller asks as a careful client does: the same key again until somebody answers. Not here: whether what was promised
was kept (judge).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from ops.sandbox.seed import attendee
from tests.chaos.stage import Stage, client

CLOUD, HQ = "anna@contoso.com", "otto@hq.example"
AHEAD = 30
"""Steps that a caller asks for before it looks whether the first of them has ended. Whoever asks for more than a busy
machine can do makes a line that is long when the hurting is over, and long is not stuck."""
WAITING = ("queued", "running", "retrying")


@dataclass(frozen=True, slots=True)
class Promise:
    """A 202: this update of this event, the ``step``-th of its caller, answered ``at`` (seconds since 1970)."""

    update: str
    event: str
    step: int
    at: float
    callback: bool = True

    @property
    def subject(self) -> str:
        """What the event is called once the update was applied, and never else."""
        return f"Step {self.step}"


@dataclass(slots=True)
class Callers:
    """``events`` callers that ask every ``pace`` seconds from ``start`` to ``stop``, ``AHEAD`` steps ahead at most."""

    stage: Stage
    events: int = 8
    pace: float = 0.3
    promises: list[Promise] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    """Statuses other than 202, each tried again."""
    unreadable: set[str] = field(default_factory=set)
    """Updates of which only a dead letter tells."""
    _threads: list[threading.Thread] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)
    _api: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self._api = client(self.stage)

    def start(self) -> None:
        for number in range(self.events):
            mailbox = CLOUD if number % 2 else HQ
            target = self.target(mailbox)
            thread = threading.Thread(target=self._go_on, args=(target,), name=f"caller {number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def target(self, mailbox: str) -> dict[str, str]:
        """A new event with one guest, as the target of updates."""
        properties = {"subject": "Before", "attendees": [attendee("ben@contoso.com")]}
        event = self.stage.sandbox.create_event(mailbox, properties)
        graph = mailbox.endswith("contoso.com")
        return {"mailbox": mailbox, "event": event.graph_id if graph else event.id, "known": event.id}

    def stop(self) -> None:
        """Ask nothing new; every question asked is answered first."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def ask(
        self, target: Mapping[str, str], step: int, key: str | None = None, host: str = "", *, heard: bool = True
    ) -> Promise:
        """One update, the same key again until there is a 202. ``host``: who is to be called back, else the sandbox
        itself; ``heard`` is false where nobody is there."""
        key, url = key or uuid4().hex, f"{host or self.stage.sandbox.url}/callbacks/chaos"
        event = {name: target[name] for name in ("mailbox", "event")}
        body = {"target": event, "set": {"subject": f"Step {step}"}, "callbackUrl": url}
        while True:
            answer = self._post(body, key)
            if answer is not None:
                promise = Promise(answer["id"], target["known"], step, time.time(), callback=heard)
                self.promises.append(promise)
                return promise
            time.sleep(0.1)

    def _post(self, body: dict[str, Any], key: str) -> dict[str, Any] | None:
        try:
            answer = self._api.post("/v1/updates", json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            return None
        if answer.status_code != 202:
            self.refused.append(answer.status_code)
            return None
        return dict(answer.json())

    def state(self, update: str) -> dict[str, Any] | None:
        """What Rendezvous says about an update. None: nothing, for now."""
        try:
            answer = self._api.get(f"/v1/updates/{update}")
        except httpx.TransportError:
            return None
        if answer.status_code == 404:
            return self._given_up(update)
        return dict(answer.json()) if answer.status_code == 200 else None

    def _given_up(self, update: str) -> dict[str, Any] | None:
        """Of an update that cannot be read any more its dead letter tells. None: nothing, for now."""
        try:
            answer = self._api.get(f"/v1/dead-letters/{update}")
        except httpx.TransportError:
            return None
        if answer.status_code == 404:
            return {"state": "unheard of"}
        if answer.status_code != 200:
            return None
        self.unreadable.add(update)
        return {"state": "dead"}

    def close(self) -> None:
        self._api.close()

    def _go_on(self, target: Mapping[str, str]) -> None:
        own: list[Promise] = []
        while not self._ending.wait(self.pace):
            if len(own) < AHEAD or self._has_ended(own[-AHEAD]):
                own.append(self.ask(target, len(own)))

    def _has_ended(self, promise: Promise) -> bool:
        update = self.state(promise.update)
        return update is not None and update["state"] not in WAITING
