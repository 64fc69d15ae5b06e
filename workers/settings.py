"""What a process needs to know: frozen tables, checked, read once at the front door and passed down.

Not here: what is done with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from workers.mapping import Mapper, MappingError
from workers.setting_checks import (
    check_certificate_and_key,
    check_certificates,
    check_url,
    check_webhook_secret,
    network,
)

CONSOLE_SECRET_LENGTH = 32
ServerVersion = Literal[
    "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013", "Exchange2013_SP1",
    "Exchange2015", "Exchange2016",
]  # fmt: skip
"""Of the schema of Exchange Web Services, the oldest first."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Backend(_Table):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    mailboxes: Annotated[tuple[str, ...], Field(min_length=1)]
    ca_file: Path | None = None
    timeout: Annotated[float, Field(gt=0, le=300)] = 30.0
    """Seconds that one call may take."""
    enforces_version: bool = True
    """Whether the server refuses a write against a version that has moved. Where it does not, nobody's edit is safe
    from a write that crosses it, and after a lost answer we wait until the server is quiet before we look."""

    authority: str | None = None
    client_id: str | None = None
    client_secret_env: str | None = None
    client_certificate_file: Path | None = None
    client_secret: SecretStr | None = None
    """Read from the environment variable that ``client_secret_env`` names; never in the file."""

    def serves(self, address: str) -> bool:
        """Whether a mailbox address matches one of the patterns."""
        return _matches(self.mailboxes, address)

    @field_validator("ca_file")
    @classmethod
    def _certificates(cls, path: Path | None) -> Path | None:
        if path is not None:
            check_certificates(path)
        return path

    @field_validator("client_certificate_file")
    @classmethod
    def _certificate_and_key(cls, path: Path | None) -> Path | None:
        if path is not None:
            check_certificate_and_key(path)
        return path

    def _check_app_sign_in(self) -> None:
        missing = [name for name in ("authority", "client_id") if not getattr(self, name)]
        if missing:
            raise ValueError(f"{' and '.join(missing)} must be set to sign in with OAuth")
        where = urlsplit(self.authority or "")
        if where.scheme != "https" or not where.hostname or not where.path.strip("/"):
            raise ValueError("authority: write it as https://login.microsoftonline.com/<your tenant>")
        if (self.client_secret is None) == (self.client_certificate_file is None):
            raise ValueError("set one of client_secret_env and client_certificate_file")


class GraphBackend(_Backend):
    """A Microsoft Graph endpoint, signed in to as an application or with a delegated refresh token."""

    kind: Literal["graph"]
    base_url: str = "https://graph.microsoft.com/v1.0"
    refresh_token_env: str | None = None
    refresh_token: SecretStr | None = None
    max_concurrency: Annotated[int, Field(ge=1, le=100, strict=True)] = 4
    notification_certificate_files: tuple[Path, ...] = ()
    """PEM, each a certificate and its RSA key, the newest first: Graph seals its notifications with it, and signs them.
    An older one stays in the list for a day, until nothing that was sealed with it is on its way."""

    @property
    def is_somebody(self) -> bool:
        """Whether it signs in as a person, whose mailbox is ``me``."""
        return self.refresh_token is not None

    @field_validator("notification_certificate_files")
    @classmethod
    def _all_readable(cls, paths: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in paths:
            check_certificate_and_key(path)
        return paths

    @model_validator(mode="after")
    def _complete(self) -> Self:
        check_url("base_url", self.base_url)
        self._check_app_sign_in()
        return self


class EwsBackend(_Backend):
    """An Exchange Web Services endpoint."""

    kind: Literal["ews"]
    url: str
    auth: Literal["basic", "ntlm", "oauth"]
    username_env: str | None = None
    password_env: str | None = None
    username: SecretStr | None = None
    password: SecretStr | None = None
    impersonation: bool = False
    server_version: ServerVersion = "Exchange2013_SP1"
    max_concurrency: Annotated[int, Field(ge=1, le=100, strict=True)] = 10

    @property
    def is_somebody(self) -> bool:
        """Whether it works as the account that it signs in as, whose mailbox is ``me``."""
        return not self.impersonation

    @model_validator(mode="after")
    def _complete(self) -> Self:
        check_url("url", self.url)
        if self.auth == "oauth":
            self._check_app_sign_in()
        elif self.username is None or self.password is None:
            raise ValueError(f"username_env and password_env must be set for auth = {self.auth!r}")
        return self


Backend: TypeAlias = GraphBackend | EwsBackend


class Client(_Table):
    """A system that may ask for updates: how it signs in, what it may touch, how its callbacks are signed."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    api_key_sha256: tuple[Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")], ...] = ()
    webhook_secrets_env: tuple[str, ...] = ()
    webhook_secrets: tuple[SecretStr, ...] = ()
    mailboxes: tuple[str, ...] = ()
    callback_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    mapping: Mapping[str, Any] | None = None
    """How what the client signs and sends becomes an update (workers/mapping); None where it sends updates."""

    rate_limit: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}/(second|minute|hour)$")] = "60000/minute"
    """How many updates it may ask for; ten times as often it may read."""
    max_backlog: Annotated[int, Field(ge=1)] = 100_000
    """How many of its updates may wait or run at once."""
    max_backlog_per_mailbox: Annotated[int, Field(ge=1)] = 10_000
    """How many updates may wait or run at once in a mailbox that it asks for, whoever asked for them."""
    max_watchers_per_mailbox: Annotated[int, Field(ge=1)] = 1000
    """How many subscriptions and mirrors there may be of a mailbox that it asks for, whoever asked for them: a change
    is compared and told for all of them in one step."""

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
        return _matches(self.mailboxes, owner.removeprefix("group:")) or (
            "@" not in owner
            and all(pattern in self.mailboxes or "*" in self.mailboxes for pattern in backend.mailboxes)
        )


class Engine(_Table):
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
    """How often a watched mailbox is asked for changes whose Exchange does not tell of them."""
    catch_up: Annotated[float, Field(ge=0.1, le=86400)] = 300.0
    """How often one is asked whose Exchange does: what nobody told is found so."""

    @model_validator(mode="after")
    def _deaths_are_seen(self) -> Self:
        """A sweep that comes too rarely takes every worker's death for an absence of its own (lua/sweep)."""
        if self.sweep > self.lease / 3:
            raise ValueError("sweep must be at most a third of lease")
        return self


class Settings(_Table):
    """Everything that a process needs to know."""

    backend: Annotated[tuple[Annotated[Backend, Field(discriminator="kind")], ...], Field(min_length=1)]
    client: Annotated[tuple[Client, ...], Field(min_length=1)]
    engine: Engine = Engine()
    operator_api_key_sha256: tuple[Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")], ...] = ()
    """Keys with which operators sign in to the console and see every client's updates; no good for the API."""
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
        check_url("RENDEZVOUS_FLOWER_URL", self.flower_url)
        return self

    @cached_property
    def backends(self) -> Mapping[str, Backend]:
        return {backend.name: backend for backend in self.backend}

    @cached_property
    def clients(self) -> Mapping[str, Client]:
        return {client.name: client for client in self.client}

    def backend_for(self, owner: str) -> Backend | None:
        """The first backend that serves this owner. What is no address (``me``, a group, an object id) goes to the
        first backend whose patterns name it, else to the first Graph backend."""
        for backend in self.backend:
            if backend.serves(owner.removeprefix("group:")):
                return backend
        if "@" in owner:
            return None
        return next((backend for backend in self.backend if backend.kind == "graph"), None)


def _matches(patterns: tuple[str, ...], address: str) -> bool:
    return any(fnmatchcase(address.lower(), pattern.lower()) for pattern in patterns)
