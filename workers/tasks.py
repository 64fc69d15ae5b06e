"""The Celery tasks: each answers one bell. The front door of worker, callbacks, beat and flower.

A task tells Celery, and so Flower, the truth: SUCCESS with a line, RETRY with its reason and time, FAILURE for a dead
letter, REVOKED for an update that was cancelled.
"""

from __future__ import annotations

import random

import structlog
from celery import current_task
from celery.exceptions import Ignore
from celery.exceptions import Retry as CeleryRetry
from celery.signals import setup_logging

from workers import drain, logs
from workers.celery import create
from workers.clock import now
from workers.configuration import load_or_exit
from workers.engine import build
from workers.job import State, UpdateJob
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.store import StoreUnavailable
from workers.update import rfc3339

setup_logging.connect(logs.configure, weak=False)
logs.configure()
settings = load_or_exit()
app = create(settings)
_engine = build(settings, app, clock=now, dice=random.random)
drain.connect(_engine)
_log = structlog.get_logger(__name__)


class DeadLetter(Exception):
    """A job was given up; the message is its class, code and detail."""


class WillRetry(CeleryRetry):  # type: ignore[misc]  # Celery has no types
    """A job is tried again: why and when. Raised without republishing: sweep rings when it is time."""

    def __repr__(self) -> str:
        return str(self.message)


@app.task(name="apply_update", throws=(DeadLetter,))  # type: ignore[untyped-decorator]  # nor here
def apply_update(job_id: str) -> str:
    """Apply one update to Exchange."""
    return _run(job_id)


@app.task(name="deliver_callback", throws=(DeadLetter,))  # type: ignore[untyped-decorator]  # nor here
def deliver_callback(job_id: str) -> str:
    """Deliver one callback."""
    return _run(job_id)


@app.task(name="handle_notification", throws=(DeadLetter,))  # type: ignore[untyped-decorator]  # nor here
def handle_notification(job_id: str) -> str:
    """Look at one event that changed, and tell who wants to know."""
    return _run(job_id)


@app.task(name="tend_watch", throws=(DeadLetter,))  # type: ignore[untyped-decorator]  # nor here
def tend_watch(job_id: str) -> str:
    """See to it that we hear of changes in one mailbox."""
    return _run(job_id)


def _run(job_id: str) -> str:
    try:
        outcome = _engine.run(job_id)
        return answer(outcome) if outcome else answer_idle(_engine.store.update(job_id))
    except StoreUnavailable as error:
        raise WillRetry(f"{error}; again when the store is back") from error


def answer(outcome: Outcome) -> str:
    """What Celery is to make of an outcome: a line, or the exception that stands for it."""
    match outcome:
        case Succeeded(result, detail):
            if detail is None and result is not None:
                return "noop" if result.noop else f"changed {'+'.join(result.changed)}"
            return detail or ""
        case Retry(error_class, detail, after):
            moment = now() + after
            reason = f"{error_class}: {detail}; again at {rfc3339(moment)}"
            raise WillRetry(reason, when=moment)
        case Dead(failure):
            raise DeadLetter(f"{failure.error_class}: {failure.code}: {failure.detail}")


def answer_idle(job: UpdateJob | None) -> str:
    """What Celery is to make of a bell with nothing to do: how the update stands, which waits still or was ended by
    somebody else. None for another kind of job, and for one that is not kept any more."""
    match job:
        case UpdateJob(state=State.QUEUED | State.RETRYING):
            _tell_flower("task-retried", exception="waits for its turn", traceback=None)
        case UpdateJob(state=State.DEAD, error=error) if error:
            raise DeadLetter(f"{error['class']}: {error['code']}: {error['detail']}")
        case UpdateJob(state=State.CANCELLED):
            # First a state that Celery takes from whatever was before: an earlier failure it ranks above REVOKED.
            _tell_flower("task-retried", exception="cancelled", traceback=None)
            _tell_flower("task-revoked", terminated=False, signum=None, expired=False)
    raise Ignore


def _tell_flower(event: str, **said: object) -> None:
    """At once, and not with the events that are gathered: who takes the job next must be told of later than this."""
    try:
        current_task.send_event(event, retry=False, **said)
    except Exception as error:  # whatever the transport raises: nothing depends on it
        _log.warning("Flower was not told", task_event=event, error=str(error))
