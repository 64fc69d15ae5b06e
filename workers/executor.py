"""A job from claim to settle: the frame around one attempt.

    claim → attempt (workers/attempt for an update, workers/callbacks for a callback, workers/changes/telling for a
    notification, workers/changes/tending for a watch) → outcome → settle → ring

Not here: what an attempt does, and whether it is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from workers import retry, trace
from workers.attempt import FailedInDoubt, LeaseLost, Surroundings, attempt
from workers.callbacks.callback import Deliverer, Delivery, for_update
from workers.celery.bell import Bell
from workers.exchange import Exchange
from workers.failpoint import failpoint
from workers.intended import Intended
from workers.job import Attempt, Kind, State, UpdateJob, failure
from workers.leases import Leases
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.settings import Backend, Settings
from workers.store import Callback, Grant, Store, StoreUnavailable
from workers.update import Update, rfc3339

POISONED = 3
"""Claims without an outcome: a job that was claimed more often has killed its workers and would kill the next."""
INTERNAL_ATTEMPTS = 3
QUIET = 4
"""So many times a backend's timeout after it was asked, a server will not do any more what it has not done yet."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Executor:
    """Runs jobs. Thread-safe; one per process."""

    settings: Settings
    store: Store
    bell: Bell
    leases: Leases
    exchanges: Mapping[str, Exchange]
    deliverer: Deliverer
    clock: Callable[[], datetime]
    dice: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep
    others: Mapping[Kind, Callable[[Grant], Outcome]] = field(default_factory=dict)
    """How the other kinds of jobs are attempted."""

    def run(self, job_id: str) -> Outcome | None:
        """One attempt at the job. None: there was nothing to do, or somebody else does it."""
        if self.leases.closing or (grant := self.store.claim(job_id)) is None:
            return None
        failpoint("claim", grant.id)
        with self.leases.hold(grant):
            try:
                started = self.clock()
                return self._settle(grant, started, self._attempt(grant))
            except LeaseLost:
                _log.warning("lease lost before the write, nothing was sent", job=job_id)
                return None
            except StoreUnavailable:
                self.leases.abandon(grant)
                raise

    def _attempt(self, grant: Grant) -> Outcome:
        if grant.claims > POISONED:
            detail = f"{POISONED} workers died, or were cut off, while they ran this job."
            return Dead(failure("unknownOutcome" if grant.in_doubt else "internal", "Poisoned", detail))
        try:
            if grant.kind == "callback":
                return self.deliverer.deliver(grant.id, grant.body, grant.tries, self.dice())
            if (attempt_other := self.others.get(grant.kind)) is not None:
                return attempt_other(grant)
            return self._attempt_update(grant, Update.from_json(grant.body))
        except (LeaseLost, StoreUnavailable):
            raise  # nothing was sent and nothing can be recorded: the job runs again when its lease has ended
        except FailedInDoubt as error:
            _log.exception("attempt failed inside Rendezvous after its write was sent", job=grant.id)
            return self._failed_inside(grant, error.__cause__ or error, in_doubt=True)
        except Exception as error:
            _log.exception("attempt failed inside Rendezvous", job=grant.id)
            return self._failed_inside(grant, error, in_doubt=grant.in_doubt)

    def _attempt_update(self, grant: Grant, update: Update) -> Outcome:
        with trace.span("attempt", update.traceparent, job=grant.id, backend=update.target.backend) as note:
            outcome = self._outcome(grant, update)
            note("outcome", type(outcome).__name__.lower())
            return outcome

    def _outcome(self, grant: Grant, update: Update) -> Outcome:
        backend = self.settings.backends.get(update.target.backend)
        if backend is None:
            detail = f"The backend {update.target.backend} is no longer configured."
            return Dead(failure("unknownOutcome" if grant.in_doubt else "refused", "BackendGone", detail))
        past = Intended.from_json(grant.intent) if grant.intent else None
        around = Surroundings(
            exchange=self.exchanges[backend.name],
            kind=backend.kind,
            intend=lambda intended: self.store.intend(grant, intended.to_json()),
            wrote=lambda: self.store.wrote(update.target.line),
            quiet=_until_quiet(backend, grant.intended_ago),
            pause=lambda number: self.sleep(self.dice() * min(0.2 * 2**number, 3.0)),
            patience=lambda: self._patience(update),
            last_answer=lambda: retry.last_answer(self.store.history(grant.id)),
        )
        return attempt(update, past, grant.in_doubt, grant.tries, around)

    def _patience(self, update: Update) -> retry.Patience:
        return retry.patience(self.settings.engine, update.deadline - self.clock(), self.dice())

    def _failed_inside(self, grant: Grant, error: BaseException, *, in_doubt: bool) -> Outcome:
        detail = f"{type(error).__name__}: {error}"
        if grant.kind in self.others:  # never given up, because nobody could replay it
            return Retry("internal", detail, retry.patience(self.settings.engine).longest(grant.tries))
        if self._internal_failures(grant) + 1 < INTERNAL_ATTEMPTS:
            return Retry("internal", detail, timedelta(seconds=1 + 4 * self.dice()), in_doubt=in_doubt)
        return Dead(failure("unknownOutcome" if in_doubt else "internal", type(error).__name__, detail))

    def _internal_failures(self, grant: Grant) -> int:
        since = grant.attempts - grant.tries - grant.lost
        return sum(one.outcome == "internal" and one.number > since for one in self.store.history(grant.id))

    def _settle(self, grant: Grant, started: datetime, outcome: Outcome) -> Outcome | None:
        ended = self.clock()
        entry = _entry(grant.attempts + 1, started, ended, outcome)
        callback = self._callback(grant, entry, outcome) if grant.kind == "update" else None
        failpoint("settle.before", grant.id)
        done, rings = self.store.settle(grant, entry, outcome, callback)
        failpoint("settle.after", grant.id)
        if not done:
            _log.warning("lease lost, the outcome was not recorded", job=grant.id, outcome=entry.outcome)
            return None
        _log.info("attempt", job=grant.id, **_about(grant), number=entry.number, outcome=entry.outcome,
                  detail=entry.detail, seconds=round((ended - started).total_seconds(), 3))  # fmt: skip
        self.bell.ring(*rings)
        return outcome

    def _callback(self, grant: Grant, entry: Attempt, outcome: Outcome) -> Callback | None:
        if isinstance(outcome, Retry) or not _called_back(grant):
            return None
        job = self.store.update(grant.id)
        return for_update(_as_settled(job, entry, outcome)) if job else None


def _about(grant: Grant) -> dict[str, str]:
    """The update that a callback tells of, so that one id finds all that was done for it."""
    if grant.kind != "callback":
        return {}
    with suppress(ValueError, TypeError, KeyError):  # a body that cannot be read: the outcome says so
        if update := Delivery.from_json(grant.body).update:
            return {"update": update}
    return {}


def _called_back(grant: Grant) -> bool:
    """Whether anybody may want to be told: enough to save the store a question about all other updates."""
    return '"callback_url"' in grant.body


def _until_quiet(backend: Backend, intended_ago: timedelta) -> timedelta:
    """How long it may take until the server has done everything that it was asked to do."""
    if backend.enforces_version:
        return timedelta()
    return max(timedelta(), QUIET * timedelta(seconds=backend.timeout) - intended_ago)


def _entry(number: int, started: datetime, ended: datetime, outcome: Outcome) -> Attempt:
    """The attempt as the job's history keeps it."""
    entry = Attempt(number, rfc3339(started), rfc3339(ended), "succeeded", requestId=outcome.request_id)
    match outcome:
        case Succeeded():
            noop = outcome.result is not None and outcome.result.noop
            return replace(entry, outcome="noop" if noop else "succeeded", detail=outcome.detail)
        case Retry():
            again = rfc3339(ended + outcome.after)
            return replace(entry, outcome=outcome.error_class, detail=outcome.detail, retryAt=again)
        case Dead():
            return replace(entry, outcome=outcome.failure.error_class, detail=outcome.failure.detail)


def _as_settled(job: UpdateJob, entry: Attempt, outcome: Succeeded | Dead) -> UpdateJob:
    """The update as it will be once it is settled: what its callback tells."""
    ended = replace(job, attempts=(*job.attempts, entry), finished_at=entry.endedAt, due_at=None)
    if isinstance(outcome, Dead):
        return replace(ended, state=State.DEAD, error=outcome.failure.to_json())
    return replace(ended, state=State.SUCCEEDED, result=outcome.result.to_json() if outcome.result else None)
