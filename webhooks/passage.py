"""What is known of the request that is being answered: who sends it, what it is about, what came of it.

Noted on its way through, told in its log line (webhooks/traffic). In place of loose words in ``flask.g``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

from flask import g

from workers.settings import Client


@dataclass(slots=True)
class Passage:
    """``client``: None until it is known who it is. ``update``: its id. ``problem``: its kind's name. ``faults``: how
    many are told. ``suspicion``: why a signature probably is none. ``began``: perf_counter, in seconds."""

    request_id: str
    client: Client | None = None
    backend: str | None = None
    update: str | None = None
    replayed: bool | None = None
    problem: str | None = None
    faults: int | None = None
    suspicion: str | None = None
    began: float = field(default_factory=perf_counter)


def begin(request_id: str) -> None:
    """A request comes in."""
    g.passage = Passage(request_id)


def passage() -> Passage:
    """Of the request that is being answered."""
    return cast(Passage, g.passage)


def client() -> Client:
    """Who sends it. For views whose blueprint lets nobody in whom it does not know."""
    return cast(Client, passage().client)
