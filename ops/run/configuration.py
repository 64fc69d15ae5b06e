"""The configuration for the sandbox: a rendezvous.toml, the secrets that it names, and the demo client's key.

The secrets are made once, kept in ``demo.env`` for the next start (mode 0600), and good for the sandbox only.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.sandbox import seed
from ops.sandbox.tokens import TENANT

API_KEY = "DEMO_API_KEY"
OPERATOR_KEY = "DEMO_OPERATOR_KEY"
WEBHOOK_SECRET = "DEMO_WEBHOOK_SECRET"  # noqa: S105 - a variable's name
CLOUD_MAILBOXES = ("*@contoso.com",)
HQ_MAILBOXES = ("*@hq.example",)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the demo client signs in and verifies with, and the key that opens the console to whoever ran it."""

    api_key: str
    webhook_secret: str
    operator_key: str = ""


def credentials_in(path: Path) -> Credentials:
    """The credentials of the last start, or new ones, which are then written to ``path``."""
    kept = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line) if path.exists() else {}
    made = {
        API_KEY: f"rdv_{secrets.token_urlsafe(32)}",
        WEBHOOK_SECRET: f"whsec_{b64encode(secrets.token_bytes(32)).decode()}",
        OPERATOR_KEY: f"rdv_{secrets.token_urlsafe(32)}",
    }
    used = {name: kept.get(name, new) for name, new in made.items()}
    if used != kept:
        private(path, "".join(f"{name}={value}\n" for name, value in used.items()))
    return Credentials(used[API_KEY], used[WEBHOOK_SECRET], used[OPERATOR_KEY])


def private(path: Path, text: str) -> None:
    """Write a file that nobody else may read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def secrets_for(credentials: Credentials) -> Mapping[str, str]:
    """The environment variables that the configuration names."""
    return {
        WEBHOOK_SECRET: credentials.webhook_secret,
        "CLOUD_CLIENT_SECRET": seed.CLIENT_SECRET,
        "CLOUD_REFRESH_TOKEN": seed.REFRESH_TOKEN,
        "HQ_USER": seed.SERVICE_USER,
        "HQ_PASSWORD": seed.SERVICE_PASSWORD,
    }


def toml(sandbox_url: str, ca_file: Path, api_key: str, public_url: str, operator_key: str = "") -> str:
    """rendezvous.toml for the sandbox at ``https://…``. ``public_url``: where the sandbox posts its notifications.
    ``operator_key``: empty if nobody is to sign in to the console as an operator."""
    return f"""\
# Made by `make run` for the sandbox Exchange, and made again at each start. Your own: see rendezvous.example.toml.

public_url = "{public_url}"
operator_api_key_sha256 = {_list((_digest(operator_key),) if operator_key else ())}

[[backend]]
name = "cloud"
kind = "graph"
base_url = "{sandbox_url}/graph/v1.0"
authority = "{sandbox_url}/{TENANT}"
client_id = "{seed.CLIENT_ID}"
client_secret_env = "CLOUD_CLIENT_SECRET"
refresh_token_env = "CLOUD_REFRESH_TOKEN"
mailboxes = {_list(CLOUD_MAILBOXES)}
ca_file = {_text(ca_file)}

[[backend]]
name = "hq"
kind = "ews"
url = "{sandbox_url}/EWS/Exchange.asmx"
auth = "basic"
username_env = "HQ_USER"
password_env = "HQ_PASSWORD"
impersonation = true
mailboxes = {_list(HQ_MAILBOXES)}
ca_file = {_text(ca_file)}

[[client]]
name = "demo"
api_key_sha256 = ["{_digest(api_key)}"]
webhook_secrets_env = ["{WEBHOOK_SECRET}"]
mailboxes = {_list(CLOUD_MAILBOXES + HQ_MAILBOXES)}
callback_networks = ["127.0.0.1/32"]
"""


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _list(texts: tuple[str, ...]) -> str:
    return "[" + ", ".join(map(_text, texts)) + "]"


def _text(value: str | Path) -> str:
    """A TOML string, escaped: a folder's name may hold a quote or a backslash."""
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
