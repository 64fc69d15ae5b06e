"""An attempt's end as a value. What is done about it is one ``match`` in workers/store.settle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from workers.event.versions import Wrote
from workers.job import ErrorClass, Failure, Result


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Done. ``result`` is None for a callback. ``detail``: one line for the history. ``wrote``: the event's versions
    before and after, where something was written."""

    result: Result | None
    detail: str | None = None
    request_id: str | None = None
    wrote: Wrote | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now, but ``after`` a while. ``pause``: for so long the whole lane stays closed. ``in_doubt``: a write may
    have been applied. ``intent``: what is to be recorded although nothing was sent, in JSON."""

    error_class: ErrorClass
    detail: str
    after: timedelta
    pause: timedelta | None = None
    in_doubt: bool = False
    request_id: str | None = None
    intent: str = ""


@dataclass(frozen=True, slots=True)
class Dead:
    """Never: a dead letter. ``pause``: for so long the whole lane stays closed all the same. ``intent``: what a replay
    is to know of the write, in JSON."""

    failure: Failure
    request_id: str | None = None
    pause: timedelta | None = None
    intent: str = ""


Outcome: TypeAlias = Succeeded | Retry | Dead
