"""``/v1/dead-letters``: what was given up - look at it, bring it back, let it go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field, ValidationError
from werkzeug.routing import BaseConverter

from webhooks import document, intake, problems
from webhooks.door import Door, door
from webhooks.letter_filter import AskedReplay, LettersQuery
from webhooks.passage import client, passage
from webhooks.problems import Problem
from webhooks.schema import fault_of
from workers.public import public, shown_attempts
from workers.replay import Hindrance, bring_back, hindrance, matching, undelivered
from workers.store import DeadLetter
from workers.update import Json


class LetterPath(BaseModel):
    id: Annotated[str, Field(description="The id of the update or callback")]


dead_letters = APIBlueprint(
    "dead_letters",
    __name__,
    url_prefix="/v1/dead-letters",
    abp_tags=[Tag(name="dead letters", description="What was given up")],
    abp_security=[{"apiKey": []}],
)
dead_letters.before_request(intake.authenticate)


class _LetterConverter(BaseConverter):
    """Whatever may be an id. ``/replay`` is a resource of its own, with methods of its own."""

    regex = r"(?!replay\Z)[^/]+"


dead_letters.record_once(lambda state: state.app.url_map.converters.update(letter=_LetterConverter))


@dead_letters.get(
    "",
    summary="List dead letters",
    operation_id="listDeadLetters",
    responses=document.answers(200, "ShownLetters", 400, 401, 429, 503),
)
def listed(query: LettersQuery) -> Response:
    """The client's dead letters, last died first."""
    at = door()
    found = at.store.search_dead((client().name,), query.search, query.limit, query.cursor)
    items = [_shown(at, letter) for letter in at.store.dead_letters(found.ids)]
    return jsonify({"items": items, "nextCursor": found.next_cursor})


@dead_letters.get(
    "/<letter:id>",
    summary="Read a dead letter",
    operation_id="readDeadLetter",
    responses=document.answers(200, "ShownLetter", 401, 404, 429, 503),
)
def shown(path: LetterPath) -> Response:
    """The dead letter with every attempt."""
    return jsonify(_shown(door(), _own(door(), path.id)))


@dead_letters.post(
    "/<letter:id>/replay",
    summary="Bring a dead letter back",
    operation_id="replayDeadLetter",
    responses=document.answers(202, "ShownLetter", 400, 401, 403, 404, 429, 503),
)
def replay(path: LetterPath) -> Response:
    """It is queued again under its own id. What was in fact applied is found out first, and nothing is done twice."""
    at = door()
    letter = _own(at, path.id)
    replay_or_refuse(at, letter)
    job = at.store.update(letter.id)
    response = jsonify(public(job) if job else {**_callback(letter), "state": "queued"})
    response.status_code = 202
    if job:
        response.headers["Location"] = f"/v1/updates/{letter.id}"
    return response


@dead_letters.post(
    "/replay",
    summary="Bring many dead letters back",
    operation_id="replayDeadLetters",
    request_body=document.required("AskedReplay"),
    responses=document.answers(200, "ShownReplay", 400, 401, 413, 415, 422, 429, 503),
)
def replay_all() -> Response:
    """All that match, the oldest 10,000 of them at once, in the order in which they were accepted."""
    at = door()
    asked = _asked(intake.content())
    letters = matching(at.store, at.settings, client().name, asked.search)
    replayed = 0 if asked.dry_run else replayed_now(at, letters)
    return jsonify({"matched": len(letters), "replayed": replayed, "dryRun": asked.dry_run})


@dead_letters.delete(
    "/<letter:id>",
    summary="Let a dead letter go",
    operation_id="discardDeadLetter",
    responses={"204": {"description": "It is off the list"}, **document.refusals(400, 401, 404, 429, 503)},
)
def discard(path: LetterPath) -> Response:
    """It is off the list and cannot be brought back; the update can still be read for 30 days after its end."""
    at = door()
    if not at.store.discard(_own(at, path.id).id):
        raise gone()
    return Response(status=204)


def replay_or_refuse(at: Door, letter: DeadLetter) -> None:
    """Bring it back. Raises Problem where it cannot be brought back, or may not, or is a dead letter no more."""
    match hindrance(letter, at.settings):
        case Hindrance.SPOILT as why:
            raise Problem(problems.NOT_FOUND, why.value)
        case Hindrance.FORBIDDEN as why:
            raise Problem(problems.FORBIDDEN, why.value)
    if not replayed_now(at, [letter]):
        raise gone()


def replayed_now(at: Door, letters: Sequence[DeadLetter]) -> int:
    """Queue them again; how many of them were dead letters still."""
    count = 0
    for done, rings in bring_back(at.store, letters, at.clock()):
        at.bell.ring(*rings)
        count += done
    return count


def gone() -> Problem:
    """Also where it is somebody else's."""
    return Problem(problems.NOT_FOUND, "There is no dead letter of this id.")


def _asked(content: Mapping[str, Json]) -> AskedReplay:
    try:
        return AskedReplay.model_validate(content)
    except ValidationError as error:
        raise problems.invalid([fault_of(one, content) for one in error.errors(include_url=False)]) from None


def _own(at: Door, letter_id: str) -> DeadLetter:
    """The client's dead letter. Another client's is not there at all."""
    letter = at.store.dead_letter(letter_id) if letter_id.isascii() and len(letter_id) <= 64 else None
    if letter is None or letter.client != client().name:
        raise gone()
    passage().update = letter.id
    return letter


def _shown(at: Door, letter: DeadLetter) -> dict[str, Json]:
    if letter.kind == "callback":
        return _callback(letter)
    job = at.store.update(letter.id)
    return {"kind": "update", **(public(job) if job else _unreadable(letter))}


def _unreadable(letter: DeadLetter) -> dict[str, Json]:
    """What is known of an update whose stored form is spoilt."""
    return {
        "id": letter.id,
        "state": "dead",
        "target": {},
        "metadata": {},
        "createdAt": letter.died_at,
        "finishedAt": letter.died_at,
        "dueAt": None,
        "attempts": shown_attempts(letter.attempts),
        "result": None,
        "error": letter.error,
        "callback": None,
    }


def _callback(letter: DeadLetter) -> dict[str, Json]:
    told = undelivered(letter)
    return {
        "kind": "callback",
        "id": letter.id,
        "state": "dead",
        "type": told.type if told else None,
        "update": told.update if told else None,
        "target": told.target if told else None,
        "url": told.url if told else None,
        "finishedAt": letter.died_at,
        "attempts": shown_attempts(letter.attempts),
        "error": letter.error,
    }
