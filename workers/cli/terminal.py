"""How things are shown: JSON for programs, tables for people. Text from outside is never taken as markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workers.cli.choices import Choices
from workers.cli.printable import printable

WIDTH_OF_FILES = 160
WHOLE = frozenset({"id", "kind", "state", "age"})
"""Columns that are never broken into lines, so that ids can be copied."""
STYLES = {
    "succeeded": "green", "delivered": "green", "noop": "green", "dead": "bold red", "cancelled": "dim",
    "running": "cyan", "queued": "cyan", "retrying": "yellow", "waiting": "yellow", "active": "green",
    "starting": "cyan", "failing": "bold red",
}  # fmt: skip


def console(choices: Choices) -> Console:
    """Standard output: as wide as the terminal, or WIDTH_OF_FILES in a file or a pipe."""
    width = None if sys.stdout.isatty() else WIDTH_OF_FILES
    return Console(file=sys.stdout, width=width, no_color=choices.no_color or None, highlight=False)


def print_json(value: Any) -> None:
    """Print JSON, indented, with characters beyond ASCII as they are."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def table(title: str, *columns: str) -> Table:
    """An empty table; if all column names are empty it has no head."""
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_header=any(columns),
        pad_edge=False,
    )
    for column in columns:
        made.add_column(column, overflow="fold", no_wrap=column in WHOLE)
    return made


def row(to: Table, cells: Iterable[object]) -> None:
    """Add a row. None becomes an empty cell, and a state gets its colour."""
    to.add_row(*(cell if isinstance(cell, Text) else said(cell) for cell in cells))


def said(value: object) -> Text:
    """A value as text, safe to print."""
    text = "" if value is None else printable(str(value))
    return Text(text, style=STYLES.get(text, ""))


def age(rfc3339: str | None, now: datetime) -> str:
    """How long ago it was, in the largest unit that fits: ``42s``, ``7m``, ``3h``, ``12d``."""
    if rfc3339 is None:
        return ""
    seconds = max(0, int((now - datetime.fromisoformat(rfc3339)).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def moment(rfc3339: str | None) -> str:
    """``2026-11-21T09:00:00.000Z`` → ``2026-11-21 09:00:00Z``."""
    return "" if rfc3339 is None else rfc3339.replace("T", " ", 1).partition(".")[0].removesuffix("Z") + "Z"
