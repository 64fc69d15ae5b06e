"""gunicorn with one process and many threads, over TLS. The world lives in the worker process."""

from __future__ import annotations

import os
import signal
import ssl
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from ops.sandbox.app import Wsgi, create_app
from ops.sandbox.seed import plant
from ops.sandbox.world import World

THREADS = 64


def planted(directory: Path) -> World:
    """A fresh world with the seed in it and an empty journal file."""
    file = directory / "journal.jsonl"
    file.write_bytes(b"")
    world = World(file)
    plant(world)
    return world


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """The sandbox on one address; ``run`` returns only by exiting the process."""

    def __init__(self, host: str, port: int, directory: Path):
        self._address = f"{host}:{port}"
        self._url = f"https://{self._address}"
        self._directory = directory
        super().__init__(prog="sandbox")

    def load_config(self) -> None:
        """gunicorn's settings. A worker that dies takes the server with it: its world would be gone."""
        settings: dict[str, Any] = {
            "bind": self._address,
            "worker_class": "gthread",
            "workers": 1,
            "threads": THREADS,
            "worker_connections": 2000,
            "keepalive": 75,
            "timeout": 0,
            "graceful_timeout": 1,
            "loglevel": "warning",
            "control_socket_disable": True,
            "certfile": str(self._directory / "server.pem"),
            "keyfile": str(self._directory / "server.key"),
            "ssl_context": _modern,
            "child_exit": lambda arbiter, worker: os.kill(os.getpid(), signal.SIGTERM),
            "post_worker_init": lambda worker: print(f"sandbox Exchange ready on {self._url}", flush=True),
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Wsgi:
        """Called in the worker, so that the world is made there."""
        return create_app(lambda: planted(self._directory))


def _modern(config: Any, default: Any) -> ssl.SSLContext:
    context: ssl.SSLContext = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
