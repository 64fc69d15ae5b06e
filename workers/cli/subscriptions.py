"""``rendezvous subscriptions``: which address hears of the changes in which mailbox."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from workers.cli.choices import Choices, Group

if TYPE_CHECKING:
    from rich.table import Table

_PATH = "/v1/subscriptions"
AT_MOST = 100_000


@click.group(cls=Group)
def subscriptions() -> None:
    """Who hears of changes: list, show, add, remove."""


@subscriptions.command("list")
@click.option("--mailbox", metavar="ADDRESS", help="Only those of this mailbox.")
@click.option("--failing", is_flag=True, help="Only those that do not work just now.")
@click.pass_obj
def list_(choices: Choices, mailbox: str | None, failing: bool) -> None:
    """List subscriptions, newest first."""
    from workers.cli.terminal import console, print_json

    page = choices.api().items(_PATH, AT_MOST)
    found = [one for one in page["items"] if _wanted(one, mailbox, failing=failing)]
    if choices.as_json:
        print_json({**page, "items": found})
    elif not found:
        click.echo("No subscriptions.")
    else:
        console(choices).print(listing(found))


@subscriptions.command()
@click.argument("subscription_id", metavar="ID")
@click.pass_obj
def show(choices: Choices, subscription_id: str) -> None:
    """Show one subscription, and why it does not work if it does not."""
    from workers.cli.api import segment

    _tell(choices, choices.api().get(f"{_PATH}/{segment(subscription_id)}"))


@subscriptions.command()
@click.argument("mailbox", metavar="MAILBOX")
@click.argument("callback_url", metavar="CALLBACK_URL")
@click.option("--property", "properties", multiple=True, metavar="NAME",
              help="Tell of changes of this property only; may be given several times.")  # fmt: skip
@click.option("--backend", metavar="NAME", help="The backend that holds the mailbox, if its address does not say.")
@click.pass_obj
def add(choices: Choices, mailbox: str, callback_url: str, properties: tuple[str, ...], backend: str | None) -> None:
    """Report the changes in MAILBOX to CALLBACK_URL.

    Adding the same subscription again changes nothing.
    """
    asked = {"mailbox": mailbox, "callbackUrl": callback_url, "backend": backend, "properties": list(properties)}
    _tell(choices, choices.api().post(_PATH, body={name: value for name, value in asked.items() if value}))


@subscriptions.command()
@click.argument("subscription_id", metavar="ID")
@click.pass_obj
def remove(choices: Choices, subscription_id: str) -> None:
    """End a subscription. Callbacks that are on their way may still come."""
    from workers.cli.api import segment

    choices.api().delete(f"{_PATH}/{segment(subscription_id)}")
    if not choices.as_json:
        click.echo(f"{subscription_id} has ended.")


def listing(found: Iterable[dict[str, Any]]) -> Table:
    """A row for each subscription."""
    from workers.cli.terminal import age, row, table

    made, now = table("", "id", "state", "age", "mailbox", "last heard", "to", "problem"), datetime.now(UTC)
    for one in found:
        row(made, (one["id"], one["state"], age(one["createdAt"], now), one["mailbox"],
                   age(one.get("lastToldAt"), now), one["callbackUrl"], one.get("problem")))  # fmt: skip
    return made


def _wanted(one: dict[str, Any], mailbox: str | None, *, failing: bool) -> bool:
    of_it = mailbox is None or str(one.get("mailbox")).lower() == mailbox.lower()
    return of_it and (not failing or one.get("state") == "failing")


def _tell(choices: Choices, one: dict[str, Any]) -> None:
    from rich.text import Text

    from workers.cli.terminal import console, moment, print_json, row, table

    if choices.as_json:
        print_json(one)
        return
    grid = table("", "", "")
    for name, value in {
        "id": one.get("id"),
        "state": one.get("state"),
        "problem": one.get("problem"),
        "mailbox": f"{one.get('mailbox')} on {one.get('backend')}",
        "told to": one.get("callbackUrl"),
        "properties": ", ".join(one.get("properties") or ()),
        "since": moment(one.get("createdAt")),
        "last heard": moment(one.get("lastToldAt")),
    }.items():
        if value:
            row(grid, (Text(name, style="bold"), value))
    console(choices).print(grid)
