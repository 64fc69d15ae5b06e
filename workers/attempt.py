"""One attempt at an update: read, decide, record the intent, write, verify → an outcome.

Three things together make a write happen once: the intent recorded before anything is sent, the precondition on the
version just read, and the marker written with the change. Not here: leases, history, callbacks (workers/executor), and
whether and when to try again (workers/retry).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from workers import retry
from workers.event import invitations, patch, whole_days
from workers.event.patch import Changes, Conflict
from workers.event.versions import Wrote, content_of, is_ours
from workers.exchange import (
    EXCEPTIONS,
    MARKER_LENGTH,
    AccessDenied,
    Event,
    Exchange,
    ExchangeError,
    MailboxNotFound,
    NotFound,
    Patch,
    Refused,
    Unavailable,
    Unknown,
    VersionMoved,
)
from workers.failpoint import failpoint
from workers.intended import Intended
from workers.job import Clash, Failure, Result, failure, named
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.update import BackendKind, Json, Update

ROUNDS = 5
"""How often we look again at once when the version moves under us; after that the update is retried later."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an attempt needs from outside.

    ``kind``: the backend's, ``graph`` or ``ews``. ``intend`` records durably and says how long to wait before we may
    write (None: we may not at all); ``wrote`` gives our last writes of the event, newest first; ``pause`` waits a
    moment between rounds; ``patience`` is asked when an error has to be judged. ``quiet``: how long we still have to
    wait before we look what came of a lost answer, because a server that does not enforce versions could apply the
    write after we looked. ``last_answer``: see retry.
    """

    exchange: Exchange
    kind: BackendKind
    intend: Callable[[Intended], timedelta | None]
    pause: Callable[[int], None]
    patience: Callable[[], retry.Patience]
    wrote: Callable[[], Sequence[Wrote]] = tuple
    quiet: timedelta = timedelta()
    last_answer: Callable[[], tuple[str | None, str | None]] = lambda: (None, None)


class LeaseLost(Exception):
    """Another worker may run the job by now: nothing may be sent and nothing settled."""


class FailedInDoubt(Exception):
    """Rendezvous itself failed (see the cause) after a write was sent: whether it was applied is not known."""


def attempt(update: Update, past: Intended | None, in_doubt: bool, attempts: int, around: Surroundings) -> Outcome:
    """``past``: what an earlier attempt recorded; ``in_doubt``: its write may have been applied; ``attempts``: how
    many there were. Raises LeaseLost, FailedInDoubt."""
    if in_doubt and around.quiet > timedelta():
        return Retry("unknownOutcome", "waiting until the server is quiet", around.quiet, in_doubt=True)
    run = _Run(update, past, in_doubt, around)
    if around.patience().remaining.total_seconds() <= 0 and not in_doubt:
        return retry.expired(*around.last_answer(), in_doubt=False)
    try:
        outcome = run.rounds()
    except ExchangeError as error:
        outcome = retry.decide(error, attempts, around.patience(), in_doubt=run.in_doubt)
    return run.remembered(_done_in_part(outcome, run.done))


class _Run:
    """The rounds of one attempt: what it has learnt so far."""

    def __init__(self, update: Update, past: Intended | None, in_doubt: bool, around: Surroundings) -> None:
        self.update = update
        self.past = past
        self.in_doubt = in_doubt
        self.around = around
        self.refused: ExchangeError | None = None
        """How the write of this attempt was refused, perhaps not by Exchange."""
        self.first: Event | None = None
        """The event as this attempt first read it."""
        self.done: Mapping[str, tuple[Json, Json]] = {}
        """The open extensions that earlier writes have changed and that still stand so: name → before and after."""

    def rounds(self) -> Outcome:
        update = self.update
        needed = patch.properties_needed(update.intent, update.conflict_resolution, self.around.kind)
        in_doubt = self.in_doubt
        for number in range(ROUNDS + 1):
            event = self.around.exchange.read(update.target, needed)
            self.first = self.first or event
            if update.id in event.marker:
                return self._recovered(event)
            self.in_doubt = in_doubt
            self.done = self.past.done_without_marker(event) if self.past else {}
            doubtful = self.in_doubt or self.refused is not None
            if doubtful and self.past and (forgotten := self.past.forgotten_by(event)):
                return Dead(forgotten)
            if self.refused is not None:
                raise self.refused
            if number == ROUNDS:
                break
            if (outcome := self._round(event)) is not None:
                return outcome
            self.around.pause(number)
        raise Unavailable("VersionMoved", f"the event's version moved {ROUNDS} times while we tried to write")

    def _round(self, event: Event) -> Outcome | None:
        """None: the version moved, look again."""
        base = self.past.base if self.past else None
        match self._plan(event, base):
            case Conflict(clashes):
                return Dead(_conflict(clashes, f"Somebody else changed {named(clashes)}."))
            case Changes(values) if not values and self.done:
                return self._recovered(event)
            case Changes(values) if not values:
                # This is a noop even if a write is in doubt: had that write brought it about, its marker would be here.
                return Succeeded(Result(event.version, noop=True))
            case Changes(values):
                return self._overtaken(event) or self._write(event, values)

    def _overtaken(self, event: Event) -> Dead | None:
        """With neverOverwrite, a conflict if the version that the caller saw was replaced by somebody else."""
        update, seen = self.update, self.update.target.version
        if update.conflict_resolution != "neverOverwrite" or seen is None or self.past is not None:
            return None
        if is_ours(event.version, content_of(event.properties), seen, self.around.wrote()):
            return None
        clash = Clash("version", seen, event.version, None)
        return Dead(_conflict((clash,), "Somebody else changed the event since the version that you saw."))

    def _plan(self, event: Event, base: Mapping[str, Json] | None) -> Changes | Conflict:
        try:
            intent = whole_days.by_date(self.update.intent, event.properties, self.around.kind)
            planned = patch.plan(intent, event.properties, base, self.update.conflict_resolution)
            if isinstance(planned, Changes):
                whole_days.check(planned.values, event.properties)
            return planned
        except ValueError as error:  # a zone that nobody knows, a day that begins at nine, the year 10000
            raise Refused("CannotBeComputed", f"{error}.") from error

    def _write(self, event: Event, values: Mapping[str, Json]) -> Outcome | None:
        mode = invitations.choose(self.update.send_invitations, event, values, self.around.kind)
        mails = self._mails(mode, event, values)
        invitations.check_limit(self.update.max_recipients, mails)
        if self.around.patience().remaining.total_seconds() <= 0:
            return retry.expired(in_doubt=self.in_doubt)
        intended = self._intended(event, values, mode, mails)
        failpoint("intend.before", self.update.id)
        if (wait := self.around.intend(intended)) is None:
            raise LeaseLost(self.update.id)
        if wait:
            return Retry("throttled", "Exchange asked to leave the mailbox alone", wait, in_doubt=self.in_doubt)
        self.past = intended
        failpoint("intend.after", self.update.id)
        marker = (self.update.id, *event.marker)[:MARKER_LENGTH]
        try:
            failpoint("write.before", self.update.id)
            written = self.around.exchange.write(self.update.target, event, Patch(values, mode, marker))
            failpoint("write.after", self.update.id)
            in_doubt = self.in_doubt or (written.event is not None and self.update.id in written.event.marker)
            return intended.applied(values, event, written, self.around.kind, in_doubt=in_doubt)
        except VersionMoved:
            # In doubt until we have looked: a gateway may have sent the write twice, and this answers the second one.
            self.in_doubt = True
            return None
        except Unknown:
            self.in_doubt = True
            raise
        except (Refused, NotFound, AccessDenied) as error:
            if not error.foreign:
                raise
            # In doubt until we have looked: Exchange may have applied it before somebody in between said no.
            self.in_doubt, self.refused = True, error
            return None
        except ExchangeError:
            raise
        except Exception as error:
            raise FailedInDoubt(self.update.id) from error

    def _intended(self, event: Event, values: Mapping[str, Json], mode: str, mails: int) -> Intended:
        return replace(
            Intended.nothing(event),
            base=dict(self.past.base if self.past else event.properties),
            before={name: event.properties.get(name) for name in values}
            | {name: was for name, (was, _) in self.done.items()},
            after={**values, **{name: value for name, (_, value) in self.done.items()}},
            invitations=mode,
            mails=mails,
        )

    def _mails(self, mode: str, event: Event, values: Mapping[str, Json]) -> int:
        """How many mails this write may cause. The exceptions of a series have attendees of their own, who get mails of
        their own."""
        people = invitations.recipients(mode, event, values)
        if not people or not event.properties.get("recurrence"):
            return invitations.mails(people)
        try:
            series = self.around.exchange.read(self.update.target, {EXCEPTIONS})
        except MailboxNotFound:
            raise
        except (Refused, NotFound):  # an occurrence has no exceptions, and not every server tells them
            return invitations.mails(people)
        return invitations.mails(people, series.properties.get(EXCEPTIONS) or ())

    def remembered(self, outcome: Outcome) -> Outcome:
        """The outcome. If the update is to be tried again and no write has recorded how the event stood when we first
        read it, the outcome does: what somebody else changes from then on is not to be overwritten unseen."""
        if isinstance(outcome, Retry) and self.past is None and self.first is not None:
            return replace(outcome, intent=Intended.nothing(self.first).to_json())
        return outcome

    def _recovered(self, event: Event) -> Outcome:
        """An earlier write was applied although its answer was lost."""
        if self.past is None:  # what it was to change is not known any more
            return Succeeded(Result(event.version, noop=False), "had been applied before")
        return self.past.recovered(event, self.around.kind)


def _done_in_part(outcome: Outcome, done: Collection[str]) -> Outcome:
    """The outcome of an update of which a part has been applied already. That part cannot be taken back, so a failure
    has to tell of it."""
    match outcome:
        case Retry() if done:
            return replace(outcome, in_doubt=True)
        case Dead(why) if done:
            return replace(outcome, failure=replace(why, detail=f"{why.detail} Changed before: {', '.join(done)}."))
    return outcome


def _conflict(clashes: tuple[Clash, ...], detail: str) -> Failure:
    return failure("conflict", "conflict", detail, clashes)
