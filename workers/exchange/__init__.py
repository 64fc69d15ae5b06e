"""What every backend promises, and how it fails.

Two methods are the whole seam: ``read`` an event, ``write`` a patch to it. Both sides speak one neutral form of an
event: Graph's JSON (https://learn.microsoft.com/graph/api/resources/event), whichever backend it came from.

    ExchangeError
    ├── Refused        the request can never succeed as it is
    ├── NotFound       the event is not there (or not visible to us)
    │   └── MailboxNotFound   nor can its mailbox or calendar be found: that says nothing of the event
    ├── AccessDenied   sign-in or permission: a person has to act
    ├── Throttled      nothing was applied; leave the whole mailbox alone until ``retry_after``
    ├── Unavailable    nothing was applied; try this again later
    │   └── Away       the backend does not answer, or cannot be signed in to: for no mailbox
    └── Unknown        it may have been applied: read before anything is repeated
        └── VersionMoved   the version that we wrote against is no longer the event's

Only ``write`` can be in doubt: a ``read`` that gets no answer is ``Away``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from workers.job import ErrorClass
from workers.update import Json, Target

MARKER_GUID = "8f9c2d5e-6c1b-4f0a-9d3b-5a7e1c0b4d26"
MARKER_NAME = "rendezvous-updates"
MARKER_ID = f"String {{{MARKER_GUID}}} Name {MARKER_NAME}"
MARKER_LENGTH = 16
"""The marker is the named MAPI property that every write stamps on the event: the ids of the last updates, newest
first, separated by spaces. A history and not only the last id, because a store that was rolled back by a power cut
brings older updates to life again."""

EXCEPTIONS = "exceptionOccurrences"
"""A property of a series that can be read and not written: its occurrences that differ from the pattern."""


def marker_of(text: str | None) -> tuple[str, ...]:
    """The ids in a marker as it was read. Whoever may write the event may have written more into it than we ever do."""
    return tuple((text or "").split(maxsplit=MARKER_LENGTH)[:MARKER_LENGTH])


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it stands: the properties that were asked for, in Graph's JSON.

    ``start`` and ``end`` are ``{"dateTime": wall clock, "timeZone": Windows name}`` in the event's own zone; the wall
    clock bears its offset only where it is shown for the second time (workers/event/zones). Where the own zone cannot
    be named, they are in UTC and say so (``OWN_ZONE`` in workers/event/properties). A property that is not set is None.
    ``is_meeting``: somebody besides the organizer is invited.
    ``version`` is opaque: an EWS ChangeKey or a Graph ETag.
    ``created``: when it came to be, aware; None where the backend did not say; EWS is not asked.
    ``original``: when this meeting of a series was to start, aware; EWS is asked only about one that is named by its
    number.
    """

    id: str
    version: str
    is_meeting: bool
    marker: tuple[str, ...]
    properties: Mapping[str, Json]
    created: datetime | None = field(default=None, kw_only=True)
    original: datetime | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Patch:
    """What one write sends: the whole new value of each property that differs (None unsets it), who is to be mailed
    (contract's ``sendInvitations``, never ``auto``), and the marker's new content."""

    changes: Mapping[str, Json]
    invitations: str
    marker: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """Exchange's yes. ``event``: as it stands after the write by Exchange's own word, which is the body of Graph's
    answer or a read-back. It has another version if somebody came in between, and is None if it could not be
    had. ``notices``: what a person should know about the write, as sentences."""

    version: str
    event: Event | None
    request_id: str | None
    notices: tuple[str, ...] = ()


class Exchange(Protocol):
    """One configured backend. Thread-safe; retries nothing; raises only the errors drawn above."""

    def read(self, target: Target, properties: Collection[str]) -> Event:
        """The event with these properties (the writable ones, and EXCEPTIONS), its version and its marker."""

    def write(self, target: Target, event: Event, patch: Patch) -> Written:
        """Apply ``patch`` to ``event`` as it was just read, and only if its version is still the same."""


SAID_AT_MOST = 2000
"""Characters of an error's code, sentence or request id that a server chose: they are kept with each attempt, logged
and shown."""


class ExchangeError(Exception):
    """A failed read or write: the backend's own ``code``, a sentence, and the request id that Microsoft asks for."""

    outcome: ClassVar[ErrorClass]

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        request_id: str | None = None,
        retry_after: float | None = None,
        foreign: bool = False,
    ):
        self.code = code[:SAID_AT_MOST]
        self.detail = detail[:SAID_AT_MOST]
        self.request_id = request_id and request_id[:SAID_AT_MOST]
        self.retry_after = retry_after
        """Seconds that Exchange asks us to stay away, if it said."""
        self.foreign = foreign
        """Whether somebody between Exchange and us may have answered in its place, after it had applied the write."""
        super().__init__(f"{self.code}: {self.detail}" if detail else self.code)


class Refused(ExchangeError):
    outcome = "refused"


class NotFound(ExchangeError):
    outcome = "notFound"


class MailboxNotFound(NotFound):
    pass


class AccessDenied(ExchangeError):
    outcome = "accessDenied"


class Throttled(ExchangeError):
    outcome = "throttled"


class Unavailable(ExchangeError):
    outcome = "unavailable"


class Away(Unavailable):
    """Says something of the whole backend, and not only of the mailbox that was asked for."""


class Unknown(ExchangeError):
    outcome = "unknownOutcome"


class VersionMoved(Unknown):
    pass
