"""Following an update to its end, with a line that says where it stands."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import click

from workers.cli.api import Api, segment
from workers.cli.printable import printable
from workers.job import State

ENDS = frozenset(state.value for state in State if state.settled)


def ended(api: Api, update: Any, timeout: float | None, *, quiet: bool) -> Any | None:
    """Wait for the end of the update and return it; None if it has not ended within ``timeout`` seconds. Raises
    Failed."""
    began, shown = time.monotonic(), ""
    for pause in _pauses():
        line = standing(update)
        if not quiet and (line != shown or sys.stderr.isatty()):
            _show(line, time.monotonic() - began)
        shown = line
        if update["state"] in ENDS:
            break
        if timeout is not None and time.monotonic() - began + pause > timeout:
            update = None
            break
        time.sleep(pause)
        update = api.get(f"/v1/updates/{segment(update['id'])}")
    if not quiet and sys.stderr.isatty():
        click.echo(err=True)
    return update


def standing(update: Any) -> str:
    """Where an update stands, in a line: ``upd_… retrying, attempt 2 ended throttled: 429, again at …``."""
    line = f"{update['id']} {update['state']}"
    if update["attempts"]:
        last = update["attempts"][-1]
        detail = f": {last['detail']}" if last.get("detail") else ""
        line += f", attempt {last['number']} ended {last['outcome']}{detail}"
    if update["state"] == "retrying" and update.get("dueAt"):
        line += f", again at {update['dueAt']}"
    return printable(line).replace("\n", " ")


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
