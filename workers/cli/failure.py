"""A command that went wrong: what happened and what to do, in a sentence or two on standard error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import click

from workers.cli.printable import printable


class Failed(click.ClickException):
    """Ends with exit code 1. ``problem``: the API's problem document (RFC 9457), if it was the API that refused."""

    def __init__(self, message: str, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.problem = problem

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"rendezvous: {printable(self.message)}", file=file, err=file is None)
