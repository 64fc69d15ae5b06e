"""The TOML file and the environment, read once at the front door, into checked and frozen settings.

Anything wrong with them is one line. What they may hold is workers/settings.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from pydantic import ValidationError
from redis import ConnectionPool
from redis.exceptions import RedisError

from workers.settings import CONSOLE_SECRET_LENGTH, Settings


class ConfigurationError(Exception):
    """The configuration cannot be used; the message is one line that says where and why."""


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings, or a ConfigurationError whose message is one line."""
    path = Path(environ.get("RENDEZVOUS_CONFIG") or "rendezvous.toml")
    document = _document(path)
    of_environment = _of_environment(environ)
    for reserved in of_environment:
        if reserved in document:
            raise ConfigurationError(f"{path}: {reserved}: unknown key; set RENDEZVOUS_{reserved.upper()} instead")
    try:
        return Settings.model_validate({**_with_secrets(document, environ), **of_environment})
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {_one_line(error)}") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def load_or_exit() -> Settings:
    """``load`` for the front doors: one line on standard error and exit code 2 if it cannot be used."""
    try:
        return load()
    except ConfigurationError as error:
        sys.stderr.write(f"rendezvous: {error}\n")
        sys.exit(2)


def _document(path: Path) -> dict[str, Any]:
    """What stands in the file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: there is no such file; copy rendezvous.example.toml or set RENDEZVOUS_CONFIG"
        ) from None
    except IsADirectoryError:
        raise ConfigurationError(f"{path}: this is a folder; name a TOML file in RENDEZVOUS_CONFIG") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: this is not TOML: {error}") from None


def _of_environment(environ: Mapping[str, str]) -> dict[str, str | None]:
    """The settings that only the environment may say, by their keys."""
    store_url = environ.get("RENDEZVOUS_STORE_URL") or "redis://127.0.0.1:6379/0"
    _check_server("RENDEZVOUS_STORE_URL", store_url, ("redis", "rediss", "unix"))
    _check_options("RENDEZVOUS_STORE_URL", store_url)
    broker_url = environ.get("RENDEZVOUS_BROKER_URL") or _database_1(store_url)
    _check_server("RENDEZVOUS_BROKER_URL", broker_url, ("redis", "rediss", "redis+socket", "amqp", "amqps"))
    _check_broker_options(broker_url)
    flower_port = environ.get("FLOWER_PORT") or "5555"
    if not re.fullmatch("[0-9]{1,5}", flower_port, re.ASCII) or not 0 < int(flower_port) < 65_536:
        raise ConfigurationError(f"FLOWER_PORT: {flower_port!r} is not a number from 1 to 65535")
    console_secret = environ.get("RENDEZVOUS_CONSOLE_SECRET") or None
    if console_secret is not None and len(console_secret.strip()) < CONSOLE_SECRET_LENGTH:
        raise ConfigurationError(f"RENDEZVOUS_CONSOLE_SECRET: at least {CONSOLE_SECRET_LENGTH} characters are needed")
    return {
        "store_url": store_url,
        "broker_url": broker_url,
        "flower_url": environ.get("RENDEZVOUS_FLOWER_URL") or f"http://127.0.0.1:{flower_port}",
        "console_secret": console_secret,
    }


_VARIABLE = re.compile("[A-Z_][A-Z0-9_]*")
"""What is repeated in an error: anything else may be a secret at the wrong place."""
_SECRETS = {"client_secret_env": "client_secret", "refresh_token_env": "refresh_token", "username_env": "username",
            "password_env": "password", "webhook_secrets_env": "webhook_secrets"}  # fmt: skip


def _with_secrets(document: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The document with the secrets that its ``…_env`` keys name; the resolved keys may not stand in the file."""
    filled = dict(document)
    for kind in ("backend", "client"):
        tables = document.get(kind, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise ConfigurationError(f"{kind}: write it as [[{kind}]] tables")
        filled[kind] = [_resolved(kind, table, environ) for table in tables]
    return filled


def _resolved(kind: str, table: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    where = f"[[{kind}]] {table.get('name', '?')}"
    resolved = dict(table)
    for env_key, key in _SECRETS.items():
        if key in table:
            raise ConfigurationError(f"{where}: {key}: unknown key; name an environment variable in {env_key}")
        names = table.get(env_key)
        if names is None:
            continue
        listed = names if isinstance(names, list) else [names]
        for name in listed:
            if not isinstance(name, str) or not environ.get(name, "").strip():
                named = name if _VARIABLE.fullmatch(str(name)) else "that is named here (or is this the secret itself?)"
                raise ConfigurationError(f"{where}: {env_key}: the environment variable {named} is empty or not set")
        values = [environ[name] for name in listed]
        resolved[key] = values if isinstance(names, list) else values[0]
    return resolved


_SENTENCES = {
    "extra_forbidden": "unknown key",
    "missing": "this key is missing",
    "tuple_type": "write it as a list, in brackets",
    "too_short": "at least {min_length} is needed",
    "union_tag_invalid": "kind must be one of {expected_tags}",
    "union_tag_not_found": 'kind is missing: "graph" or "ews"',
}
"""Pydantic's error types in our words, where its own are Python's."""


def _one_line(error: ValidationError) -> str:
    """The first error, but an unknown key before any other: it may be what a missing key was meant to be."""
    found = error.errors(include_url=False, include_input=False)
    first = min(found, key=lambda one: one["type"] != "extra_forbidden")
    named = {key: env_key for env_key, key in _SECRETS.items()}
    where = ".".join(named.get(str(part), str(part)) for part in first["loc"] if part not in ("graph", "ews"))
    ours = _SENTENCES.get(first["type"])
    said = ours.format(**first.get("ctx", {})) if ours else first["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" if where else said


def _check_server(name: str, url: str, schemes: tuple[str, ...]) -> None:
    try:
        parts, _ = urlsplit(url), urlsplit(url).port
    except ValueError:
        raise ConfigurationError(f"{name}: this is not a URL with a host and a port from 0 to 65535") from None
    if parts.scheme not in schemes:
        raise ConfigurationError(f"{name}: the URL must start with one of {', '.join(s + '://' for s in schemes)}")
    # redis-py would use database 0, which may be somebody else's.
    if parts.scheme in ("redis", "rediss") and not re.fullmatch("/?[0-9]*", parts.path, re.ASCII):
        raise ConfigurationError(f"{name}: the database must be a number, as in redis://127.0.0.1:6379/0")


def _check_options(name: str, url: str) -> None:
    """Those after the question mark: redis-py judges them when it makes a connection, which is not opened here."""
    try:
        ConnectionPool.from_url(url).make_connection()
    except (ValueError, TypeError, RedisError) as error:
        raise ConfigurationError(f"{name}: an option in the URL cannot be used: {error}") from None


def _check_broker_options(url: str) -> None:
    """Kombu judges them when it makes a connection, and knows others than redis-py."""
    from kombu.connection import Connection

    try:
        Connection(url)  # type: ignore[no-untyped-call]  # kombu
    except (TypeError, ValueError, KeyError) as error:
        raise ConfigurationError(f"RENDEZVOUS_BROKER_URL: an option in the URL cannot be used: {error}") from None


def _database_1(store_url: str) -> str:
    """The broker in the store's server: with its credentials, and what is said of TLS. The other options are
    redis-py's."""
    if ConnectionPool.from_url(store_url).connection_kwargs.get("db") == 1:  # who empties the broker would empty both
        raise ConfigurationError(
            "RENDEZVOUS_STORE_URL: database 1 is the broker's: use another, or set RENDEZVOUS_BROKER_URL"
        )
    parts, said = urlsplit(store_url), dict(parse_qsl(urlsplit(store_url).query))
    place = parts.netloc
    if "password" in said and "@" not in place:
        place = f"{quote(said.get('username', ''), safe='')}:{quote(said['password'], safe='')}@{place}"
    if parts.scheme == "unix":
        return f"redis+socket://{place}{parts.path}?virtual_host=1"
    of_tls = "&".join(option for option in parts.query.split("&") if option.startswith("ssl_"))
    return urlunsplit(parts._replace(netloc=place, path="/1", query=of_tls))
