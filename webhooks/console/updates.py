"""The list of updates, and the page of one update."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit, urlunsplit

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webhooks import problems
from webhooks.console.differences import Difference, differences
from webhooks.console.filters import Filters
from webhooks.console.gate import visitor
from webhooks.console.mailed import Mailing, mailing
from webhooks.door import Door, door
from webhooks.passage import passage
from webhooks.problems import Problem
from webhooks.updates import take_back
from workers.job import Attempt, UpdateJob
from workers.public import public
from workers.store import Cancelled

PAGE = 50


@dataclass(frozen=True, slots=True)
class Story:
    """What the page of one update shows. ``is_letter``: whether it can be replayed or discarded. ``asked``: what was to
    change, as JSON. ``callback``: its id. ``delivery``: the callback's attempts."""

    job: UpdateJob
    is_letter: bool
    asked: str
    changes: tuple[Difference, ...]
    mailed: Mailing
    callback: str | None
    delivery: tuple[Attempt, ...]


def listed() -> str:
    """A page of updates, newest first."""
    at, filters = door(), Filters.of(request.args)
    found = at.store.search_updates(filters.among(visitor().clients), filters.search, PAGE, filters.cursor)
    jobs = [job for job in map(at.store.update, found.ids) if job is not None]
    return render_template("console/updates.html", jobs=jobs, filters=filters, next_cursor=found.next_cursor)


def shown(update_id: str) -> str:
    """One update."""
    return render_template("console/update.html", story=_story(door(), _own(door(), update_id)))


def cancelled(update_id: str) -> Response:
    """Cancel a waiting update. Raises Problem (409) if it is too late."""
    at = door()
    job = _own(at, update_id)
    if take_back(at, job) is not Cancelled.CANCELLED:
        raise Problem(problems.NOT_CANCELLABLE, "It is being applied right now, or has ended.")
    return redirect(url_for("console.update", update_id=update_id, done="cancelled"), 303)


def _own(at: Door, update_id: str) -> UpdateJob:
    """The update. One that the visitor may not see is answered like one that does not exist."""
    job = at.store.update(update_id) if update_id.isascii() and len(update_id) <= 64 else None
    if job is None or job.update.client not in visitor().clients:
        raise Problem(problems.NOT_FOUND, "There is no update of this id.")
    passage().update = update_id
    return job


def without_query(url: str) -> str:
    """A callback's address without its query, which may hold a token."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="…" if parts.query else "", fragment=""))


def _story(at: Door, job: UpdateJob) -> Story:
    callback = at.store.callback_of(job.update.id)
    intent = {name: value for name, value in asdict(job.update.intent).items() if value}
    return Story(
        job=job,
        is_letter=at.store.dead_letter(job.update.id) is not None,
        asked=json.dumps({"target": public(job)["target"], **intent}, ensure_ascii=False, indent=2),
        changes=differences(job.result["changed"]) if job.result else (),
        mailed=mailing(job),
        callback=callback,
        delivery=at.store.history(callback) if callback else (),
    )
