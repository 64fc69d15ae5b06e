"""The Procfile: ``name: command line``, one process a line. No shell reads it: no variables, no pipes."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from ops.run import RunError

_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line."""

    name: str
    command: tuple[str, ...]


def parse(text: str) -> tuple[Entry, ...]:
    """The entries in their order. Raises RunError about a line that is not an entry, or a name that comes twice."""
    entries: dict[str, Entry] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        entry = _entry(number, line)
        if entry.name in entries:
            raise RunError(f"Procfile, line {number}: a second process named {entry.name}")
        entries[entry.name] = entry
    return tuple(entries.values())


def _entry(number: int, line: str) -> Entry:
    match = _LINE.fullmatch(line.strip())
    try:
        command = shlex.split(match[2]) if match else []
    except ValueError as error:
        raise RunError(f"Procfile, line {number}: {error}") from None
    if match is None:
        raise RunError(f"Procfile, line {number}: this is not `name: command`")
    return Entry(match[1], tuple(command))
