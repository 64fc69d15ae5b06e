"""The options that every command knows: where Rendezvous is, who asks, how the answer is shown.

They may stand before the command, as in ``rendezvous --json updates list``, or after it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from workers.cli.failure import Failed

if TYPE_CHECKING:
    from workers.cli.api import Api

DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(slots=True)
class Choices:
    """What was chosen; filled while the command line is read, and only read afterwards."""

    url: str = DEFAULT_URL
    key: str | None = None
    as_json: bool = False
    no_color: bool = False

    def api(self) -> Api:
        """Rendezvous as seen by the chosen client. Raises UsageError if no key was given, or if the key or the address
        cannot be right."""
        from workers.cli.api import Api

        if not self.key:
            raise click.UsageError(
                "Who are you? Set RENDEZVOUS_API_KEY or give --key; `rendezvous keys new` makes one."
            )
        return Api(self.address(), sendable("The API key", self.key))

    def address(self) -> str:
        """Where Rendezvous is. Raises UsageError if that cannot be right."""
        from workers.address import is_address

        if not is_address(self.url):
            raise click.UsageError(f"{self.url!r} is not an address: write it like {DEFAULT_URL}.")
        return self.url


def sendable(what: str, text: str) -> str:
    """The text. Raises UsageError if no HTTP header can hold it; the message does not repeat the text, as it may be a
    secret."""
    if text.isascii() and text.isprintable():
        return text
    raise click.UsageError(f"{what} holds a character that is not visible ASCII: is it copied whole and clean?")


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and parameter.name is not None:
        setattr(context.ensure_object(Choices), parameter.name, value)


def _options(*, outermost: bool) -> list[click.Parameter]:
    """The common options. Commands below the outermost do not list them again, nor do they read the environment again,
    which would override the options that stand before the command."""

    def option(*names: str, env: str | None = None, **more: Any) -> click.Option:
        return click.Option(
            names,
            envvar=env if outermost else None,
            show_envvar=outermost,
            default=None,
            expose_value=False,
            callback=_remember,
            hidden=not outermost,
            **more,
        )

    return [
        option("--url", env="RENDEZVOUS_URL", help=f"Where Rendezvous is.  [default: {DEFAULT_URL}]"),
        option("--key", env="RENDEZVOUS_API_KEY", metavar="API_KEY", help="The API key of a client."),
        option("--json", "as_json", is_flag=True, flag_value=True, help="Print JSON, as the API gives it."),
        option("--no-color", "no_color", is_flag=True, flag_value=True, help="Print without colours."),
    ]


class Command(click.Command):
    """A command that knows the common options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _options(outermost=False)


class Group(click.Group):
    """A group of commands that know the common options."""

    command_class = Command
    group_class = type
    outermost = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _options(outermost=self.outermost)


class Root(Group):
    """``rendezvous`` itself. With --json the API's problem is printed as JSON, too."""

    outermost = True

    def invoke(self, ctx: click.Context) -> Any:
        ctx.ensure_object(Choices)
        try:
            return super().invoke(ctx)
        except Failed as error:
            if ctx.ensure_object(Choices).as_json and error.problem is not None:
                click.echo(json.dumps(error.problem, indent=2, ensure_ascii=False))
            raise
        except UnicodeEncodeError as error:
            if error.reason != "surrogates not allowed":
                raise
            raise click.UsageError("What was typed is not all UTF-8: is it copied whole and clean?") from None
