"""One update as a person reads it: its event, each attempt, what changed or why nothing did, and its callback.

A dead letter that is a callback is shown in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from workers.cli.printable import brief, printable
from workers.cli.terminal import moment, row, said, table


def timeline(update: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The parts to print, from top to bottom; those that the update does not have are left out."""
    yield _head(update)
    if update.get("attempts"):
        yield _attempts(update)
    if (result := update.get("result")) is not None:
        yield from _result(result)
    if (error := update.get("error")) is not None:
        yield from _error(error)
    if update.get("metadata"):
        yield Text.assemble(("metadata  ", "bold"), brief(update["metadata"]))


def owner(target: Mapping[str, Any]) -> str:
    """Whose calendar it is."""
    return printable(str(target.get("mailbox") or f"group {target.get('group', '?')}"))


def why(entry: Mapping[str, Any]) -> str:
    """Why it ended or waits, or what it changed, in a line."""
    if error := entry.get("error"):
        return printable(f"{error.get('class')}: {error.get('code') or error.get('title')}")
    if entry.get("state") == "retrying" and entry.get("attempts"):
        last = entry["attempts"][-1]
        when = f"at {moment(entry['dueAt'])}" if entry.get("dueAt") else "as soon as it can be"
        return printable(f"attempt {last.get('number')}: {last.get('outcome')}, again {when}")
    if result := entry.get("result"):
        return "nothing to change" if result.get("noop") else printable(", ".join(result.get("changed", {})))
    return ""


def _head(update: Mapping[str, Any]) -> RenderableType:
    grid = table("", "", "")
    target = update.get("target") or {}
    row(grid, (Text("id", style="bold"), update.get("id")))
    row(grid, (Text("state", style="bold"), update.get("state")))
    if target:
        row(grid, (Text("calendar", style="bold"), f"{owner(target)} on {target.get('backend')}"))
        row(grid, (Text("event", style="bold"), target.get("event")))
    for name, key in (("accepted", "createdAt"), ("due", "dueAt"), ("ended", "finishedAt")):
        if update.get(key):
            row(grid, (Text(name, style="bold"), moment(update[key])))
    for name in ("update", "type", "url"):  # of a callback
        if update.get(name):
            row(grid, (Text(name, style="bold"), update[name]))
    if callback := update.get("callback"):
        how = f"{callback['state']}, {callback['attempts']} attempt(s), {callback['url']}"
        row(grid, (Text("callback", style="bold"), how))
    return grid


def _attempts(update: Mapping[str, Any]) -> RenderableType:
    made = table("Attempts", "#", "began", "took", "outcome", "detail", "again at", "request id")
    for attempt in update["attempts"]:
        took = _took(attempt.get("startedAt"), attempt.get("endedAt"))
        row(made, (attempt.get("number"), moment(attempt.get("startedAt")), took, attempt.get("outcome"),
                   attempt.get("detail"), moment(attempt.get("retryAt")), attempt.get("requestId")))  # fmt: skip
    return made


def _took(started: str | None, ended: str | None) -> str:
    try:
        return f"{(datetime.fromisoformat(ended or '') - datetime.fromisoformat(started or '')).total_seconds():.2f} s"
    except ValueError:
        return ""


def _result(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    if result.get("noop"):
        yield Text("Nothing had to be changed: the event was already as asked. Nobody was mailed.", style="green")
        return
    made = table("Changed", "property", "before", "after")
    for name, change in result.get("changed", {}).items():
        row(made, (name, brief(change.get("before")), brief(change.get("after"))))
    yield made
    seen = "read back and is as asked" if result.get("verified") else "not seen to be as asked"
    mails = f" ({result['mails']} mails at most)" if result.get("mails") else ""
    yield Text(printable(f"Invitations: {result.get('invitations') or 'not known'}{mails}; the event was {seen}."))
    for notice in result.get("notices") or ():
        yield Text(printable(str(notice)), style="yellow")


def _error(error: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield Text.assemble(
        (printable(f"{error.get('class')}: {error.get('title')}"), "bold red"),
        printable(f" ({error.get('code')})\n{error.get('detail')}"),
    )
    if error.get("conflicts"):
        made = table("Conflicts", "property", "as it was", "theirs", "ours")
        for clash in error["conflicts"]:
            row(made, (clash.get("property"), *(said(brief(clash.get(side))) for side in ("base", "theirs", "ours"))))
        yield made
