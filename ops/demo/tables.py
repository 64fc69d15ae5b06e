"""How an account is shown: its steps, the event before and after, the mails, the callback as it arrived."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from ops.demo.client import Json
from ops.demo.witness import Account
from ops.sandbox.control import Post, Seen
from ops.sandbox.journal import Invitation

WIDTH_OF_FILES = 120


def console() -> Console:
    """Standard output: as wide as the terminal, or WIDTH_OF_FILES in a file or a pipe."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_OF_FILES, highlight=False)


def show(account: Account, to: Console) -> None:
    """Print everything about one update."""
    to.print()
    to.rule(Text(account.seed.title, style="bold"))
    to.print(steps(account.update), event(account.before, account.after), mails(account.mails))
    to.print(callback(account.callback, account.genuine))


def steps(update: Json) -> Table:
    """What happened when, as Rendezvous tells it."""
    table = _table("Steps", "at", "step", "")
    _row(table, update["createdAt"], "accepted", update["id"])
    for attempt in update["attempts"]:
        detail = attempt.get("detail") or ""
        _row(table, attempt["endedAt"], f"attempt {attempt['number']}", f"{attempt['outcome']} {detail}".strip())
    _row(table, update["finishedAt"] or "", Text(update["state"], style="bold"), _outcome(update))
    if update["callback"]:
        delivery = update["callback"]
        _row(table, "", "callback", f"{delivery['state']} after {delivery['attempts']} attempt(s)")
    return table


def event(before: Seen, after: Seen) -> Table:
    """The properties that differ."""
    table = _table("The event on the sandbox", "property", "before", "after")
    for name, value in after.properties.items():
        if value != before.properties[name]:
            _row(table, name, brief(before.properties[name]), brief(value))
    return table


def mails(sent: Iterable[Invitation]) -> Table:
    """Who was mailed."""
    table = _table("Mails that went out", "to", "kind", "subject")
    for mail in sent:
        _row(table, mail.attendee, mail.kind, mail.subject)
    return table


def callback(post: Post | None, genuine: bool) -> RenderableType:
    """The callback's headers and body, and whether the signature is good."""
    if post is None:
        return Text("No callback arrived.", style="bold red")
    verdict = Text("good", style="bold green") if genuine else Text("NOT GOOD", style="bold red")
    table = _table("The callback as it arrived", "", "")
    for name in ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature"):
        _row(table, name, post.headers.get(name, "missing"))
    _row(table, "signature", verdict)
    _row(table, "body", post.body.decode("utf-8", "replace"))
    return table


def brief(value: Json) -> str:
    """A property's value as a person reads it."""
    if value is None or value in ("", [], {}):
        return "-"
    match value:
        case {"emailAddress": {"address": address}, "type": kind}:
            return f"{address} ({kind})"
        case {"displayName": name}:
            return str(name)
        case {"dateTime": moment, "timeZone": zone}:
            return f"{moment} {zone}"
        case {"content": content}:
            return str(content)
        case list():
            return "\n".join(map(brief, value))
        case str():
            return value
    return json.dumps(value, ensure_ascii=False)


def _row(table: Table, *cells: str | Text) -> None:
    """A row of words as they are: what others wrote may look like rich's markup."""
    table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))


def _outcome(update: Json) -> str:
    if update["error"]:
        return f"{update['error']['class']}: {update['error'].get('code') or ''} {update['error'].get('detail') or ''}"
    result = update["result"] or {}
    return f"invitations {result.get('invitations')}, verified {result.get('verified')}, noop {result.get('noop')}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
