"""A person's yes before much is done at once."""

from __future__ import annotations

import sys

import click

from workers.cli.failure import Failed


def ask(question: str, otherwise: str) -> None:
    """Returns if the answer is yes, aborts if it is no. Raises Failed where nobody can be asked; ``otherwise``: what is
    the case then, as a sentence."""
    try:
        click.confirm(question, abort=True, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise Failed(f"{otherwise} Where nobody can be asked, give --yes.") from None
