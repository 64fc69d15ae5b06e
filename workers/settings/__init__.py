"""What a process needs to know: frozen tables, checked, read once at the front door and passed down.

``backend`` and ``client`` are its two kinds of tables. Not here: reading the file and the environment
(workers/configuration), and what is done with any of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from workers.settings.backend import Backend, EwsBackend, GraphBackend, ServerVersion
from workers.settings.checks import Digest, check_url
from workers.settings.client import Client
from workers.settings.table import Table

__all__ = ["Backend", "Client", "Engine", "EwsBackend", "GraphBackend", "ServerVersion", "Settings"]

CONSOLE_SECRET_LENGTH = 32


class Engine(Table, strict=True):
    """The engine's clocks, in seconds. The defaults suit production."""

    lease: Annotated[float, Field(ge=1, le=600)] = 15.0
    """The right to run a job; renewed while its worker lives, so it bounds how long a dead worker's job waits."""
    sweep: Annotated[float, Field(ge=0.05, le=60)] = 1.0
    grace: Annotated[float, Field(ge=0.1, le=600)] = 5.0
    """How long a bell may go unanswered before it is rung again (doubling each time)."""
    retry_base: Annotated[float, Field(gt=0, le=60)] = 1.0
    retry_cap: Annotated[float, Field(gt=0, le=3600)] = 300.0
    concurrency: Annotated[int, Field(ge=1, le=256)] = 16
    """Threads of one worker process."""
    poll: Annotated[float, Field(ge=0.1, le=3600)] = 30.0
    """How often we ask for changes in a watched mailbox whose Exchange does not tell us of them."""
    catch_up: Annotated[float, Field(ge=0.1, le=86400)] = 300.0
    """How often we ask for them although Exchange tells us: that finds what it failed to tell."""

    @model_validator(mode="after")
    def _deaths_are_seen(self) -> Self:
        """A sweep that runs too rarely would take a worker's death for a pause of its own (lua/sweep)."""
        if self.sweep > self.lease / 3:
            raise ValueError("sweep must be at most a third of lease")
        return self


class Settings(Table):
    """Everything that a process needs to know."""

    backend: Annotated[tuple[Annotated[Backend, Field(discriminator="kind")], ...], Field(min_length=1)]
    client: Annotated[tuple[Client, ...], Field(min_length=1)]
    engine: Engine = Engine()
    operator_api_key_sha256: tuple[Digest, ...] = ()
    """Keys with which operators sign in to the console and see every client's updates. The API does not take them."""
    console_secret: Annotated[SecretStr, Field(min_length=CONSOLE_SECRET_LENGTH)] | None = None
    """Signs the console's sessions; None: one that the store keeps."""
    flower_url: str = "http://127.0.0.1:5555"
    """Where people reach Flower; the console links to it."""
    public_url: str | None = None
    """Where the web process is reached from outside: Graph sends notifications of changes there."""
    store_url: str
    broker_url: str

    @field_validator("public_url")
    @classmethod
    def _reachable(cls, url: str | None) -> str | None:
        if url is not None:
            check_url("public_url", url)
        return url

    @model_validator(mode="after")
    def _no_two_of_one_name(self) -> Self:
        for kind in ("backend", "client"):
            names = [table.name for table in getattr(self, kind)]
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"two [[{kind}]] tables are named {name!r}")
        keys = [key.lower() for client in self.client for key in client.api_key_sha256]
        if len(keys) != len(set(keys)):
            raise ValueError("two [[client]] tables have the same api_key_sha256")
        if {key.lower() for key in self.operator_api_key_sha256} & set(keys):
            raise ValueError("operator_api_key_sha256 holds a key of a [[client]]")
        return self

    @model_validator(mode="after")
    def _flower_can_be_linked_to(self) -> Self:
        """Not a validator of the field: who is told knows it by the name of its environment variable only."""
        check_url("RENDEZVOUS_FLOWER_URL", self.flower_url)
        return self

    @cached_property
    def backends(self) -> Mapping[str, Backend]:
        return {backend.name: backend for backend in self.backend}

    @cached_property
    def clients(self) -> Mapping[str, Client]:
        return {client.name: client for client in self.client}

    def backend_for(self, owner: str) -> Backend | None:
        """The first backend that serves this owner. An owner that is no address (``me``, a group, an object id) goes to
        the first backend whose patterns name it, otherwise to the first Graph backend."""
        for backend in self.backend:
            if backend.serves(owner.removeprefix("group:")):
                return backend
        if "@" in owner:
            return None
        return next((backend for backend in self.backend if backend.kind == "graph"), None)
