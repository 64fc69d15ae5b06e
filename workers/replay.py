"""Bringing dead letters back. A replay goes through the same promises again: what was in fact applied is found out
first, since the update keeps its id and so its marker."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from itertools import islice

from workers.callbacks.callback import Delivery
from workers.settings import Settings
from workers.store import DeadLetter, Ring, Search, Store
from workers.update import Json, Update

AT_ONCE = 10_000
"""Dead letters that one request brings back."""
TOGETHER = 50
"""Those of them that go to the store at once."""


class Hindrance(Enum):
    """Why a dead letter cannot come back, as a sentence."""

    SPOILT = "What is stored of it cannot be read, so it cannot be brought back."
    FORBIDDEN = "Its client may no longer touch this mailbox."


@dataclass(frozen=True, slots=True)
class Undelivered:
    """What a dead callback was to tell: its body's type, the update (None where it tells of a change), the event, and
    where to."""

    type: str
    update: str | None
    target: Json
    url: str


def undelivered(letter: DeadLetter) -> Undelivered | None:
    """None where the letter is no callback, or what is stored of it cannot be read."""
    if letter.kind != "callback":
        return None
    try:
        delivery = Delivery.from_json(letter.body)
        body = json.loads(delivery.text)
        return Undelivered(body["type"], delivery.update, body["data"].get("target"), delivery.url)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def hindrance(letter: DeadLetter, settings: Settings) -> Hindrance | None:
    """What stands against a replay, whoever asks for it: the rights of the letter's own client count, as they are
    now."""
    update, client = letter.update, settings.clients.get(letter.client)
    if update is None and undelivered(letter) is None:
        return Hindrance.SPOILT
    if client is None:
        return Hindrance.FORBIDDEN
    backend = settings.backends.get(update.target.backend) if update else None
    return None if backend is None or client.may_touch(letter.owner, backend) else Hindrance.FORBIDDEN


def bring_back(store: Store, letters: Sequence[DeadLetter], now: datetime) -> Iterator[tuple[bool, tuple[Ring, ...]]]:
    """Queue them again under their own ids, in this order. An update has as long as it had at first; False: it is a
    dead letter no more."""
    for start in range(0, len(letters), TOGETHER):
        some = letters[start : start + TOGETHER]
        yield from store.replay_all((one.id, renewed(one.update, now) if one.update else None) for one in some)


def matching(store: Store, settings: Settings, client: str, which: Search, at_most: int = AT_ONCE) -> list[DeadLetter]:
    """The oldest of the client's dead letters that are meant and can come back, oldest first, so that updates of one
    event come back in their order, also where it takes several requests."""
    letters = (letter for ids in store.dead_from_the_oldest(client, which) for letter in store.dead_letters(ids))
    free = (letter for letter in letters if hindrance(letter, settings) is None)
    return sorted(islice(free, at_most), key=lambda letter: letter.accepted)


def renewed(update: Update, now: datetime) -> Update:
    """The update with as much time as it had at first, however often it was replayed."""
    return replace(update, renewed_at=now, deadline=now + update.life)
