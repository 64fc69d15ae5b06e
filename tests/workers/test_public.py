"""An update as callers see it."""

from __future__ import annotations

from dataclasses import replace

from tests.workers.given import an_attempt, an_update
from workers.job import CallbackState, Failure, Result, State, UpdateJob
from workers.public import public
from workers.update import Occurrence, Target

FIELDS = {
    "id",
    "state",
    "target",
    "metadata",
    "createdAt",
    "finishedAt",
    "dueAt",
    "attempts",
    "result",
    "error",
    "callback",
}


def test_a_new_update_has_all_of_the_contracts_fields_and_no_other() -> None:
    update = an_update(metadata={"ticket": 7})
    shown = public(UpdateJob(update, State.QUEUED))
    assert shown == {
        "id": update.id, "state": "queued", "metadata": {"ticket": 7}, "createdAt": "2026-11-21T09:00:00.000Z",
        "target": {"mailbox": "anna@contoso.com", "event": "AAMkAGI=", "backend": "cloud"},
        "finishedAt": None, "dueAt": None, "attempts": [], "result": None, "error": None, "callback": None,
    }  # fmt: skip
    assert shown.keys() == FIELDS


def test_an_ended_update_tells_its_whole_life() -> None:
    failure = Failure("conflict", "conflict", "Title", "Detail")
    shown = public(
        UpdateJob(
            an_update(),
            State.DEAD,
            (an_attempt(1, "throttled"), an_attempt(2, "conflict")),
            result=Result("v1", noop=True).to_json(),
            error=failure.to_json(),
            finished_at="2026-11-21T09:00:01.000Z",
            callback=CallbackState("https://x.example/", "delivered", 1),
        )
    )
    assert [attempt["number"] for attempt in shown["attempts"]] == [1, 2]
    assert shown["attempts"][0].keys() == {
        "number",
        "startedAt",
        "endedAt",
        "outcome",
        "detail",
        "retryAt",
        "requestId",
    }
    assert shown["error"].keys() == {"class", "code", "title", "detail", "conflicts"}
    assert shown["result"].keys() == {
        "version",
        "noop",
        "changed",
        "invitations",
        "verified",
        "mails",
        "notices",
    }
    assert shown["callback"] == {"url": "https://x.example/", "state": "delivered", "attempts": 1}


def test_a_target_is_told_as_it_was_given() -> None:
    target = Target("cloud", "E", group="g", calendar="c", calendar_group="cg", version="v", occurrence=Occurrence(3))
    job = UpdateJob(replace(an_update(), target=target), State.QUEUED)
    assert public(job)["target"] == {
        "group": "g", "event": "E", "calendar": "c", "calendarGroup": "cg", "version": "v", "backend": "cloud",
        "occurrence": {"index": 3},
    }  # fmt: skip


def test_nothing_of_the_intent_is_told() -> None:
    assert "Moved" not in str(public(UpdateJob(an_update(), State.QUEUED)))
