"""Updates, attempts and grants to test with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis

from workers.identifiers import new_id
from workers.job import Attempt
from workers.store import Accepted, Grant, Ring, Store
from workers.update import Intent, Target, Update


@dataclass
class Bells:
    """In place of the bell: which were to be rung."""

    rung: list[Ring] = field(default_factory=list)

    def ring(self, *rings: Ring) -> None:
        self.rung += rings


NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def an_update(event: str = "AAMkAGI=", mailbox: str = "anna@contoso.com", **changes: Any) -> Update:
    fields: dict[str, Any] = {
        "id": new_id("upd"),
        "client": "hr",
        "target": Target(backend="cloud", event=event, mailbox=mailbox),
        "intent": Intent(set={"subject": "Moved"}),
        "created_at": NOW,
        "deadline": NOW + timedelta(days=1),
    }
    return Update(**{**fields, **changes})


def accepted(store: Store, update: Update, key: str | None = None, room: int = 4) -> Accepted:
    return store.accept(update, key=key or update.id, fingerprint="f", room=room)


def claimed(store: Store, job_id: str) -> Grant:
    grant = store.claim(job_id)
    assert grant is not None, f"{job_id} could not be claimed"
    return grant


def ids_of(redis: Redis, kind: str) -> list[str]:
    """Of the jobs whose ids begin so: upd, msg, ntf."""
    return [str(key).removeprefix("rdv:job:") for key in redis.keys(f"rdv:job:{kind}_*")]


def an_attempt(number: int = 1, outcome: str = "succeeded") -> Attempt:
    return Attempt(number, "2026-11-21T09:00:00.000Z", "2026-11-21T09:00:01.000Z", outcome)
