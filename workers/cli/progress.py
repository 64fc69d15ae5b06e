"""Following an update to its end, with a line that says where it stands."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from typing import Any

import click

from workers.cli.api import Api, Passing, segment
from workers.cli.printable import printable
from workers.job import State

ENDS = frozenset(state.value for state in State if state.settled)


def ended(api: Api, update: Any, timeout: float | None, *, quiet: bool) -> Any | None:
    """Wait for the end of the update and return it; None if it has not ended within ``timeout`` seconds. What may pass
    by itself, as a web process that starts again does, is waited out. Raises Failed if it does not pass in time."""
    began, shown = time.monotonic(), ""
    missed: Passing | None = None
    try:
        for seen, missed in _looks(api, update, math.inf if timeout is None else began + timeout):
            line = standing(seen) if missed is None else _in_a_line(f"{seen['id']}: {missed.message}")
            if not quiet and (line != shown or sys.stderr.isatty()):
                _show(line, time.monotonic() - began)
            shown = line
            if seen["state"] in ENDS:
                return seen
    finally:
        if not quiet and sys.stderr.isatty():
            click.echo(err=True)
    if missed is not None:
        raise missed
    return None


def standing(update: Any) -> str:
    """Where an update stands, in a line: ``upd_… retrying, attempt 2 ended throttled: 429, again at …``."""
    line = f"{update['id']} {update['state']}"
    if update["attempts"]:
        last = update["attempts"][-1]
        detail = f": {last['detail']}" if last.get("detail") else ""
        line += f", attempt {last['number']} ended {last['outcome']}{detail}"
    if update["state"] == "retrying" and update.get("dueAt"):
        line += f", again at {update['dueAt']}"
    return _in_a_line(line)


def _in_a_line(text: str) -> str:
    return printable(text).replace("\n", " ")


def _looks(api: Api, update: Any, until: float) -> Iterator[tuple[Any, Passing | None]]:
    """The update as it was last seen, again and again, and why the last look at it missed, if it did."""
    missed: Passing | None = None
    for pause in _pauses():
        yield update, missed
        wait = max(pause, missed.after if missed else 0.0)
        if time.monotonic() + wait > until:
            return
        time.sleep(wait)
        try:
            update, missed = api.get(f"/v1/updates/{segment(update['id'])}"), None
        except Passing as error:
            missed = error


def _pauses() -> Iterator[float]:
    """Seconds between two looks: short at first, then one second."""
    yield from (0.1, 0.2, 0.4)
    while True:
        yield 1.0


def _show(line: str, seconds: float) -> None:
    """On a terminal each line replaces the one before; elsewhere they stand below each other."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{seconds:4.0f} s  {line[:110]}", err=True, nl=False)
    else:
        click.echo(line, err=True)
