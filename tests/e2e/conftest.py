from __future__ import annotations

from collections.abc import Iterator

import pytest

from ops.sandbox.process import free_port
from tests.conftest import a_store
from tests.e2e.system import System, started

NAMES = ("web", "worker", "callbacks", "beat")


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
