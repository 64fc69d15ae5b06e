"""What the API answers (contract section 2), for the OpenAPI document and the tests. The answers themselves are made by
workers/public and webhooks/problems."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic.alias_generators import to_camel

from workers.job import State


class Shown(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class ShownAttempt(Shown):
    number: int
    started_at: str
    ended_at: str
    outcome: str
    detail: str | None
    retry_at: str | None
    request_id: str | None


class ShownResult(Shown):
    """``changed``: property → before and after."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)

    version: str | None
    noop: bool
    changed: dict[str, dict[str, Any]]
    invitations: str | None
    verified: bool


class ShownClash(Shown):
    property: str
    base: Any
    theirs: Any
    ours: Any


class ShownError(Shown):
    class_: Literal[
        "conflict", "refused", "notFound", "accessDenied", "throttled", "unavailable", "unknownOutcome", "expired",
        "internal",
    ] = Field(alias="class")  # fmt: skip
    code: str
    title: str
    detail: str
    conflicts: list[ShownClash]


class ShownCallback(Shown):
    url: str
    state: Literal["waiting", "delivered", "dead"]
    attempts: int


class ShownUpdate(Shown):
    """An update and its life so far."""

    id: str
    state: State
    target: dict[str, Any]
    metadata: dict[str, Any]
    created_at: str
    finished_at: str | None
    due_at: str | None
    attempts: list[ShownAttempt]
    result: ShownResult | None
    error: ShownError | None
    callback: ShownCallback | None


class ShownPage(Shown):
    items: list[ShownUpdate]
    next_cursor: str | None


class ShownDeadUpdate(ShownUpdate):
    """An update that was given up."""

    kind: Literal["update"] = Field(default="update")


class ShownDeadCallback(Shown):
    """A callback that was given up. ``update``: the one it tells of; null where it tells of a change."""

    kind: Literal["callback"]
    id: str
    state: Literal["dead", "queued"]
    type: str
    update: str | None
    url: str
    finished_at: str
    attempts: list[ShownAttempt]
    error: ShownError


class ShownLetter(RootModel[ShownDeadUpdate | ShownDeadCallback]):
    """A dead letter: the update or the callback, and which of the two it is."""


class ShownLetters(Shown):
    items: list[ShownLetter]
    next_cursor: str | None


class ShownReplay(Shown):
    """``matched``: how many are meant; ``replayed``: how many were brought back."""

    matched: int
    replayed: int
    dry_run: bool


WatchState = Literal["starting", "active", "failing"]


class ShownSubscription(Shown):
    """``lastToldAt``: when Graph last told of a change in the mailbox, null where it is asked instead; ``problem``: why
    it does not work just now."""

    id: str
    state: WatchState
    mailbox: str
    backend: str
    callback_url: str
    properties: list[str]
    created_at: str
    last_told_at: str | None
    problem: str | None


class ShownSubscriptions(Shown):
    items: list[ShownSubscription]
    next_cursor: str | None


class ShownEnd(Shown):
    mailbox: str
    event: str
    backend: str


class ShownMirror(Shown):
    """``problem``: why it does not work just now."""

    id: str
    state: WatchState | Literal["sourceDeleted"]
    from_: ShownEnd = Field(alias="from")
    to: ShownEnd
    properties: list[str]
    callback_url: str | None
    created_at: str
    problem: str | None


class ShownMirrors(Shown):
    items: list[ShownMirror]
    next_cursor: str | None


class ShownChange(Shown):
    """An event changed. ``changed``: property → before and after; ``origin`` is ``rendezvous`` where all of it is what
    the ``updates`` wrote; ``version`` is null where the event is gone."""

    id: str
    subscription: str = Field(default="")
    mirror: str = Field(default="")
    target: ShownEnd
    change: Literal["created", "updated", "deleted"]
    origin: Literal["rendezvous", "exchange"]
    updates: list[str]
    version: str | None
    changed: dict[str, dict[str, Any]]


class ChangeBody(Shown):
    """What is posted to a subscription's ``callbackUrl``, signed as Standard Webhooks."""

    type: Literal["calendar.event.changed"]
    timestamp: str
    data: ShownChange


class CallbackBody(Shown):
    """What is posted to ``callbackUrl``, signed as Standard Webhooks."""

    type: Literal["calendar.update.succeeded", "calendar.update.dead", "calendar.update.cancelled"]
    timestamp: str
    data: ShownUpdate


class ShownHealth(Shown):
    """``store`` and ``broker`` where they were asked."""

    status: Literal["ok"]
    store: Literal["ok"] = Field(default="ok")
    broker: Literal["ok"] = Field(default="ok")


class ProblemError(Shown):
    detail: str
    pointer: str


class ProblemDocument(Shown):
    """RFC 9457. ``errors`` where fields are to blame."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemError] = Field(default=[])
    request_id: str = Field(default="")
