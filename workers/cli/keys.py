"""``rendezvous keys new``: an API key and a webhook secret, made here and shown once."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from base64 import b64encode
from dataclasses import dataclass, field

import click

from workers.cli.choices import Choices, Group


@dataclass(frozen=True, slots=True)
class Credentials:
    """The key that a new client signs in with, and the secret that signs its callbacks. The configuration holds only
    the SHA-256 of the key."""

    client: str
    api_key: str = field(repr=False)
    api_key_sha256: str
    webhook_secret: str = field(repr=False)

    @property
    def variable(self) -> str:
        """The environment variable that holds the webhook secret. No shell knows one that begins with a digit."""
        return re.sub(r"[^A-Z0-9]|^(?=[0-9])", "_", self.client.upper()) + "_WEBHOOK_SECRET"


def make(client: str) -> Credentials:
    """New credentials: a key and a secret of 256 random bits each."""
    key = f"rdv_{secrets.token_urlsafe(32)}"
    secret = f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
    return Credentials(client, key, hashlib.sha256(key.encode()).hexdigest(), secret)


@click.group(cls=Group)
def keys() -> None:
    """API keys and webhook secrets."""


def _name(_: click.Context, __: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise click.BadParameter("a client's name is 1 to 64 letters, digits, _ and -.")
    return value


@keys.command()
@click.option("--client", metavar="NAME", default="new", callback=_name, help="The client that they are for.")
@click.pass_obj
def new(choices: Choices, client: str) -> None:
    """Make an API key and a webhook secret.

    Nothing is stored: they are shown this once. Add them beside the old ones, restart, and take the old ones out when
    nobody uses them any more.
    """
    made = make(client)
    if choices.as_json:
        named = {"client": client, "apiKey": made.api_key, "apiKeySha256": made.api_key_sha256,
                 "webhookSecret": made.webhook_secret}  # fmt: skip
        click.echo(json.dumps(named, indent=2))
    else:
        click.echo(instructions(made))


def instructions(made: Credentials) -> str:
    """What to do with the new credentials, for a person."""
    return f"""\
For the client, which keeps both secret:
  API key         {made.api_key}
  webhook secret  {made.webhook_secret}

For rendezvous.toml:
  [[client]]
  name = "{made.client}"
  api_key_sha256 = ["{made.api_key_sha256}"]
  webhook_secrets_env = ["{made.variable}"]
  mailboxes = []  # what it may touch, e.g. ["*@contoso.com"]

For the environment of every process:
  {made.variable}={made.webhook_secret}

For an operator of the console, only this, at the head of rendezvous.toml:
  operator_api_key_sha256 = ["{made.api_key_sha256}"]"""
