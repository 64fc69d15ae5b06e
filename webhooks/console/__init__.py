"""``/console``: what is going on, for people. Pages are rendered here; no build step, nothing loaded from elsewhere.

People sign in with an API key: with a client's they see what is that client's, with an operator's they see all. The
console does nothing that the API cannot do, except to show several clients at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn, get_args

from flask import Blueprint, render_template, request

from webhooks import problems
from webhooks.console import gate, letters, overview, updates, watchers
from webhooks.console.charts import HEIGHT, STEP, WIDTH
from webhooks.console.differences import legible
from webhooks.console.updates import without_query
from webhooks.letter_filter import LetterKind
from webhooks.passage import passage
from webhooks.problems import Problem
from workers.job import ErrorClass, State
from workers.update import Json

_DONE = {
    "cancelled": "The update is cancelled.",
    "replayed": "replayed: queued again under the same id.",
    "discarded": "discarded.",
}

console = Blueprint(
    "console", __name__, url_prefix="/console", template_folder="templates", static_folder="static",
    static_url_path="/static",
)  # fmt: skip
gate.install(console)
console.add_url_rule("/", "overview", overview.page)
console.add_url_rule("/updates", "updates", updates.listed)
console.add_url_rule("/updates/<update_id>", "update", updates.shown)
console.add_url_rule("/updates/<update_id>/cancel", "cancel", updates.cancelled, methods=["POST"])
console.add_url_rule("/subscriptions", "subscriptions", watchers.listed)
console.add_url_rule("/dead-letters", "dead_letters", letters.listed)
console.add_url_rule("/dead-letters/replay", "replay_all", letters.replayed_all, methods=["POST"])
console.add_url_rule("/dead-letters/<letter_id>/replay", "replay", letters.replayed, methods=["POST"])
console.add_url_rule("/dead-letters/<letter_id>/discard", "discard", letters.discarded, methods=["POST"])


@console.get("/<path:_>")
def nowhere(_: str) -> NoReturn:
    """Any other address."""
    raise Problem(problems.NOT_FOUND, "There is nothing at this address.")


@console.app_template_filter("moment")
def moment(value: str | datetime | None) -> str:
    """A moment as people read it, in UTC: ``2026-11-21 09:00:00``."""
    text = value.isoformat() if isinstance(value, datetime) else value or ""
    return text[:19].replace("T", " ")


@console.app_template_filter("seconds")
def seconds(value: float | None) -> str:
    """A duration as people read it."""
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.0f} min"


@console.app_template_filter("legible")
def as_text(value: Json) -> str:
    """A JSON value as people read it."""
    return "\n".join(legible(value)) or "–"


@console.context_processor
def choices() -> dict[str, object]:
    """What the fields of the pages offer, and a notice of what was just done."""
    count = request.args.get("count", "")
    counted = f"{count} dead letter{'' if count == '1' else 's'} " if count.isdecimal() and len(count) < 7 else ""
    done = _DONE.get(request.args.get("done", ""), "")
    return {
        "states": [state.value for state in State],
        "kinds": get_args(LetterKind),
        "classes": get_args(ErrorClass),
        "picture": {"width": WIDTH, "height": HEIGHT, "step": STEP},
        "notice": f"{counted}{done}" if done else "",
        "without_query": without_query,
    }


@console.errorhandler(Exception)
def refused(error: Exception) -> tuple[str, int, dict[str, str]]:
    """The problem as a page."""
    problem = problems.problem_of(error)
    passage().problem = problem.kind.name
    page = "away" if problem.kind is problems.UNAVAILABLE else "problem"
    shown = render_template(f"console/{page}.html", problem=problem, request_id=passage().request_id)
    return shown, problem.kind.status, problem.headers
