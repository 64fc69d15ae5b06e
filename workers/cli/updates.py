"""``rendezvous updates``: list them, show one, send one, cancel one or all that wait."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import click

from workers.cli import consent
from workers.cli.choices import Choices, Group, sendable
from workers.cli.document import parsed
from workers.cli.failure import Failed
from workers.job import State

if TYPE_CHECKING:
    from rich.table import Table

    from workers.cli.api import Api

_AT_ONCE = 10_000


@click.group(cls=Group)
def updates() -> None:
    """Updates of calendar events: list, show, send, cancel."""


@updates.command("list")
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only those in this state.")
@click.option("--mailbox", metavar="ADDRESS", help="Only those of this mailbox.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many at most.")
@click.pass_obj
def list_(choices: Choices, state: str | None, mailbox: str | None, limit: int) -> None:
    """List updates, newest first."""
    from workers.cli.terminal import console, print_json

    page = choices.api().items("/v1/updates", limit, state=state, mailbox=mailbox)
    if choices.as_json:
        print_json(page)
    elif not page["items"]:
        click.echo("No updates.")
    else:
        console(choices).print(listing(page["items"]))
        if page["nextCursor"]:
            click.echo("There are more: see --limit.")


def listing(found: Iterable[Any]) -> Table:
    """A row for each update."""
    from workers.cli.terminal import age, row, table
    from workers.cli.timeline import owner, why

    made, now = table("", "id", "state", "age", "calendar", "what became of it"), datetime.now(UTC)
    for update in found:
        row(made, (update["id"], update["state"], age(update["createdAt"], now), owner(update["target"]), why(update)))
    return made


@updates.command()
@click.argument("update_id", metavar="ID")
@click.pass_obj
def show(choices: Choices, update_id: str) -> None:
    """Show one update.

    Its attempts, what it changed or why it did not, its callback.
    """
    from workers.cli.api import segment

    tell(choices, choices.api().get(f"/v1/updates/{segment(update_id)}"))


@updates.command()
@click.argument("update_id", metavar="[ID]", required=False)
@click.option("--all", "every", is_flag=True, help="Every update that still waits, the newest 10,000 at once.")
@click.option("--mailbox", metavar="ADDRESS", help="With --all: only those of this mailbox.")
@click.option("--dry-run", is_flag=True, help="With --all: only say how many wait.")
@click.option("--yes", is_flag=True, help="With --all: do not ask.")
@click.pass_obj
def cancel(choices: Choices, update_id: str | None, every: bool, mailbox: str | None, dry_run: bool, yes: bool) -> None:
    """Cancel an update that still waits.

    One that runs, or whose last write may have been applied, goes on.
    """
    if every == (update_id is not None):
        raise click.UsageError("Name one update, or say --all.")
    if update_id is None:
        _cancel_all(choices, mailbox, dry_run=dry_run, yes=yes)
    elif mailbox or dry_run:
        raise click.UsageError("--mailbox and --dry-run go with --all.")
    else:
        _cancel_one(choices, update_id)


@updates.command()
@click.argument("file", type=click.File("rb"))
@click.option("--idempotency-key", metavar="KEY", help="The same KEY again means the same update. Default: a new one.")
@click.option("--wait", is_flag=True, help="Wait for its end; exit code 1 unless it succeeds.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait no longer than this.")
@click.pass_obj
def send(choices: Choices, file: IO[bytes], idempotency_key: str | None, wait: bool, timeout: float | None) -> None:
    """Ask for the update in FILE (JSON; - is standard input)."""
    from workers.cli.terminal import print_json

    content = file.read()
    parsed(content, getattr(file, "name", "-"))
    key = f"cli-{uuid.uuid4()}" if idempotency_key is None else sendable("The idempotency key", idempotency_key)
    if not key:
        raise click.UsageError("--idempotency-key is empty: is the variable that it was taken from set?")
    api = choices.api()
    update = _sent(api, content, key)
    if wait:
        update = _followed(choices, api, update, timeout)
        tell(choices, update)
    elif choices.as_json:
        print_json(update)
    else:
        click.echo(f"{update['id']} {update['state']}. `rendezvous updates show {update['id']}` tells more.")
    if wait and update["state"] != "succeeded":
        raise SystemExit(1)


def tell(choices: Choices, update: Any) -> None:
    """Print one update, for a program or for a person."""
    from workers.cli.terminal import console, print_json
    from workers.cli.timeline import timeline

    if choices.as_json:
        print_json(update)
        return
    to = console(choices)
    for part in timeline(update):
        to.print(part)


def _cancel_one(choices: Choices, update_id: str) -> None:
    from workers.cli.terminal import print_json

    update = _cancelled(choices.api(), update_id)
    if choices.as_json:
        print_json(update)
    else:
        click.echo(f"{update['id']} is {update['state']}.")


def _cancel_all(choices: Choices, mailbox: str | None, *, dry_run: bool, yes: bool) -> None:
    from workers.cli.terminal import print_json

    api = choices.api()
    waiting = _waiting(api, mailbox)
    if waiting and not dry_run and not yes:
        consent.ask(f"Cancel {len(waiting)} update(s)?", "Nothing was cancelled.")
    cancelled = 0 if dry_run else sum(_is_cancelled(api, update_id) for update_id in waiting)
    if choices.as_json:
        print_json({"matched": len(waiting), "cancelled": cancelled, "dryRun": dry_run})
    elif not waiting:
        click.echo("No update waits.")
    elif dry_run:
        click.echo(f"{len(waiting)} would be cancelled.")
    else:
        click.echo(f"{cancelled} of {len(waiting)} are cancelled.")
        if len(waiting) == _AT_ONCE:
            click.echo("Repeat the command for the rest.")
        elif left := len(_waiting(api, mailbox)):
            click.echo(f"{left} wait: new since then, or their last write may have been applied.")


def _waiting(api: Api, mailbox: str | None) -> list[str]:
    """The ids of those that wait, the newest first: so none that is cancelled lets the next one of its event begin."""
    states = (State.QUEUED, State.RETRYING)
    pages = [api.items("/v1/updates", _AT_ONCE, state=state, mailbox=mailbox) for state in states]
    return sorted((str(update["id"]) for page in pages for update in page["items"]), reverse=True)[:_AT_ONCE]


def _is_cancelled(api: Api, update_id: str) -> bool:
    """Cancel it; False if it cannot be any more."""
    try:
        _cancelled(api, update_id)
    except Failed as error:
        if error.problem is None or error.problem.get("status") not in (404, 409):
            raise
        return False
    return True


def _cancelled(api: Api, update_id: str) -> Any:
    from workers.cli.api import segment

    return api.post(f"/v1/updates/{segment(update_id)}/cancel")


def _sent(api: Api, content: bytes, key: str) -> Any:
    from workers.cli.api import Unanswered

    try:
        return api.post("/v1/updates", content=content, key=key)
    except Unanswered as error:
        raise Failed(
            f"{error.message} It may have been accepted: send it again with --idempotency-key {key}, which is safe.",
            error.problem,
        ) from None


def _followed(choices: Choices, api: Api, update: Any, timeout: float | None) -> Any:
    """Wait for the end of the update and return it. Standard error shows how it goes meanwhile."""
    from workers.cli.progress import ended

    try:
        followed = ended(api, update, timeout, quiet=choices.as_json)
    except Failed as error:
        raise Failed(
            f"{update['id']} was accepted and goes on; following it failed: {error.message}", error.problem
        ) from None
    if followed is None:
        raise Failed(
            f"{update['id']} has not ended within {timeout:g} s; it goes on."
            f" `rendezvous updates show {update['id']}` tells how."
        )
    return followed
