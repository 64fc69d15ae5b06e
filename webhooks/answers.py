"""What the API answers, for the OpenAPI document and the tests; what stands below a field describes it in the document.

The answers themselves are made by workers/public and webhooks/problems.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic.alias_generators import to_camel

from workers.job import ErrorClass, State


class Shown(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, use_attribute_docstrings=True)


class ShownAttempt(Shown):
    number: int
    """The first one is 1; a replay counts on."""
    started_at: str
    """When it began: RFC 3339 in UTC."""
    ended_at: str
    """When it ended: RFC 3339 in UTC."""
    outcome: str
    """``succeeded``; ``noop`` where nothing was to be written; ``lost`` where its worker died or was stopped; else the
    class of its error."""
    detail: str | None
    """What happened, in one line; null where there is nothing to add."""
    retry_at: str | None
    """When the next attempt is due: RFC 3339 in UTC; null where none was planned."""
    request_id: str | None
    """Exchange's id of the request, which Microsoft asks for; null where it is not known."""


class ShownResult(Shown):
    """What a succeeded update did."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)

    version: str | None
    """The event's ETag (Graph) or ChangeKey (EWS) afterwards; empty where Exchange did not tell it."""
    noop: bool
    """Whether the event was already as asked, so that nothing was written and nobody mailed."""
    changed: dict[str, dict[str, Any]]
    """Each property that was changed, with its value ``before`` and ``after``."""
    invitations: str | None
    """The value of ``sendInvitations`` that was used; null where nothing was written or it is no longer known."""
    verified: bool
    """Whether the event, as Exchange told it after the write, has all that was asked; false for a ``noop``."""
    mails: int
    """How many mails Exchange was to send about it at most."""
    notices: list[str]
    """What a person should know about the change, as sentences; mostly empty."""


class ShownClash(Shown):
    property: str
    """The property in conflict, or ``version`` where only that is known."""
    base: Any
    """The value that was expected, or with which we began."""
    theirs: Any
    """The value that the event has now."""
    ours: Any
    """The value that was to be written."""


class ShownError(Shown):
    class_: ErrorClass = Field(alias="class")
    """The kind of failure, which says whether anything can be done about it."""
    code: str
    """The backend's own code where it has one, such as ``ErrorItemNotFound``, else one of ours."""
    title: str
    """What kind of failure it is, in a few words."""
    detail: str
    """What went wrong this time."""
    conflicts: list[ShownClash]
    """The properties in conflict; empty where there is none."""


class ShownCallback(Shown):
    url: str
    """The ``callbackUrl`` that was asked for."""
    state: Literal["waiting", "delivered", "dead"]
    """``waiting`` until it is ``delivered``, or ``dead`` when it was given up."""
    attempts: int
    """How many attempts to deliver it have ended."""


class ShownUpdate(Shown):
    """An update and its life so far."""

    id: str
    """The update's id: ``upd_`` and a ULID."""
    state: State
    """``queued``, ``running`` or ``retrying`` while it lives; at the end ``succeeded``, ``dead`` or ``cancelled``."""
    target: dict[str, Any]
    """The target as it was asked for, with the name of its backend."""
    metadata: dict[str, Any]
    """The metadata as it was given; ``{}`` where there was none."""
    created_at: str
    """When it was accepted: RFC 3339 in UTC."""
    finished_at: str | None
    """When it ended: RFC 3339 in UTC; null while it lives."""
    due_at: str | None
    """When it is tried next at the earliest: RFC 3339 in UTC; null where it does not wait for a moment."""
    attempts: list[ShownAttempt]
    """Every attempt that has ended, the first one first."""
    result: ShownResult | None
    """What it did; null unless it has ``succeeded``."""
    error: ShownError | None
    """Why it was given up; null unless it is ``dead``."""
    callback: ShownCallback | None
    """Where its callback stands; null where none was asked for."""


class ShownPage(Shown):
    items: list[ShownUpdate]
    """The updates of this page, newest first."""
    next_cursor: str | None
    """The ``cursor`` of the next page; null on the last one. A page may hold fewer than ``limit``, even none, while
    more follow: go on until this is null."""


class ShownDeadUpdate(ShownUpdate):
    """An update that was given up."""

    kind: Literal["update"] = Field(default="update")
    """Says that this is an update."""


class ShownDeadCallback(Shown):
    """A callback that was given up."""

    kind: Literal["callback"]
    """Says that this is a callback."""
    id: str
    """The callback's id, which receivers see as ``webhook-id``."""
    state: Literal["dead", "queued"]
    """``dead``, or ``queued`` in the answer to its replay."""
    type: str | None
    """The ``type`` of its body, such as ``calendar.update.succeeded``; null where what is stored cannot be read."""
    update: str | None
    """The id of the update that it tells of; null where it tells of a change, or cannot be read."""
    url: str | None
    """Where it was to be delivered; null where what is stored cannot be read."""
    finished_at: str
    """When it was given up: RFC 3339 in UTC."""
    attempts: list[ShownAttempt]
    """Every attempt to deliver it, the first one first."""
    error: ShownError
    """Why it was given up."""


class ShownLetter(RootModel[ShownDeadUpdate | ShownDeadCallback]):
    """A dead letter: the update or the callback, and which of the two it is."""


class ShownLetters(Shown):
    items: list[ShownLetter]
    """The dead letters of this page, last died first."""
    next_cursor: str | None
    """The ``cursor`` of the next page; null on the last one. A page may hold fewer than ``limit``, even none, while
    more follow: go on until this is null."""


class ShownReplay(Shown):
    """What bringing back many dead letters came to."""

    matched: int
    """How many dead letters are meant."""
    replayed: int
    """How many were brought back; 0 in a dry run."""
    dry_run: bool
    """Whether they were only counted."""


class CallbackBody(Shown):
    """What is posted to ``callbackUrl``, signed as Standard Webhooks."""

    type: Literal["calendar.update.succeeded", "calendar.update.dead", "calendar.update.cancelled"]
    """How the update ended."""
    timestamp: str
    """When the update ended: RFC 3339 in UTC."""
    data: ShownUpdate
    """The update as it was when it ended."""


class ShownHealth(Shown):
    """All is well."""

    status: Literal["ok"]
    """Says that this process answers."""
    store: Literal["ok"] = Field(default="ok")
    """Says that the store answers and keeps what it is given; at ``/readyz`` only."""
    broker: Literal["ok"] = Field(default="ok")
    """Says that the broker answers; at ``/readyz`` only."""


class ProblemError(Shown):
    detail: str
    """What is wrong with the field, as a sentence."""
    pointer: str
    """A JSON Pointer to the field; empty for the whole body."""


class ProblemDocument(Shown):
    """RFC 9457."""

    type: str
    """The path of a page of this server that says what it means and what to do."""
    title: str
    """What kind of problem it is, in a few words."""
    status: int
    """The HTTP status of the answer."""
    detail: str
    """What is wrong with this request, as a sentence."""
    errors: list[ProblemError] = Field(default=[])
    """Each field that is to blame; left out where none is."""
    request_id: str = Field(default="")
    """The id under which the request is logged, also in the header ``X-Request-Id``."""
