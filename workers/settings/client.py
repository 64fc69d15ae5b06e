"""A configured client: how it signs in, what it may touch, how much it may ask for, how its callbacks are signed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from workers.mapping import Mapper, MappingError
from workers.settings.backend import Backend
from workers.settings.checks import Digest, check_webhook_secret, network
from workers.settings.table import Pattern, Table, matches


class Client(Table):
    """A system that may ask for updates: how it signs in, what it may touch, how its callbacks are signed."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    api_key_sha256: tuple[Digest, ...] = ()
    webhook_secrets_env: tuple[str, ...] = ()
    webhook_secrets: tuple[SecretStr, ...] = ()
    mailboxes: tuple[Pattern, ...] = ()
    callback_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    mapping: Mapping[str, Any] | None = None
    """How the JSON that the client sends becomes an update (workers/mapping); None if it sends updates."""

    rate_limit: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}/(second|minute|hour)$")] = "60000/minute"
    """How many updates it may ask for; it may read ten times as often."""
    max_backlog: Annotated[int, Field(ge=1, strict=True)] = 100_000
    """How many of its updates may wait or run at once."""
    max_backlog_per_mailbox: Annotated[int, Field(ge=1, strict=True)] = 10_000
    """How many updates may wait or run at once in one mailbox, those of other clients included."""
    max_watchers_per_mailbox: Annotated[int, Field(ge=1, strict=True)] = 1000
    """How many subscriptions and mirrors there may be of one mailbox, those of other clients included: a change is
    compared and told for all of them in one step."""

    @cached_property
    def mapper(self) -> Mapper | None:
        return None if self.mapping is None else Mapper(self.mapping)

    @field_validator("mapping")
    @classmethod
    def _mappable(cls, table: Mapping[str, Any] | None, info: ValidationInfo) -> Mapping[str, Any] | None:
        try:
            Mapper(table or {})
        except MappingError as error:
            raise ValueError(f"the mapping of {info.data.get('name', '?')}: {error}") from None
        return table

    @field_validator("callback_networks", mode="before")
    @classmethod
    def _in_cidr(cls, networks: object) -> object:
        return tuple(map(network, networks)) if isinstance(networks, list | tuple) else networks

    @field_validator("webhook_secrets")
    @classmethod
    def _well_formed(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in secrets:
            check_webhook_secret(secret.get_secret_value())
        return secrets

    def may_touch(self, owner: str, backend: Backend) -> bool:
        """Whether this client may change the calendar of ``owner`` on ``backend``.

        An address is matched against the client's patterns. ``me``, a group and an object id are no addresses: they
        are open to a client that names them, or that may touch everything the backend serves.
        """
        return matches(self.mailboxes, owner.removeprefix("group:")) or (
            "@" not in owner and all(pattern in self.mailboxes for pattern in backend.mailboxes)
        )
