"""Bringing dead letters back. A replay goes through the same promises again: what was in fact applied is found out
first, since the update keeps its id and so its marker."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import islice

from workers.store import DeadLetter, Ring, Search, Store
from workers.update import Update

AT_ONCE = 10_000
"""Dead letters that one request brings back."""


def replay_one(store: Store, letter: DeadLetter, now: datetime) -> tuple[bool, tuple[Ring, ...]]:
    """Queue it again under its own id. An update has as long as it had at first; False: it is a dead letter no more."""
    return store.replay(letter.id, _renewed(letter.update, now) if letter.update else None)


def matching(store: Store, client: str, which: Search, at_most: int = AT_ONCE) -> list[DeadLetter]:
    """The oldest of the client's dead letters that are meant, oldest first, so that updates of one event come back in
    their order, also where it takes several requests."""
    letters = (letter for ids in store.dead_from_the_oldest(client, which) for letter in store.dead_letters(ids))
    return sorted(islice(letters, at_most), key=lambda letter: letter.accepted)


def _renewed(update: Update, now: datetime) -> str:
    return replace(update, deadline=now + (update.deadline - update.created_at)).to_json()
