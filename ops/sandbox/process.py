"""A sandbox of one's own, for as long as a ``with`` block lasts."""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from ops.sandbox.control import Sandbox

PATIENCE = 30.0
"""Seconds within which it has to be ready."""
PORTS = range(20_000, 32_000)
"""Below those that systems give to whoever connects, so that nobody gets one by chance before it is listened on."""
SHARE = 1_000
"""So many of them are for one process. Those that are started together have pids that follow one another."""
_turn = count()


@contextmanager
def running(directory: Path, port: int | None = None) -> Iterator[Sandbox]:
    """Start a sandbox on a free port as a process of its own; it is stopped at the end.

    Raises ``RuntimeError`` if it does not become ready.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "ops.sandbox", "--port", str(port), "--directory", str(directory)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True) as process:
        try:
            _await_ready(process)
            sandbox = Sandbox.at(f"https://127.0.0.1:{port}", directory / "ca.pem")
            try:
                yield sandbox
            finally:
                sandbox.close()
        finally:
            process.terminate()
            process.wait(10)


def free_port() -> int:
    """A port that nobody uses at the moment: the next one of this process's share."""
    share = PORTS[os.getpid() % (len(PORTS) // SHARE) * SHARE :][:SHARE]
    while True:
        port = share[next(_turn) % SHARE]
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _await_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline() if selector.select(PATIENCE) else ""
    if "ready" not in line:
        raise RuntimeError(f"The sandbox did not start: {line.strip() or 'no word from it'}")
