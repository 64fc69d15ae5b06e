"""Who looks at the console: a client, who sees its own updates, or an operator, who sees all. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from workers.settings import Client, Settings


@dataclass(frozen=True, slots=True)
class Visitor:
    """``clients``: the names of the clients whose updates the visitor sees. ``client``: None for an operator. ``mark``:
    stands for the key in the session."""

    name: str
    clients: tuple[str, ...]
    client: Client | None
    mark: str


def with_key(key: str, settings: Settings) -> Visitor | None:
    """Whose API key this is, or None. It is compared with every key, in constant time."""
    offered = hashlib.sha256(key.strip().encode("utf-8", "replace")).hexdigest()
    matches = [visitor for digest, visitor in _known(settings) if hmac.compare_digest(offered, digest)]
    return matches[0] if matches and key.strip() else None


def with_mark(mark: str, settings: Settings) -> Visitor | None:
    """Whose session this is; None if their key is no longer in the configuration."""
    return next((visitor for _, visitor in _known(settings) if hmac.compare_digest(mark, visitor.mark)), None)


def seeing_also(operator: Visitor, clients: Iterable[str]) -> Visitor:
    """The operator, who sees what these clients left behind although they are no longer in the configuration."""
    return replace(operator, clients=tuple(dict.fromkeys([*operator.clients, *sorted(clients)])))


def _known(settings: Settings) -> Iterator[tuple[str, Visitor]]:
    everybody = tuple(settings.clients)
    for digest in map(str.lower, settings.operator_api_key_sha256):
        yield digest, Visitor("operator", everybody, None, _mark(digest))
    for client in settings.client:
        for digest in map(str.lower, client.api_key_sha256):
            yield digest, Visitor(client.name, (client.name,), client, _mark(digest))


def _mark(digest: str) -> str:
    return hashlib.sha256(f"console {digest}".encode()).hexdigest()[:32]
