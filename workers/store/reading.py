"""What can be asked of the store without changing it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from hashlib import sha1
from typing import cast

import structlog

from workers.event.versions import Wrote
from workers.job import Attempt, Kind, State, UpdateJob
from workers.store.connection import Connection
from workers.store.milliseconds import moment
from workers.store.records import DeadLetter, callback_state, dead_letter, history, update_job
from workers.update import Update

_SCAN = 200

_log = structlog.get_logger(__name__)


class Reading:
    """Every method raises StoreUnavailable where Redis does not answer."""

    _redis: Connection

    def earlier(self, client: str, key: str) -> str | None:
        """The id of the update that an idempotency key stands for."""
        kept = cast("str | None", self._redis.call("get", f"rdv:key:{client}/{key}"))
        return kept.split(" ")[0] if kept else None

    def update(self, job_id: str) -> UpdateJob | None:
        """The update and its life so far. None if there is no such update any more, or what is stored cannot be read:
        then its dead letter tells what is known."""
        job = self._job(job_id)
        if job.get("kind") != "update":
            return None
        try:
            return self._update(job)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _log.error("a stored update cannot be read", job=job_id, error=type(error).__name__)
            return None

    def _update(self, job: Mapping[str, str]) -> UpdateJob:
        update, callback = Update.from_json(job["body"]), job.get("callback")
        if update.callback_url is None or callback is None:
            return update_job(update, job, None)
        state, attempts = self._redis.call("hmget", f"rdv:job:{callback}", "state", "attempts")
        return update_job(update, job, callback_state(update.callback_url, state, attempts))

    def history(self, job_id: str) -> tuple[Attempt, ...]:
        """The attempts of a job, oldest first."""
        return history(self._redis.call("hget", f"rdv:job:{job_id}", "attempts"))

    def callback_of(self, update_id: str) -> str | None:
        """The id of the callback job that tells how the update ended."""
        return cast("str | None", self._redis.call("hget", f"rdv:job:{update_id}", "callback"))

    def dead_letter(self, job_id: str) -> DeadLetter | None:
        """One dead letter, or None where it is none."""
        return next(iter(self.dead_letters([job_id])), None)

    def dead_letters(self, ids: Sequence[str]) -> list[DeadLetter]:
        """Those of these jobs that are dead letters."""
        jobs: list[Mapping[str, str]] = self._redis.call_all(("hgetall", f"rdv:job:{job_id}") for job_id in ids)
        dead = [(job_id, job) for job_id, job in zip(ids, jobs, strict=True) if job.get("state") == State.DEAD]
        since = self._redis.call_all(("zscore", f"rdv:dead:{job['client']}", job_id) for job_id, job in dead)
        return [dead_letter(*one) for one, listed in zip(dead, since, strict=True) if listed is not None]

    def wrote(self, line: str) -> list[Wrote]:
        """Our last writes of an event, newest first."""
        key = f"rdv:wrote:{sha1(line.encode(), usedforsecurity=False).hexdigest()}"
        return [Wrote.from_line(one) for one in self._redis.call("lrange", key, 0, -1)]

    def unanswered(self, kinds: Collection[Kind], bells: int) -> list[str]:
        """Jobs of these kinds whose bell has been rung at least so often without an answer, among the first that are
        due."""
        ids = [member for member in self._redis.call("zrange", "rdv:due", 0, _SCAN) if not member.startswith("lane/")]
        rows = self._redis.call_all(("hmget", f"rdv:job:{job_id}", "kind", "bells", "state") for job_id in ids)
        return [
            job_id
            for job_id, (kind, rung, state) in zip(ids, rows, strict=True)
            if kind in kinds and int(rung or 0) >= bells and state != State.RUNNING
        ]

    def swept_at(self) -> datetime | None:
        """When sweep last ran, by the store's clock."""
        kept = self._redis.call("get", "rdv:swept")
        return None if kept is None else moment(kept)

    def time(self) -> datetime:
        """The store's clock."""
        return moment(self._redis.now())

    def _job(self, job_id: str) -> Mapping[str, str]:
        return cast("Mapping[str, str]", self._redis.call("hgetall", f"rdv:job:{job_id}"))
