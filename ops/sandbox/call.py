"""One HTTP call and its reply as values, so that the APIs are functions of values and may run late or twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeAlias

Json: TypeAlias = Any
"""A JSON value."""

UNREADABLE = (AttributeError, LookupError, OverflowError, TypeError, ValueError)
"""What is raised where a call's content makes no sense. Each API has one refusal for all of it."""


@dataclass(frozen=True, slots=True)
class Call:
    """What came in. Header names are lower-case; ``path`` is decoded, without the API's prefix."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = ""
    """Scheme and authority as the client spelled them."""

    @property
    def bearer(self) -> str | None:
        """The bearer token, if one was sent."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    @property
    def reads(self) -> bool:
        """Whether the HTTP method promises to change nothing. EWS calls are told apart by their operation instead."""
        return self.method in ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out; ``dropped`` means that the connection is reset instead."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    dropped: bool = False

    @classmethod
    def of_json(cls, value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Self:
        """A JSON reply."""
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})

    def having(self, headers: Mapping[str, str]) -> Self:
        """The same reply with these headers added."""
        return replace(self, headers={**self.headers, **headers})


DROPPED = Reply(status=0, dropped=True)
