"""The configuration, for commands that read it in the same way as the processes do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.cli.failure import Failed

if TYPE_CHECKING:
    from workers.settings import Client, Settings


def settings() -> Settings:
    """The settings from RENDEZVOUS_CONFIG and the environment. Raises Failed."""
    from workers.configuration import ConfigurationError, load

    try:
        return load()
    except ConfigurationError as error:
        raise Failed(f"The configuration cannot be used: {error}") from None


def client(of: Settings, name: str) -> Client:
    """The client of this name. Raises Failed."""
    found = of.clients.get(name)
    if found is None:
        raise Failed(f"The configuration has no client {name}; it has {', '.join(of.clients)}.")
    return found
