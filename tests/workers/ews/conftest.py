"""A sandbox Exchange for the tests that want a whole one, and our side of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from ops.sandbox import seed
from ops.sandbox.control import Sandbox
from ops.sandbox.process import running
from tests.workers.ews.server import backend
from workers.ews.call import Caller
from workers.ews.exchange import EwsExchange


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """As it begins."""
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture
def ours(sandbox: Sandbox) -> Iterator[EwsExchange]:
    """Our backend, signed in to the sandbox as a service that may impersonate."""
    configured = backend(
        sandbox.ews_url,
        ca_file=str(sandbox.ca_file),
        username=SecretStr(seed.SERVICE_USER),
        password=SecretStr(seed.SERVICE_PASSWORD),
        impersonation=True,
    )
    caller = Caller(configured)
    yield EwsExchange(caller)
    caller.close()
