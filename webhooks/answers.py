"""What the API answers, for the OpenAPI document and the tests. The text below a field describes it in the document.

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
    """The attempt's number: the first is 1, and a replay goes on counting."""
    started_at: str
    """When it began: RFC 3339 in UTC."""
    ended_at: str
    """When it ended: RFC 3339 in UTC."""
    outcome: str
    """``succeeded``; ``noop`` if nothing had to be written; ``lost`` if its worker died or was stopped; otherwise the
    class of its error."""
    detail: str | None
    """What happened, in one line; null if there is nothing to add."""
    retry_at: str | None
    """When the next attempt is due: RFC 3339 in UTC; null if none was planned."""
    request_id: str | None
    """Exchange's id of the request, which Microsoft's support asks for; null if it is not known."""


class ShownResult(Shown):
    """What a succeeded update did."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)

    version: str | None
    """The event's ETag (Graph) or ChangeKey (EWS) afterwards; empty if Exchange did not tell it."""
    noop: bool
    """Whether the event was already as asked, so that nothing was written and nobody mailed."""
    changed: dict[str, dict[str, Any]]
    """Each property that was changed, with its value ``before`` and ``after``."""
    invitations: str | None
    """The value of ``sendInvitations`` that was used; null if nothing was written or it is no longer known."""
    verified: bool
    """Whether the event as Exchange returned it after the write has all that was asked for; false for a ``noop``."""
    mails: int
    """How many mails the change cost at most."""
    notices: list[str]
    """Sentences that a person should read about the change; mostly none."""


class ShownClash(Shown):
    property: str
    """The property in conflict, or ``version`` if only that is known to differ."""
    base: Any
    """The value that was expected, or that we read first."""
    theirs: Any
    """The value that the event has now."""
    ours: Any
    """The value that the update was to write."""


class ShownError(Shown):
    class_: ErrorClass = Field(alias="class")
    """The class of the failure, which says whether anything can be done about it."""
    code: str
    """The backend's own code if there is one, such as ``ErrorItemNotFound``, otherwise one of ours."""
    title: str
    """What kind of failure it is, in a few words."""
    detail: str
    """What went wrong this time."""
    conflicts: list[ShownClash]
    """The properties in conflict; empty if there are none."""


class ShownCallback(Shown):
    url: str
    """The ``callbackUrl`` that was asked for."""
    state: Literal["waiting", "delivered", "dead"]
    """``waiting`` at first, then ``delivered``, or ``dead`` if it was given up."""
    attempts: int
    """How many attempts to deliver it have ended."""


class ShownUpdate(Shown):
    """An update and its life so far."""

    id: str
    """The update's id: ``upd_`` and a ULID."""
    state: State
    """``queued``, ``running`` or ``retrying`` until it ends; then ``succeeded``, ``dead`` or ``cancelled``."""
    target: dict[str, Any]
    """The target as it was given, with the name of its backend."""
    metadata: dict[str, Any]
    """The metadata as it was given; ``{}`` if there was none."""
    created_at: str
    """When it was accepted: RFC 3339 in UTC."""
    finished_at: str | None
    """When it ended: RFC 3339 in UTC; null until then."""
    due_at: str | None
    """The earliest time of its next attempt: RFC 3339 in UTC; null if it does not wait for a time."""
    attempts: list[ShownAttempt]
    """Every attempt that has ended, the first one first."""
    result: ShownResult | None
    """What it did; null unless it has ``succeeded``."""
    error: ShownError | None
    """Why it was given up; null unless it is ``dead``."""
    callback: ShownCallback | None
    """How its callback stands; null if none was asked for."""


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
    """The ``type`` of its body, such as ``calendar.update.succeeded``; null if the stored callback cannot be read."""
    update: str | None
    """The id of the update that it reports; null if it reports a change of an event, or cannot be read."""
    target: dict[str, Any] | None
    """The event that it tells of, as in its body; null if the stored callback cannot be read."""
    url: str | None
    """The address to which it was to be delivered; null if the stored callback cannot be read."""
    finished_at: str
    """When it was given up: RFC 3339 in UTC."""
    attempts: list[ShownAttempt]
    """Every attempt to deliver it, the first one first."""
    error: ShownError
    """Why it was given up."""


class ShownLetter(RootModel[ShownDeadUpdate | ShownDeadCallback]):
    """A dead letter: an update or a callback, as ``kind`` says."""


class ShownLetters(Shown):
    items: list[ShownLetter]
    """The dead letters of this page, last died first."""
    next_cursor: str | None
    """The ``cursor`` of the next page; null on the last one. A page may hold fewer than ``limit``, even none, while
    more follow: go on until this is null."""


class ShownReplay(Shown):
    """What came of replaying many dead letters."""

    matched: int
    """How many dead letters matched, of those that one call takes."""
    replayed: int
    """How many of them were replayed; 0 in a dry run."""
    dry_run: bool
    """Whether they were only counted, and nothing was replayed."""


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
    """The path of a page on this server that explains this kind of problem and says what to do."""
    title: str
    """What kind of problem it is, in a few words."""
    status: int
    """The HTTP status of the answer."""
    detail: str
    """What is wrong with this request, as a sentence."""
    errors: list[ProblemError] = Field(default=[])
    """What is wrong with each field; left out if no field is wrong."""
    request_id: str = Field(default="")
    """The id under which the request is logged, also in the header ``X-Request-Id``."""
