"""Dead letters: why, and again, or away."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webhooks.console.filters import Filters
from webhooks.console.gate import visitor
from webhooks.console.updates import PAGE, without_query
from webhooks.dead_letters import gone, replay_or_refuse, replayed_now
from webhooks.door import Door, door
from webhooks.passage import passage
from workers.replay import matching, undelivered
from workers.store import DeadLetter


@dataclass(frozen=True, slots=True)
class Row:
    """A dead letter in the list. ``update``: the id of the update, or of the one that the callback tells of. ``about``:
    the update's properties, or the callback's address without its query, which may hold a token."""

    letter: DeadLetter
    update: str
    about: str


def listed() -> str:
    """A page of dead letters, last died first."""
    return _page(Filters.of(request.args))


def replayed(letter_id: str) -> Response:
    """Replay one dead letter, under its own id."""
    at, filters = door(), Filters.of(request.args)
    replay_or_refuse(at, _own(at, letter_id))
    return _back("replayed", 1, filters)


def replayed_all() -> str | Response:
    """Replay all dead letters that match, or with ``dry_run`` only count them."""
    at, filters = door(), Filters.of(request.form)
    letters = [
        letter
        for client in filters.among(visitor().clients)
        for letter in matching(at.store, at.settings, client, filters.search)
    ]
    if "dry_run" in request.form:
        return _page(filters, matched=len(letters))
    return _back("replayed", replayed_now(at, letters), filters)


def discarded(letter_id: str) -> Response:
    """Discard one dead letter."""
    at, filters = door(), Filters.of(request.args)
    if not at.store.discard(_own(at, letter_id).id):
        raise gone()
    return _back("discarded", 1, filters)


def _page(filters: Filters, matched: int | None = None) -> str:
    at = door()
    found = at.store.search_dead(filters.among(visitor().clients), filters.search, PAGE, filters.cursor)
    rows = [_row(letter) for letter in at.store.dead_letters(found.ids)]
    return render_template(
        "console/dead_letters.html", rows=rows, filters=filters, next_cursor=found.next_cursor, matched=matched
    )


def _row(letter: DeadLetter) -> Row:
    if letter.kind == "callback":
        callback = undelivered(letter)
        if callback is None:
            return Row(letter, "", "")
        return Row(letter, callback.update or "", without_query(callback.url))
    if letter.kind == "update":
        return Row(letter, letter.id, ", ".join(letter.update.intent.touched) if letter.update else "")
    return Row(letter, "", letter.kind)


def _own(at: Door, letter_id: str) -> DeadLetter:
    """The dead letter. One that the visitor may not see is answered like one that does not exist."""
    letter = at.store.dead_letter(letter_id) if letter_id.isascii() and len(letter_id) <= 64 else None
    if letter is None or letter.client not in visitor().clients:
        raise gone()
    passage().update = letter.id
    return letter


def _back(done: str, count: int, filters: Filters) -> Response:
    """To the page that was looked at."""
    query = urlencode({**filters.page, "done": done, "count": count})
    return redirect(f"{url_for('console.dead_letters')}?{query}", 303)
