"""The command line ``rendezvous``: a client of the HTTP API for people and scripts, and an operator's further commands.
One file for each group of commands.

    choices   the options that every command knows          updates, dead_letters   what was asked, what was given up
    api       Rendezvous over HTTP, failures as sentences    subscriptions           who hears of changes
    terminal  how things are shown                           keys, mapping           for those who configure
    timeline  one update, shown with its history             trigger, listen         for those who receive callbacks
    progress  one update, followed to its end                doctor, demo            is it well? show me
    failure   what went wrong, in a sentence or two          configured, document    reading files
    consent   a person's yes before much is done at once
    printable text of others, made safe to print             completion              the shell's completion

Exit codes: 0 it went well, 1 it did not, 2 the command was not understood. Commands import what only they need (httpx,
rich, the engine) when they run, so that the shell's completion is quick.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path

import click

from workers.cli.choices import Root
from workers.cli.completion import completion
from workers.cli.dead_letters import dead_letters
from workers.cli.demo import demo
from workers.cli.doctor import doctor
from workers.cli.keys import keys
from workers.cli.listen import listen
from workers.cli.mapping import mapping
from workers.cli.subscriptions import subscriptions
from workers.cli.trigger import trigger
from workers.cli.updates import updates
from workers.version import VERSION


@click.group(cls=Root)
@click.version_option(VERSION, message="Rendezvous %(version)s")
def cli() -> None:
    """Look after Rendezvous, which changes calendar events in Exchange for other systems: once, and in order.

    \b
    rendezvous doctor                    is it well, and what to do if not
    rendezvous updates send FILE --wait  ask for an update and see how it ends
    rendezvous dead-letters list         what was given up, and why

    --url, --key, --json and --no-color may stand before or after the command.
    """


for command in (updates, dead_letters, subscriptions, keys, mapping, doctor, demo, trigger, listen, completion):
    cli.add_command(command)


def main() -> None:
    """The entry point. Who has closed an output wants to read nothing there. A file or a pipe gets UTF-8, as JSON has
    to be (RFC 8259, 8.1), whatever the locale is; a terminal shows what it can."""
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
        for output in (sys.stdout, sys.stderr):
            if isinstance(output, TextIOWrapper):
                output.reconfigure(encoding=None if output.isatty() else "utf-8", errors="replace")
        cli(prog_name="rendezvous")
