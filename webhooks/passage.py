"""What is known of the request that is being answered: who sends it, what it is about, what came of it.

It is noted on the way and ends in the log line (webhooks/traffic). Typed, in place of loose names in ``flask.g``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

from flask import g

from workers.settings import Client


@dataclass(slots=True)
class Passage:
    """``client``: None until it is known. ``update``: its id. ``problem``: the name of its kind. ``faults``: how many
    were told. ``suspicion``: why a signature was probably refused. ``began``: perf_counter, in seconds."""

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
    """What is known of the request that is being answered."""
    return cast(Passage, g.passage)


def client() -> Client:
    """Who sends the request. For views behind ``intake.authenticate`` only."""
    return cast(Client, passage().client)
