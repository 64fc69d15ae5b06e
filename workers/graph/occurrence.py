"""Which event ``target.occurrence`` means: asks Graph for the series' instances. See instances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from workers.exchange import Refused
from workers.graph import instances
from workers.graph.connection import Answer, Connection, unreadable
from workers.graph.instances import Instance, Window
from workers.graph.paths import event_path
from workers.graph.resources import Unreadable
from workers.update import Target

T = TypeVar("T")

_PREFER = {"Prefer": 'outlook.timezone="UTC"'}
_PAGES = 100
"""At most: fifty thousand occurrences, more than a century of days."""


def find(connection: Connection, target: Target) -> Target:
    """The target with the occurrence's own id as its event; a target without an occurrence is left as it is.

    Raises NotFound with a sentence where there is no such occurrence.
    """
    if target.occurrence is None:
        return target
    if target.occurrence.start is not None:
        found = _by_start(connection, target, target.occurrence.start)
    else:
        found = _by_index(connection, target, target.occurrence.index or 0)
    return replace(target, event=found, occurrence=None)


def _by_start(connection: Connection, target: Target, start: str) -> str:
    moment = instances.moment(start)
    if instances.may_be_a_day(moment):
        moment = _read(_master(connection, target), instances.series).begin(moment)
    for window in instances.windows_around(moment):
        found = instances.at(moment, _within(connection, target, window))
        if found is not None:
            return found.id
    raise instances.missing(f"the series has none that was to start at {start}")


def _by_index(connection: Connection, target: Target, index: int) -> str:
    if index < 1:
        raise Refused("InvalidTarget", "target.occurrence.index: the first occurrence is number 1")
    answer = _master(connection, target)
    series = _read(answer, instances.series)
    window = _read(answer, lambda _: series.window(index))
    return series.numbered(index, _within(connection, target, window))


def _within(connection: Connection, target: Target, window: Window) -> list[Instance]:
    found: list[Instance] = []
    query: str | None = window.query()
    for _ in range(_PAGES):
        if query is None:
            return found
        answer = connection.call("read", target, "GET", f"{event_path(target)}/instances?{query}", _PREFER)
        page, query = _read(answer, instances.read)
        found += page
    raise Refused("TooManyInstances", "target.occurrence: the series is too long to count; name the occurrence's id")


def _master(connection: Connection, target: Target) -> Answer:
    return connection.call("read", target, "GET", f"{event_path(target)}?{instances.MASTER}", _PREFER)


def _read(answer: Answer, read: Callable[[bytes], T]) -> T:
    try:
        return read(answer.body)
    except Unreadable as error:
        raise unreadable("read", answer, error) from error
