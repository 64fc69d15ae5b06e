"""``rendezvous mapping try``: show what a client's ``[client.mapping]`` makes of a message, without sending anything.

Only the API judges whether the outcome is a valid update: give what ``mapping try --json`` prints to ``updates send``.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import click

from workers.cli import configured
from workers.cli.choices import Choices, Group
from workers.cli.failure import Failed

if TYPE_CHECKING:
    from rich.table import Table

    from workers.mapping import Mapped, Mapper
    from workers.settings import Settings


@click.group(cls=Group)
def mapping() -> None:
    """How a client's own JSON becomes an update."""


@mapping.command("try")
@click.argument("file", type=click.File("rb"))
@click.option("--client", "name", metavar="NAME", help="Whose mapping. Default: the only client that has one.")
@click.pass_obj
def try_(choices: Choices, file: IO[bytes], name: str | None) -> None:
    """Apply a client's mapping to the message in FILE.

    FILE is JSON; - is standard input. The mapping is that of the configuration (RENDEZVOUS_CONFIG).
    """
    from workers.cli.document import parsed
    from workers.cli.terminal import console, print_json

    message = parsed(file.read(), getattr(file, "name", "-"))
    mapped = _mapped(_chosen(configured.settings(), name), message)
    print_json(mapped.update)
    if not choices.as_json:
        console(choices).print(sources(mapped))


def sources(mapped: Mapped) -> Table:
    """Where each field comes from, including fields that were left out."""
    from workers.cli.printable import brief
    from workers.cli.terminal import row, table

    made = table("", "field", "expression", "value")
    for path, expression in mapped.sources.items():
        value = _at(mapped.update, path)
        row(made, (".".join(map(str, path)), expression, "null: left out" if value is None else brief(value)))
    return made


def _chosen(settings: Settings, name: str | None) -> Mapper:
    if name is not None:
        client = configured.client(settings, name)
        if client.mapper is None:
            raise Failed(f"The client {name} has no [client.mapping]: it sends updates as they are.")
        return client.mapper
    found = {client.name: client.mapper for client in settings.client if client.mapper is not None}
    if len(found) != 1:
        names = ", ".join(found)
        raise Failed(
            f"Whose mapping? Say --client, one of {names}." if names else "No client has a [client.mapping] to try."
        )
    return next(iter(found.values()))


def _mapped(mapper: Mapper, message: Any) -> Mapped:
    from workers.mapping import MappingError

    try:
        return mapper.apply(message)
    except MappingError as error:
        raise Failed(f"{'.'.join(map(str, error.path))}: {error}.") from None


def _at(document: Any, path: tuple[str | int, ...]) -> Any:
    """The value at a path, or None."""
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return None
    return document
