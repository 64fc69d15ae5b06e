"""A configured backend: where an Exchange is, how to sign in to it, and whose mailboxes it serves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StrictBool, field_validator, model_validator

from workers.settings.checks import certificate_and_key, certificates, check_url
from workers.settings.table import Pattern, Table, matches

ServerVersion = Literal[
    "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013", "Exchange2013_SP1",
    "Exchange2015", "Exchange2016",
]  # fmt: skip
"""The versions of the schema of Exchange Web Services, oldest first."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Certificates: TypeAlias = Annotated[Path, AfterValidator(certificates)]
CertificateAndKey: TypeAlias = Annotated[Path, AfterValidator(certificate_and_key)]


class _Backend(Table):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    mailboxes: Annotated[tuple[Pattern, ...], Field(min_length=1)]
    ca_file: Certificates | None = None
    timeout: Annotated[float, Field(gt=0, le=300, strict=True)] = 30.0
    """Seconds that one call may take."""
    enforces_version: StrictBool = True
    """Whether the server refuses a write against a version that has moved. If it does not, a write may undo an edit
    that crosses it, and after a lost answer we wait until the server is quiet before we look (ops/decisions/0006)."""

    authority: str | None = None
    client_id: str | None = None
    client_secret_env: str | None = None
    client_certificate_file: CertificateAndKey | None = None
    client_secret: SecretStr | None = None
    """Read from the environment variable that ``client_secret_env`` names; never in the file."""

    def serves(self, address: str) -> bool:
        """Whether a mailbox address matches one of the patterns."""
        return matches(self.mailboxes, address)

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in ("callback", "watch"):  # how the lanes of other work begin
            raise ValueError(f"{name} is a name that Rendezvous uses itself: give the backend another")
        return name

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
    notification_certificate_files: tuple[CertificateAndKey, ...] = ()
    """PEM files, each with a certificate and its RSA key, newest first. Graph seals its notifications with the newest.
    An older one has to stay in the list for a day, until nothing that was sealed with it is on its way."""

    @property
    def is_somebody(self) -> bool:
        """Whether it signs in as a person, whose mailbox is ``me``."""
        return self.refresh_token is not None

    @property
    def tenant(self) -> str | None:
        """The tenant's id in small letters; None where ``authority`` names it otherwise, or none."""
        named = (self.authority or "").rstrip("/").rpartition("/")[2].lower()
        return named if _GUID.fullmatch(named) else None

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
    impersonation: StrictBool = False
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
