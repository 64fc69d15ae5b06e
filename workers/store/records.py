"""What goes into the store's steps and comes out of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import cast

from workers.job import Attempt, CallbackState, Kind, State, UpdateJob
from workers.store.milliseconds import moment
from workers.update import Json, Update, known_fields, rfc3339


@dataclass(frozen=True, slots=True)
class Ring:
    """A bell that should ring: which job, of what kind, and how people are to see it."""

    id: str
    kind: Kind
    label: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """``created`` is False if the client has used the key before; then ``id`` is the earlier update's."""

    id: str
    created: bool
    same_body: bool
    rings: tuple[Ring, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to run a job until its lease ends.

    ``claims``: claims since the last outcome, this one included. ``attempts``: how many attempts came before. Of those
    since acceptance or the last replay, ``tries`` came to an outcome; ``lost`` did not, because their worker died or
    was stopped, which is not the job's fault. ``in_doubt``: an earlier write may have been applied; ``intended_ago``:
    how long ago it was intended, by the store's clock.
    """

    id: str
    fence: int
    kind: Kind
    body: str
    claims: int
    attempts: int
    tries: int
    intent: str | None
    in_doubt: bool
    intended_ago: timedelta = timedelta()
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback job to be made in the same step in which its update is settled."""

    id: str
    body: str
    client: str
    owner: str
    line: str
    lane: str
    room: int
    label: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that was given up. ``accepted``: its place in the order of acceptance. ``owner``: of the mailbox. ``body``:
    as it is stored, so it may be unreadable."""

    id: str
    accepted: int
    kind: Kind
    client: str
    owner: str
    died_at: str
    attempts: tuple[Attempt, ...]
    error: Json
    body: str

    @property
    def update(self) -> Update | None:
        """The update that it is; None for other kinds, and where what is stored cannot be read."""
        try:
            return Update.from_json(self.body) if self.kind == "update" else None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


class Cancelled(StrEnum):
    """What came of a cancellation."""

    CANCELLED = "cancelled"
    RUNNING = "running"
    ENDED = "ended"
    UNKNOWN = "unknown"


_CALLBACK_STATES = {"succeeded": "delivered", "dead": "dead"}


def update_job(update: Update, job: Mapping[str, str], callback: CallbackState | None) -> UpdateJob:
    """An update and its life so far, from its hash."""
    due = job.get("not_before")
    return UpdateJob(
        update=update,
        state=State(job["state"]),
        attempts=history(job.get("attempts")),
        result=json.loads(job["result"]) if job.get("result") else None,
        error=json.loads(job["error"]) if job.get("error") else None,
        due_at=rfc3339(moment(due)) if due and due != "0" else None,
        finished_at=job.get("finished"),
        callback=callback,
    )


def callback_state(url: str, state: str | None, attempts: str | None) -> CallbackState:
    """Where a callback stands, in the words that callers see."""
    return CallbackState(url, _CALLBACK_STATES.get(state or "", "waiting"), len(history(attempts)))


def dead_letter(job_id: str, job: Mapping[str, str]) -> DeadLetter:
    """A dead letter from its hash."""
    return DeadLetter(
        id=job_id,
        accepted=int(job["accepted"]),
        kind=cast("Kind", job["kind"]),
        client=job["client"],
        owner=job["owner"],
        died_at=job["finished"],
        attempts=history(job.get("attempts")),
        error=json.loads(job["error"]),
        body=job["body"],
    )


def history(lines: str | None) -> tuple[Attempt, ...]:
    """The attempts of a job: one to a line."""
    return tuple(Attempt(**known_fields(Attempt, json.loads(line))) for line in lines.split("\n")) if lines else ()


def rings(raw: Sequence[Sequence[str]]) -> tuple[Ring, ...]:
    return tuple(Ring(job_id, cast("Kind", kind), label) for job_id, kind, label in raw)


def callback_arguments(callback: Callback | None) -> tuple[str | int, ...]:
    """As the scripts want them: see enqueue_callback in workers/store/lua/shared.lua."""
    if callback is None:
        return ("",) * 8
    return (callback.id, callback.body, callback.client, callback.owner, callback.line, callback.lane, callback.room,
            callback.label)  # fmt: skip
