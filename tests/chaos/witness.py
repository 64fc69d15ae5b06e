"""Collects the evidence of one scenario: Exchange's journal file, the callbacks that were caught, what is said."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ops.sandbox.control import Post
from tests.chaos.callers import Callers
from tests.chaos.judge import ENDED, POISONED, UNKNOWN, Delivered, Evidence, Write, attributed
from tests.until import until

PATIENCE = 60.0
"""Seconds after the last hurt within which everything has to be at its end."""


def testimony(callers: Callers, expected_dead: Collection[str] = ()) -> Evidence:
    """Wait until everything is at its end, or long enough; then what there is to see."""
    said: dict[str, str] = {}

    def at_rest() -> bool:
        _ask(callers, said)
        ended = sum(state in ENDED for state in said.values())
        return ended == len(callers.promises) and _complete(_seen(callers, said, expected_dead))

    until(at_rest, PATIENCE)
    evidence = _seen(callers, said, expected_dead)
    write_down(callers.stage.folder / "callbacks.jsonl", evidence.delivered)
    return evidence


def write_down(file: Path, delivered: Iterable[Delivered]) -> None:
    """For whoever looks for what broke a promise: the sandbox forgets its callbacks when it ends."""
    with file.open("w", encoding="utf-8") as lines:
        for post in delivered:
            lines.write(json.dumps({**asdict(post), "body": json.loads(post.body)}) + "\n")


def writes_in(journal: Path) -> list[Write]:
    """Every write of ours, in the order in which Exchange applied them."""
    with journal.open(encoding="utf-8") as lines:
        read = [Write.read(json.loads(line)) for line in lines if line.endswith("\n")]
    return [write for write in read if write is not None]


def _ask(callers: Callers, said: dict[str, str]) -> None:
    """Put into ``said`` how updates ended that were not at their end before."""
    for promise in list(callers.promises):
        if said.get(promise.update) not in ENDED:
            update = callers.state(promise.update)
            if update is not None and update["state"] in (*ENDED, "unheard of"):
                said[promise.update] = _end(update)


def _end(update: Mapping[str, Any]) -> str:
    error = update.get("error") or {}
    if error.get("code") != "Poisoned":
        return str(update["state"])
    return UNKNOWN if error["class"] == "unknownOutcome" else POISONED


def _seen(callers: Callers, said: dict[str, str], expected_dead: Collection[str]) -> Evidence:
    return Evidence(
        promises=tuple(callers.promises),
        writes=tuple(writes_in(callers.stage.journal)),
        delivered=tuple(_delivered(callers.stage.sandbox.callbacks())),
        said=dict(said),
        expected_dead=frozenset(expected_dead),
    )


def _complete(evidence: Evidence) -> bool:
    """Whether nothing is missing any more, so that waiting longer would only show what comes twice."""
    told = {post.update for post in evidence.delivered if 200 <= post.status < 300}
    given_up = {update for update, state in evidence.said.items() if state in (POISONED, UNKNOWN)}
    there = {write.update for write in attributed(evidence)} | evidence.expected_dead | given_up
    return all(
        promise.update in there and (promise.update in told or not promise.callback) for promise in evidence.promises
    )


def _at(post: Post) -> float:
    return datetime.fromisoformat(post.at).timestamp()


def _delivered(posts: Iterable[Post]) -> Iterable[Delivered]:
    for post in posts:
        update = json.loads(post.body)["data"]["id"]
        yield Delivered(update, post.headers.get("webhook-id", ""), post.body, post.status, _at(post))
