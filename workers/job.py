"""Our life with one piece of work: its state, its attempts, how it ended. The state machine as a table.

Data only. What moves a job from state to state is workers/store; how an attempt goes is workers/executor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from workers.event.properties import shown_change
from workers.update import Json, Update

Kind = Literal["update", "callback", "notification", "watch"]
ErrorClass = Literal[
    "conflict", "refused", "notFound", "accessDenied", "throttled", "unavailable", "unknownOutcome", "expired",
    "internal",
]  # fmt: skip
"""Why a job is dead, in a word: the contract's ``class``. ops/ERRORS.md says what to do."""
TITLES: Mapping[ErrorClass, str] = {
    "conflict": "Somebody else changed the event",
    "refused": "Exchange refuses this update",
    "notFound": "The event is not there",
    "accessDenied": "Exchange does not let us in",
    "throttled": "Exchange asked us to stay away for too long",
    "unavailable": "Exchange could not be reached",
    "unknownOutcome": "It cannot be known whether the update was applied",
    "expired": "The deadline passed",
    "internal": "Rendezvous failed",
}
"""Of an update; a callback has titles of its own (workers/callbacks)."""


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"

    @property
    def settled(self) -> bool:
        return self in (State.SUCCEEDED, State.DEAD, State.CANCELLED)


TRANSITIONS: Mapping[tuple[State | None, str], State] = {
    (None, "accept"): State.QUEUED,
    (State.QUEUED, "claim"): State.RUNNING,
    (State.RETRYING, "claim"): State.RUNNING,
    (State.RUNNING, "succeed"): State.SUCCEEDED,
    (State.RUNNING, "retry"): State.RETRYING,
    (State.RUNNING, "die"): State.DEAD,
    (State.RUNNING, "sweep"): State.RETRYING,
    (State.RUNNING, "hand_back"): State.RETRYING,
    (State.QUEUED, "cancel"): State.CANCELLED,
    (State.RETRYING, "cancel"): State.CANCELLED,
    (State.QUEUED, "expire"): State.DEAD,
    (State.RETRYING, "expire"): State.DEAD,
    (State.DEAD, "replay"): State.QUEUED,
}
"""(state, what happens) → state. Everything that is not here leaves a job as it is. ops/LIFECYCLE.md draws it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a job. Moments are RFC 3339. ``outcome``: succeeded, noop, or the error's class; ``lost`` where a
    worker died."""

    number: int
    startedAt: str  # noqa: N815 - this is the contract's JSON, stored and shown as it is
    endedAt: str  # noqa: N815 - as above
    outcome: str
    detail: str | None = None
    retryAt: str | None = None  # noqa: N815 - as above
    requestId: str | None = None  # noqa: N815 - as above


@dataclass(frozen=True, slots=True)
class Clash:
    """A property that both we and somebody else want to change: its value at first, theirs, and ours."""

    property: str
    base: Json
    theirs: Json
    ours: Json

    def to_json(self) -> dict[str, Json]:
        values = {"base": self.base, "theirs": self.theirs, "ours": self.ours}
        return {"property": self.property, **shown_change(self.property, values)}


def named(clashes: Iterable[Clash]) -> str:
    """The properties that clash, for a sentence."""
    return ", ".join(dict.fromkeys(clash.property for clash in clashes))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job is dead. ``error_class`` is the contract's ``class``, ``code`` the backend's own where there is one."""

    error_class: ErrorClass
    code: str
    title: str
    detail: str
    conflicts: tuple[Clash, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return {
            "class": self.error_class,
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "conflicts": [clash.to_json() for clash in self.conflicts],
        }


def failure(error_class: ErrorClass, code: str, detail: str, conflicts: tuple[Clash, ...] = ()) -> Failure:
    """Why an update is dead, with the title of its class."""
    return Failure(error_class, code, TITLES[error_class], detail, conflicts)


@dataclass(frozen=True, slots=True)
class Result:
    """What a succeeded update did. ``changed``: property → {"before", "after"}. ``invitations``: the mode that was
    used, None if nothing was written or it is not known. ``mails``: how many mails Exchange would send at most, by its
    documentation. ``notices``: what a person should know, as sentences."""

    version: str | None
    noop: bool
    changed: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    invitations: str | None = None
    verified: bool = False
    mails: int = 0
    notices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return {
            "version": self.version,
            "noop": self.noop,
            "changed": {name: shown_change(name, change) for name, change in self.changed.items()},
            "invitations": self.invitations,
            "verified": self.verified,
            "mails": self.mails,
            "notices": list(self.notices),
        }


@dataclass(frozen=True, slots=True)
class CallbackState:
    """Where an update's callback stands: ``waiting`` ``delivered`` ``dead``."""

    url: str
    state: str
    attempts: int


@dataclass(frozen=True, slots=True)
class UpdateJob:
    """An update and its life so far. ``result`` and ``error`` are the contract's JSON."""

    update: Update
    state: State
    attempts: tuple[Attempt, ...] = ()
    result: Json = None
    error: Json = None
    due_at: str | None = None
    finished_at: str | None = None
    callback: CallbackState | None = None
