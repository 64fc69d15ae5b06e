"""The web process as it is run, and a way to speak to it byte by byte."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ops.sandbox.process import free_port
from tests.until import until
from tests.webhooks.given import KEY, SECRET, SMALLEST

ROOT = Path(__file__).resolve().parents[2]
UP = 60.0
"""Seconds within which it has to be up."""
BODY = json.dumps(SMALLEST).encode()
CONFIGURATION = """
[[backend]]
name = "hq"
kind = "ews"
url = "https://127.0.0.1:9/EWS/Exchange.asmx"
auth = "basic"
username_env = "HQ_SECRET"
password_env = "HQ_SECRET"
mailboxes = ["*"]

[[client]]
name = "hr"
api_key_sha256 = ["{digest}"]
webhook_secrets_env = ["HR_WEBHOOK_SECRET"]
mailboxes = ["*"]
rate_limit = "99999999/minute"
"""


@dataclass
class Wire:
    """A way to say anything to a server, fall silent, and hear what it answers until it hangs up."""

    port: int
    pid: int

    def say(self, *parts: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), 20) as connection:
            try:
                for part in parts:
                    connection.sendall(part)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has heard enough
            return _heard(connection)

    def statuses(self, *parts: bytes) -> list[int]:
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.say(*parts))]

    def resident(self) -> int:
        """Kilobytes of memory of the master and its workers."""
        found = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True)
        rows = [tuple(map(int, line.split())) for line in found.stdout.splitlines()]
        return sum(memory for pid, parent, memory in rows if self.pid in (pid, parent))


def _heard(connection: socket.socket) -> bytes:
    heard = b""
    try:
        while chunk := connection.recv(65536):
            heard += chunk
    except ConnectionResetError:
        pass
    return heard


@contextmanager
def serving(store_url: str, folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Wire]:
    """The Procfile's web process over this store, its configuration and its log in the folder."""
    port = free_port()
    (folder / "rendezvous.toml").write_text(CONFIGURATION.format(digest=sha256(KEY.encode()).hexdigest()))
    given = {
        **os.environ, "PORT": str(port), "RENDEZVOUS_CONFIG": str(folder / "rendezvous.toml"), "HQ_SECRET": "pa55word",
        "HR_WEBHOOK_SECRET": SECRET, "RENDEZVOUS_STORE_URL": store_url, **(environ or {}),
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "--config", "ops/gunicorn.conf.py", "webhooks:create_app()"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=given, stdout=log, stderr=log)
    wire = Wire(port, process.pid)
    try:
        if not until(lambda: _is_up(wire), UP):
            raise RuntimeError((folder / "log").read_text())
        yield wire
    finally:
        process.terminate()
        process.wait(15)


def _is_up(wire: Wire) -> bool:
    try:
        return wire.statuses(get("/livez")) == [200]
    except OSError:
        return False


def get(path: str, **headers: str) -> bytes:
    return request("GET", path, b"", **headers)


def request(method: str, path: str, body: bytes, *lines: str, **headers: str) -> bytes:
    """A request with exactly these header lines beside Host; the body as it is."""
    head = [f"{method} {path} HTTP/1.1", "Host: x", *lines, *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def asking(body: bytes, *lines: str, key: str = "k") -> bytes:
    return request(
        "POST", "/v1/updates", body, f"Authorization: Bearer {KEY}", f"Idempotency-Key: {key}",
        "Content-Type: application/json", *lines,
    )  # fmt: skip


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
