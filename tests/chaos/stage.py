"""Everything as it runs in production, ready to be hurt: the Procfile's processes, their store, a sandbox Exchange, and
a supervisor that starts again whatever died.

Not here: what is done to them (scenarios), and what came of it (judge).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from redis import RedisError

from ops.run import configuration, procfile, readiness
from ops.run.configuration import Credentials
from ops.run.process import Command, Process, last_lines
from ops.sandbox.control import Sandbox
from ops.sandbox.process import free_port, running
from tests.chaos.nursery import DEATHS, Nursery, Spare
from tests.chaos.store_server import StoreServer
from tests.until import until
from workers.failpoint import VARIABLE

ROOT = Path(__file__).resolve().parents[2]
CREDENTIALS = Credentials("rk_chaos", "whsec_" + b64encode(b"0123456789abcdef0123456789abcdef").decode())
LEASE = 2.0
ENGINE = f"\n[engine]\nlease = {LEASE}\nsweep = 0.2\ngrace = 1\nretry_base = 0.2\nretry_cap = 2\ncatch_up = 3\n"
BACKEND_TIMEOUT = 4
PATIENCE = 60.0
"""Seconds for what should take a few."""
USUAL = ("web", "worker", "worker.2", "callbacks", "beat")
"""Processes by their Procfile names; a second one of a name has a number behind a point."""


@dataclass(slots=True)
class Stage:
    """``environ``: what every process gets; ``own``: what one process gets beside it, from its next start on;
    ``roots``: the sources of those that do not run ours."""

    folder: Path
    nursery: Nursery
    store: StoreServer
    sandbox: Sandbox
    port: int
    environ: Mapping[str, str]
    own: dict[str, Mapping[str, str]] = field(default_factory=dict)
    roots: dict[str, Path] = field(default_factory=dict)
    processes: dict[str, Process | Spare] = field(default_factory=dict)
    deaths: dict[str, list[int]] = field(default_factory=dict)
    """Exit codes of processes that ended without being asked by ``kill`` or ``end``."""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _leaving: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def journal(self) -> Path:
        """What Exchange wrote down, append-only, in its own process."""
        return self.folder / "sandbox" / "journal.jsonl"

    def start(self, name: str, **own: str) -> None:
        """Start a process; ``own`` replaces what it got beside the common environment before."""
        with self._lock:
            if own:
                self.own[name] = own
            kind, _, number = name.partition(".")
            root = self.roots.get(name, ROOT)
            entry = next(entry for entry in procfile.parse((root / "Procfile").read_text()) if entry.name == kind)
            command = tuple(part.replace("@%h", f"{number}@%h") for part in entry.command)
            environ = {**self.environ, **self.own.get(name, {})}
            whole = Command(name, command, environ, self.folder / f"{name}.log")
            executed = "LD_PRELOAD" in environ or name in self.roots
            self.processes[name] = Process.start(whole, root) if executed else self.nursery.start(whole)

    def restart(self, name: str, **own: str) -> None:
        """kill -9 of the whole group, and a new one; ``own`` is forgotten unless it is given again."""
        with self._lock:
            self.own.pop(name, None)
            if name in self.processes:
                self.processes[name].sweep_up()
            self.start(name, **own)

    def kill(self, name: str) -> None:
        """kill -9 of the whole group; the supervisor starts a new one."""
        with self._lock:
            self.processes[name].sweep_up()
            self.start(name)

    def end(self, name: str) -> float:
        """SIGTERM: seconds until it was gone. SIGKILL after a minute."""
        with self._lock:
            process = self.processes.pop(name)
        asked = time.monotonic()
        process.terminate()
        until(lambda: process.exit_code() is not None, PATIENCE)
        took = time.monotonic() - asked
        process.sweep_up()
        return took

    def drop(self, name: str) -> None:
        """kill -9, and nobody starts it again."""
        with self._lock:
            if (process := self.processes.pop(name, None)) is not None:
                process.sweep_up()
            self.own.pop(name, None)

    def supervise(self) -> None:
        """What died is started again, until ``leave``."""
        while not self._leaving:
            with self._lock:
                for name, process in list(self.processes.items()):
                    if (code := process.exit_code()) is not None:
                        self.deaths.setdefault(name, []).append(code)
                        process.sweep_up()
                        self.start(name)
            time.sleep(0.02)

    def killed_by_failpoints(self, name: str) -> int:
        """How often this process died of SIGKILL; gunicorn's own workers are counted by its log."""
        if name != "web":
            return self.deaths.get(name, []).count(-signal.SIGKILL)
        log = self.folder / "web.log"
        return log.read_text(errors="replace").count("SIGKILL") if log.exists() else 0

    def ready(self) -> bool:
        """Every process answers."""
        names = {name.partition(".") for name in self.processes}
        nodes = {f"updates{n}" if kind == "worker" else f"{kind}{n}" for kind, _, n in names
                 if kind in ("worker", "callbacks")}  # fmt: skip
        broker = self.store.url[:-1] + "1"
        try:
            return readiness.http_answers(f"{self.url}/readyz") and all(
                readiness.worker_answers(broker, node) for node in nodes
            )
        except RedisError:  # kombu keeps a connection from before the store was killed
            return False

    def logs(self) -> str:
        return "\n".join(f"{name}:\n{last_lines(self.folder / f'{name}.log')}" for name in self.processes)

    def leave(self) -> None:
        self._leaving = True
        with self._lock:
            for process in self.processes.values():
                process.sweep_up()


def armed(point: str) -> dict[str, str]:
    """The environment that arms a failpoint."""
    return {VARIABLE: point}


def settings_file(stage_folder: Path, name: str, sandbox: Sandbox, public_url: str, url: str) -> Path:
    """A rendezvous.toml for an Exchange at ``url``: the sandbox itself, or a proxy before it. ``public_url``: ours."""
    text = configuration.toml(url, sandbox.ca_file, CREDENTIALS.api_key, public_url) + ENGINE
    file = stage_folder / name
    file.write_text(text.replace("[[backend]]\n", f"[[backend]]\ntimeout = {BACKEND_TIMEOUT}\n"))
    return file


@contextmanager
def raised(folder: Path, make_store: Callable[[Path], StoreServer] = StoreServer) -> Iterator[Stage]:
    """A stage with the usual processes, all of them up."""
    store = make_store(folder / "store")
    nursery = Nursery()
    try:
        with running(folder / "sandbox") as sandbox:
            port = free_port()
            config = settings_file(folder, "rendezvous.toml", sandbox, f"http://127.0.0.1:{port}", sandbox.url)
            environ = {
                **os.environ,
                **configuration.secrets_for(CREDENTIALS),
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PORT": str(port),
                "RENDEZVOUS_CONFIG": str(config),
                "RENDEZVOUS_STORE_URL": store.url,
                DEATHS: str(folder / "deaths"),
                # Reading a hundred public authorities is most of what is left of a start.
                "SSL_CERT_FILE": str(sandbox.ca_file),
            }
            (folder / "deaths").mkdir()
            stage = Stage(folder, nursery, store, sandbox, port, environ)
            try:
                for name in USUAL:
                    stage.start(name)
                threading.Thread(target=stage.supervise, name="supervisor", daemon=True).start()
                until(stage.ready, PATIENCE)
                yield stage
            finally:
                stage.leave()
    finally:
        nursery.close()
        store.close()


def client(stage: Stage) -> httpx.Client:
    """A caller's connection."""
    return httpx.Client(
        base_url=stage.url,
        headers={"Authorization": f"Bearer {CREDENTIALS.api_key}"},
        trust_env=False,
        timeout=12,
        limits=httpx.Limits(max_connections=40),
    )
