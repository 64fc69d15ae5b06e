"""Everything as it runs in production: the Procfile's processes, a durable store, the sandbox Exchange - and ways to
hurt it."""

from __future__ import annotations

import os
import signal
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from redis import Redis

from ops.run import configuration, procfile, readiness
from ops.run.configuration import Credentials
from ops.run.process import Command, Process, last_lines
from ops.sandbox.control import Sandbox
from ops.sandbox.process import running

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
HELD = 25.0
"""Seconds that a call of ours waits for the test to clear the sandbox's faults; a little less than it has patience."""
CREDENTIALS = Credentials("rk_e2e", "whsec_" + b64encode(b"0123456789abcdef0123456789abcdef").decode())
ENGINE = "\n[engine]\nlease = 2\nsweep = 0.2\ngrace = 1\nretry_base = 0.2\nretry_cap = 2\npoll = 1\ncatch_up = 3\n"


T = TypeVar("T")


@dataclass
class System:
    """A running Rendezvous and its surroundings."""

    api: httpx.Client
    sandbox: Sandbox
    redis: Redis
    broker: Redis
    environ: Mapping[str, str]
    folder: Path
    processes: dict[str, Process] = field(default_factory=dict)

    def start(self, name: str) -> None:
        entry = next(entry for entry in procfile.parse((ROOT / "Procfile").read_text()) if entry.name == name)
        self.processes[name] = Process.start(
            Command(name, entry.command, self.environ, self.folder / f"{name}.log"), ROOT
        )

    def kill(self, name: str) -> None:
        """kill -9 of the whole process group, and a new one as a supervisor would start it."""
        self.processes[name].sweep_up()
        self.start(name)

    def end(self, name: str) -> int:
        """SIGTERM; the exit code."""
        self.processes[name].terminate()
        return self.processes[name].popen.wait(30)

    def ask(self, body: Mapping[str, Any], key: str | None = None) -> dict[str, Any]:
        """POST /v1/updates, tried again as a careful client does while nobody listens."""
        key = key or uuid4().hex

        def asked() -> dict[str, Any] | None:
            try:
                answer = self.api.post("/v1/updates", json=dict(body), headers={"Idempotency-Key": key})
            except httpx.TransportError:
                return None
            if answer.status_code in (503, 409):
                return None
            assert answer.status_code == 202, answer.text
            return dict(answer.json())

        return until(asked, f"{body} is accepted")

    def ended(self, update_id: str) -> dict[str, Any]:
        """The update once it is settled."""
        return self.once(update_id, lambda update: update["state"] in ("succeeded", "dead", "cancelled"))

    def once(self, update_id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The update once this holds of it, asked for again while nobody answers."""

        def come() -> dict[str, Any] | None:
            try:
                answer = self.api.get(f"/v1/updates/{update_id}")
            except httpx.TransportError:
                return None
            if answer.status_code == 503:
                return None
            assert answer.status_code == 200, answer.text
            update = dict(answer.json())
            return update if holds(update) else None

        return until(come, f"{update_id} comes so far", self.logs)

    def callback_of(self, update_id: str) -> Any:
        """The callback about an update, once it has come."""

        def come() -> Any:
            return next((post for post in self.sandbox.callbacks() if update_id.encode() in post.body), None)

        return until(come, f"the callback of {update_id} comes", self.logs)

    def logs(self) -> str:
        return "\n".join(f"{name}:\n{last_lines(self.folder / f'{name}.log')}" for name in self.processes)


def until(question: Callable[[], T | None], what: str, more: Callable[[], str] = str) -> T:
    """The first answer that is not None."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if (answer := question()) is not None:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"in vain: {what}\n{more()}")


@contextmanager
def started(
    folder: Path, store_url: str, port: int, names: tuple[str, ...], amend: Callable[[str], str] = str
) -> Iterator[System]:
    """The processes of these names, up and ready. ``amend``: what is to be different in the configuration."""
    with running(folder / "sandbox") as sandbox:
        config = folder / "rendezvous.toml"
        public_url = f"http://127.0.0.1:{port}"
        toml = configuration.toml(sandbox.url, sandbox.ca_file, CREDENTIALS.api_key, public_url) + ENGINE
        config.write_text(amend(toml))
        environ = {
            **os.environ,
            **configuration.secrets_for(CREDENTIALS),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PORT": str(port),
            "RENDEZVOUS_CONFIG": str(config),
            "RENDEZVOUS_STORE_URL": store_url,
        }
        api = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {CREDENTIALS.api_key}"},
            trust_env=False,
            timeout=10,
        )
        broker_url = store_url[:-1] + "1"
        system = System(api, sandbox, Redis.from_url(store_url, decode_responses=True),
                        Redis.from_url(broker_url), environ, folder)  # fmt: skip
        try:
            for name in names:
                system.start(name)
            until(
                lambda: readiness.http_answers(f"http://127.0.0.1:{port}/readyz") or None, "web is ready", system.logs
            )
            for name in {"worker", "callbacks"} & set(names):
                queue = "updates" if name == "worker" else name

                def ready(queue: str = queue) -> bool | None:
                    return readiness.worker_answers(broker_url, queue) or None

                until(ready, f"{name} is ready", system.logs)
            yield system
        finally:
            for process in system.processes.values():
                process.popen.send_signal(signal.SIGKILL)
                process.sweep_up()
            api.close()
