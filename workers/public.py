"""An update as callers see it: in the API's answers and in the callbacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from workers.job import Attempt, CallbackState, UpdateJob
from workers.update import Json, Target, rfc3339


def public(job: UpdateJob) -> dict[str, Json]:
    """The contract's JSON of one update."""
    update = job.update
    return {
        "id": update.id,
        "state": job.state.value,
        "target": shown_target(update.target),
        "metadata": dict(update.metadata),
        "createdAt": rfc3339(update.created_at),
        "finishedAt": job.finished_at,
        "dueAt": job.due_at,
        "attempts": shown_attempts(job.attempts),
        "result": job.result,
        "error": job.error,
        "callback": _callback(job),
    }


def shown_attempts(attempts: Sequence[Attempt]) -> list[dict[str, Json]]:
    """The attempts of an update or a callback, oldest first."""
    return [asdict(attempt) for attempt in attempts]


def _callback(job: UpdateJob) -> dict[str, Json] | None:
    if job.callback is None and job.update.callback_url is not None:
        return asdict(CallbackState(job.update.callback_url, "waiting", 0))
    return asdict(job.callback) if job.callback else None


def shown_target(target: Target) -> dict[str, Json]:
    """As it was asked for, with the name of its backend."""
    named = {
        "mailbox": target.mailbox,
        "group": target.group,
        "event": target.event,
        "calendar": target.calendar,
        "calendarGroup": target.calendar_group,
        "version": target.version,
        "backend": target.backend,
        "occurrence": _without_none(asdict(target.occurrence)) if target.occurrence else None,
    }
    return _without_none(named)


def _without_none(values: dict[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in values.items() if value is not None}
