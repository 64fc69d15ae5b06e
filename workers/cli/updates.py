"""``rendezvous updates``: list them, show one, send one, cancel one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import click

from workers.cli.choices import Choices, Group, sendable
from workers.cli.document import parsed
from workers.cli.failure import Failed
from workers.job import State

if TYPE_CHECKING:
    from rich.table import Table

    from workers.cli.api import Api


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
@click.argument("update_id", metavar="ID")
@click.pass_obj
def cancel(choices: Choices, update_id: str) -> None:
    """Cancel an update that still waits."""
    from workers.cli.api import segment
    from workers.cli.terminal import print_json

    update = choices.api().post(f"/v1/updates/{segment(update_id)}/cancel")
    if choices.as_json:
        print_json(update)
    else:
        click.echo(f"{update['id']} is {update['state']}.")


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
