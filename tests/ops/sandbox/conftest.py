"""One sandbox for all tests of a run, back at its seed before each."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from ops.sandbox import seed
from ops.sandbox.control import Sandbox
from ops.sandbox.event import graph_form
from ops.sandbox.process import running

TENANT = "6f4a2b1e-6d1b-4c0e-9a53-2b6a1f0c7d10"
LUNCH = graph_form(seed.LETS_GO_FOR_LUNCH)

Patch = Callable[..., httpx.Response]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    return server


def token(sandbox: Sandbox, **form: str) -> str:
    """An access token by a grant of the token endpoint."""
    reply = plain(sandbox).post(
        f"{sandbox.url}/{TENANT}/oauth2/v2.0/token",
        data={
            "client_id": seed.CLIENT_ID,
            "client_secret": seed.CLIENT_SECRET,
            "scope": f"{sandbox.url}/.default",
            **form,
        },
    )
    return str(reply.json()["access_token"])


def plain(sandbox: Sandbox, **options: Any) -> httpx.Client:
    """A client that trusts the sandbox and signs in as nobody."""
    return httpx.Client(verify=ssl.create_default_context(cafile=str(sandbox.ca_file)), timeout=30, **options)


@pytest.fixture
def graph(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """Graph as the application."""
    bearer = {"Authorization": f"Bearer {token(sandbox, grant_type='client_credentials')}"}
    with plain(sandbox, base_url=sandbox.graph_url, headers=bearer) as client:
        yield client


@pytest.fixture
def delegated(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """Graph as Anna."""
    access = token(sandbox, grant_type="refresh_token", refresh_token=seed.REFRESH_TOKEN)
    with plain(sandbox, base_url=sandbox.graph_url, headers={"Authorization": f"Bearer {access}"}) as client:
        yield client


@pytest.fixture
def patch(graph: httpx.Client) -> Patch:
    """PATCH Anna's lunch as the application."""

    def send(body: Any, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return graph.patch(f"/users/anna@contoso.com/events/{LUNCH}", json=body, headers=named)

    return send
