"""``rendezvous completion``: the shell's completion, by click."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from workers.cli.choices import Command
from workers.cli.failure import Failed


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  eval "$(rendezvous completion bash)"
    zsh:   eval "$(rendezvous completion zsh)"
    fish:  rendezvous completion fish | source
    """
    made = get_completion_class(shell)
    if made is None:
        raise Failed(f"There is no completion for {shell}.")
    click.echo(made(context.find_root().command, {}, "rendezvous", "_RENDEZVOUS_COMPLETE").source())
