"""What happens once the launcher has its ports: servers, sandbox, processes, each waited for; then the seed updates."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

import httpx

from ops.demo import tables
from ops.demo.client import Api, DemoError
from ops.demo.seed_updates import LUNCH, TEAM_BUILDING, curl
from ops.demo.witness import account
from ops.run import RunError, configuration, layout, readiness
from ops.run.configuration import Credentials, private
from ops.run.layout import Layout
from ops.run.process import Command, last_lines
from ops.run.supervisor import Supervisor
from ops.sandbox.control import Sandbox
from workers.configuration import ConfigurationError, load
from workers.settings import Settings
from workers.store import Store

PATIENCE = 60.0
"""Seconds until a part that is not up is given up."""
PATIENCE_WITH_OTHERS = 10.0
"""The same for parts that we did not start: they should be up already."""


def begin(where: Layout, supervisor: Supervisor) -> bool:
    """Bring everything up and show the seed updates. Returns whether they succeeded. Raises RunError if a part does not
    come up."""
    with_sandbox = where.sandbox is not None
    settings = None if with_sandbox else checked(layout.environment(where, {}))
    for command in layout.servers(where):
        _start(supervisor, command)
    credentials = _start_sandbox(where, supervisor) if with_sandbox else None
    secrets = configuration.secrets_for(credentials) if credentials else {}
    settings = settings or checked(layout.environment(where, secrets))
    wait_for_servers(supervisor, settings)
    store = Store.connect(settings)
    swept = readiness.swept_at(store)
    for command in layout.processes(where, secrets):
        _start(supervisor, command)
    wait_for_processes(supervisor, where, product_questions(where, settings, store, swept))
    private(where.shell_file, layout.shell(where, secrets, credentials))
    print(addresses(where, credentials), flush=True)
    if credentials is None:
        return True
    return show_seed_updates(where, credentials, supervisor)


def show_seed_updates(where: Layout, credentials: Credentials, supervisor: Supervisor) -> bool:
    """Send both updates and show what came of them. Returns whether both succeeded and their callbacks had good
    signatures."""
    api, console = Api(where.api_url, credentials.api_key), tables.console()
    sandbox = Sandbox.at(where.sandbox_url, where.ca_file)
    succeeded = True
    try:
        for seed in (TEAM_BUILDING, LUNCH):
            came = account(seed, api, sandbox, credentials.webhook_secret, supervisor.wait)
            tables.show(came, console)
            succeeded = succeeded and came.succeeded
    except (DemoError, httpx.HTTPError) as error:
        raise RunError(f"the seed updates could not be shown: {error}") from None
    finally:
        sandbox.close()
    print("\nBoth seed updates succeeded." if succeeded else "\nNOT both seed updates succeeded.", flush=True)
    return succeeded


def checked(environ: Mapping[str, str]) -> Settings:
    """The settings that the processes will read. Like them, ends with one line and exit code 2 if they are bad."""
    try:
        return load(environ)
    except ConfigurationError as error:
        print(f"rendezvous: {error}", file=sys.stderr)
        sys.exit(2)


def product_questions(
    where: Layout, settings: Settings, store: Store, swept: datetime | None
) -> dict[str, Callable[[], bool]]:
    """How we know that each process of the Procfile is up. ``swept``: when the store was swept before the start."""
    return {
        "web": lambda: readiness.http_answers(f"{where.api_url}/readyz"),
        "worker": lambda: readiness.worker_answers(settings.broker_url, "updates"),
        "callbacks": lambda: readiness.worker_answers(settings.broker_url, "callbacks"),
        "beat": lambda: readiness.swept_at(store) not in (None, swept),
        "flower": lambda: readiness.http_answers(f"{where.flower_url}/healthcheck"),
    }


def wait_until(
    supervisor: Supervisor,
    name: str,
    is_up: Callable[[], bool],
    where: str = "",
    why_not: Callable[[], str] | None = None,
) -> None:
    """Wait with one progress line. If it takes too long, raises RunError with the part's own reason or the end of its
    log. ``where``: a server's address."""
    print(f"· {name:<10}", end="", flush=True)
    began = time.monotonic()
    patience = PATIENCE if supervisor.log_of(name) else PATIENCE_WITH_OTHERS
    while not is_up():
        if time.monotonic() - began > patience:
            at = f" at {where}" if where else ""
            reason = why_not() if why_not else ""
            raise RunError(f"the {name}{at} was not ready within {patience:.0f} s{_why(supervisor, name, reason)}")
        supervisor.wait(0.1)
    print(f"ready after {time.monotonic() - began:.1f} s", flush=True)


def addresses(where: Layout, credentials: Credentials | None) -> str:
    """Where everything is, and a request to try."""
    sign_in = f"sign in with {credentials.operator_key}" if credentials else "sign in with an API key or an operator's"
    lines = ["", f"API      {where.api_url}", f"Docs     {where.api_url}/docs"]
    lines += [f"Console  {where.api_url}/console  ({sign_in})"]
    lines += [f"Flower   {where.flower_url}", f"Logs     {os.path.relpath(where.directory / 'log')}"]
    lines += [
        f"Shell    . {os.path.relpath(where.shell_file)}  (then `rendezvous doctor`, `rendezvous updates list`, …)"
    ]
    if credentials is not None:
        lines += [f"Sandbox  {where.sandbox_url}  (CA: {os.path.relpath(where.ca_file)})"]
        lines += [f"API key  {credentials.api_key}", "", curl(where.api_url, credentials.api_key)]
    return "\n".join(lines)


def _start_sandbox(where: Layout, supervisor: Supervisor) -> Credentials:
    _start(supervisor, layout.sandbox(where))
    wait_until(supervisor, "sandbox", lambda: readiness.https_answers(where.sandbox_url, where.ca_file))
    credentials = configuration.credentials_in(where.directory / "demo.env")
    document = configuration.toml(
        where.sandbox_url, where.ca_file, credentials.api_key, where.api_url, credentials.operator_key
    )
    where.config_file.write_text(document)
    return credentials


def wait_for_servers(supervisor: Supervisor, settings: Settings) -> None:
    """Wait until store and broker are up and the store keeps what it is given. RunError says what they lack."""
    _wait_for_server(supervisor, "store", settings.store_url, partial(readiness.store_objects, Store.connect(settings)))
    _wait_for_server(supervisor, "broker", settings.broker_url, partial(readiness.server_objects, settings.broker_url))


def wait_for_processes(supervisor: Supervisor, where: Layout, questions: Mapping[str, Callable[[], bool]]) -> None:
    """Wait until the Procfile's processes are up. RunError says which is not, and why, if the process says so."""
    objections = {"web": partial(readiness.web_objects, where.api_url)}
    for name, is_up in questions.items():
        wait_until(supervisor, name, is_up, why_not=objections.get(name))


def _wait_for_server(supervisor: Supervisor, name: str, url: str, objects: Callable[[], str]) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("redis", "rediss", "unix"):
        where = parts.netloc.rpartition("@")[2] or parts.path  # without a password
        wait_until(supervisor, name, lambda: not objects(), where, objects)


def _start(supervisor: Supervisor, command: Command) -> None:
    command.log.write_bytes(b"")
    supervisor.start(command)


def _why(supervisor: Supervisor, name: str, reason: str) -> str:
    """The reason and where the log is. The log's end is shown only without a reason: with one it holds little more than
    our own questions."""
    log, said = supervisor.log_of(name), f": {reason}" if reason else ""
    if log is None:
        return f"{said} (it is not ours: see its own log)"
    path = os.path.relpath(log)
    return f"{said} (its log: {path})" if reason else f"; the end of {path}:\n{last_lines(log)}"
