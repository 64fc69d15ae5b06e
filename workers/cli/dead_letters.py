"""``rendezvous dead-letters``: list, show, replay and discard what was given up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from workers.cli import consent
from workers.cli.choices import Choices, Group
from workers.job import ErrorClass
from workers.update import rfc3339

if TYPE_CHECKING:
    from rich.table import Table

    from workers.cli.api import Api

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PATH = "/v1/dead-letters"
_F = TypeVar("_F", bound=Callable[..., Any])


def _since(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    if (moment := since(value, datetime.now(UTC))) is None:
        raise click.BadParameter(
            f"{value!r} is neither a moment (2026-11-21T09:00:00Z) nor how long ago (90m, 2h, 7d)."
        )
    return moment


def since(text: str, now: datetime) -> str | None:
    """The moment in UTC that the text gives, in RFC 3339 or as how long ago it was (``90m``, ``2h``, ``7d``). None if
    the text is neither."""
    try:
        if found := re.fullmatch(r"(\d{1,9})([smhdw])", text):
            at = now - timedelta(**{_UNITS[found[2]]: int(found[1])})
        else:
            at = datetime.fromisoformat(text)
        return None if at.tzinfo is None else rfc3339(at)
    except (ValueError, OverflowError):
        return None


def filters(command: _F) -> _F:
    """Adds the options that choose dead letters. The command gets them as keyword arguments, nearly all named as in the
    API."""
    for option in (
        click.option(
            "--since",
            metavar="MOMENT",
            callback=_since,
            help="Given up since: a moment, or how long ago (90m, 2h, 7d).",
        ),
        click.option("--mailbox", metavar="ADDRESS", help="Only those of this mailbox."),
        click.option(
            "--class", "error_class", type=click.Choice(get_args(ErrorClass)), help="Only those given up for this."
        ),
        click.option("--kind", type=click.Choice(("update", "callback")), help="Only updates, or only callbacks."),
    ):
        command = option(command)
    return command


@click.group("dead-letters", cls=Group)
def dead_letters() -> None:
    """What was given up: list, show, replay, discard."""


@dead_letters.command("list")
@filters
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many at most.")
@click.pass_obj
def list_(choices: Choices, /, limit: int, error_class: str | None, **chosen: str | None) -> None:
    """List dead letters, newest first."""
    from workers.cli.terminal import console, print_json

    page = choices.api().items(_PATH, limit, **{"class": error_class, **chosen})
    if choices.as_json:
        print_json(page)
    elif not page["items"]:
        click.echo("No dead letters.")
    else:
        console(choices).print(listing(page["items"]))
        if page["nextCursor"]:
            click.echo("There are more: see --limit.")


def listing(entries: Iterable[dict[str, Any]]) -> Table:
    """A row for each dead letter."""
    from workers.cli.terminal import age, row, table

    made, now = table("", "id", "kind", "age", "of", "why"), datetime.now(UTC)
    for entry in entries:
        row(made, (entry["id"], entry["kind"], age(entry.get("finishedAt"), now), subject(entry), reason(entry)))
    return made


@dead_letters.command()
@click.argument("entry_id", metavar="ID")
@click.pass_obj
def show(choices: Choices, entry_id: str) -> None:
    """Show one dead letter: its attempts and why it was given up."""
    from workers.cli.api import segment
    from workers.cli.updates import tell

    tell(choices, choices.api().get(f"{_PATH}/{segment(entry_id)}"))


@dead_letters.command()
@click.argument("entry_id", metavar="[ID]", required=False)
@click.option(
    "--all", "every", is_flag=True, help="Every dead letter that the filters choose, the oldest 10,000 at once."
)
@filters
@click.option("--dry-run", is_flag=True, help="With --all: only say how many there are.")
@click.option("--yes", is_flag=True, help="With --all: do not ask.")
@click.pass_obj
def replay(
    choices: Choices,
    /,
    entry_id: str | None,
    every: bool,
    dry_run: bool,
    yes: bool,
    error_class: str | None,
    **chosen: str | None,
) -> None:
    """Queue a dead letter again, under its own id.

    Whether the change was already applied is found out before anything is written.
    """
    wanted = {name: value for name, value in {"class": error_class, **chosen}.items() if value is not None}
    if every == (entry_id is not None):
        raise click.UsageError("Name one dead letter, or say --all.")
    if entry_id is None:
        _replay_all(choices, wanted, dry_run=dry_run, yes=yes)
    elif wanted or dry_run:
        raise click.UsageError("The filters and --dry-run go with --all.")
    else:
        _replay_one(choices, entry_id)


@dead_letters.command()
@click.argument("entry_id", metavar="ID")
@click.pass_obj
def discard(choices: Choices, entry_id: str) -> None:
    """Take a dead letter off the list for good."""
    from workers.cli.api import segment

    choices.api().delete(f"{_PATH}/{segment(entry_id)}")
    if not choices.as_json:
        click.echo(f"{entry_id} is discarded.")


def subject(entry: dict[str, Any]) -> str:
    """What a dead letter is about: whose calendar, or the address of an undelivered callback."""
    from workers.cli.timeline import owner

    if url := entry.get("url"):
        return str(url)
    return owner(entry["target"]) if entry.get("target") else ""


def reason(entry: dict[str, Any]) -> str:
    """Why it was given up, in a line."""
    error = entry.get("error") or {}
    return " ".join(str(part) for part in (error.get("class"), error.get("code"), error.get("detail")) if part)


def _replay_one(choices: Choices, entry_id: str) -> None:
    from workers.cli.api import segment
    from workers.cli.terminal import print_json

    entry = choices.api().post(f"{_PATH}/{segment(entry_id)}/replay")
    if choices.as_json:
        print_json(entry)
    else:
        click.echo(f"{entry['id']} is {entry['state']} again.")


def _replay_all(choices: Choices, wanted: dict[str, str], *, dry_run: bool, yes: bool) -> None:
    from workers.cli.terminal import print_json
    from workers.replay import AT_ONCE

    api = choices.api()
    for_real = not dry_run and (yes or _confirmed(api, wanted))
    came = _asked(api, wanted, dry_run=not for_real)
    if choices.as_json:
        print_json(came)
    elif not came["matched"]:
        click.echo("No dead letter matches.")
    elif not for_real:
        click.echo(f"{came['matched']} would be replayed.")
    else:
        click.echo(f"{came['replayed']} of {came['matched']} are queued again.")
        if left := _matched(api, wanted):
            click.echo(_what_is_left(left, took_all=came["matched"] < AT_ONCE))


def _what_is_left(count: int, *, took_all: bool) -> str:
    if took_all:
        return f"{count} match now: given up again, or new since then. See `rendezvous dead-letters list`."
    return f"{count} still match: one call takes the oldest 10,000. Repeat the command for the rest."


def _confirmed(api: Api, wanted: dict[str, str]) -> bool:
    """Ask a person whether to replay as many as match. Aborts unless the answer is yes. False if none match; then
    nobody is asked."""
    if count := _matched(api, wanted):
        consent.ask(f"Replay {count} dead letter(s)?", "Nothing was replayed.")
    return count > 0


def _matched(api: Api, wanted: dict[str, str]) -> int:
    return int(_asked(api, wanted, dry_run=True)["matched"])


def _asked(api: Api, wanted: dict[str, str], *, dry_run: bool) -> dict[str, Any]:
    return api.post(f"{_PATH}/replay", body={**wanted, "dryRun": dry_run})
