"""``rendezvous demo``: send the two seed updates through a running ``make run``, and show everything that came of them.

The demonstration itself is ops/demo, which is not installed and exists only in a checkout. It is found beside this
package, because `make` installs the package in place.
"""

from __future__ import annotations

import json
import sys
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import click

from workers.cli.choices import Choices, Command
from workers.cli.failure import Failed

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Running:
    """What ``make run`` keeps in its directory about the sandbox and the demonstration's client."""

    sandbox_url: str
    ca_file: Path
    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)


@click.command(cls=Command)
@click.option("--directory", type=click.Path(path_type=Path), default=Path(".run"), show_default=True,
              help="Where `make run` keeps its data.")  # fmt: skip
@click.pass_obj
def demo(choices: Choices, directory: Path) -> None:
    """Send the two seed updates to the sandbox.

    The sandbox is that of a running `make run`; its address and our API key are in the directory of `make run`.
    """
    sys.path.append(str(CHECKOUT))
    try:
        import httpx

        from ops.demo import tables
        from ops.demo.client import Api, DemoError
        from ops.demo.seed_updates import LUNCH, TEAM_BUILDING
        from ops.demo.witness import account
        from ops.sandbox.control import Sandbox
    except ImportError as error:
        raise Failed(
            f"The demonstration is not installed here ({error}): in a checkout, where `make run` is up, it is"
            " .venv/bin/rendezvous demo."
        ) from None
    url, found = choices.address(), read(directory)
    api = Api(url.rstrip("/"), found.api_key)
    sandbox = Sandbox.at(found.sandbox_url, found.ca_file)
    try:
        accounts = [account(seed, api, sandbox, found.webhook_secret, time.sleep) for seed in (TEAM_BUILDING, LUNCH)]
    except DemoError as error:
        raise Failed(f"The seed updates did not go through: {error}.") from None
    except httpx.HTTPError as error:
        raise Failed(f"{url} or {found.sandbox_url} does not answer ({error}): is `make run` up?") from None
    finally:
        sandbox.close()
    for one in accounts:
        if choices.as_json:
            click.echo(json.dumps({"update": one.update, "callbackGenuine": one.genuine}, ensure_ascii=False))
        else:
            tables.show(one, tables.console())
    if not all(one.succeeded for one in accounts):
        raise Failed("NOT both seed updates succeeded and had a callback with a good signature.")


def read(directory: Path) -> Running:
    """Read the directory of a ``make run``. Raises Failed if it is not one."""
    try:
        lines = (directory / "demo.env").read_text(encoding="utf-8").splitlines()
        environ = dict(line.split("=", 1) for line in lines if "=" in line)
        backends = tomllib.loads((directory / "rendezvous.toml").read_text(encoding="utf-8"))["backend"]
        graph = next(backend for backend in backends if backend["kind"] == "graph")
        return Running(
            graph["base_url"].removesuffix("/graph/v1.0"),
            Path(graph["ca_file"]),
            environ["DEMO_API_KEY"],
            environ["DEMO_WEBHOOK_SECRET"],
        )
    except (OSError, ValueError, KeyError, StopIteration):
        raise Failed(
            f"{directory} is not the directory of a running `make run`: start it, or name its directory with"
            " --directory."
        ) from None
