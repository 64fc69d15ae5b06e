"""Who is signed in to the console: a signed cookie, and the token that every form carries.

The cookie holds a mark that stands for the key, and a random word; neither the key nor its digest in the configuration.
It is valid for LIFE, but only as long as the key stands in the configuration.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from itsdangerous import BadData, URLSafeTimedSerializer

COOKIE = "rdv_console"
LIFE = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Session:
    """``mark``: stands for the key (webhooks/console/visitor); empty until somebody has signed in."""

    mark: str
    word: str


def begin(mark: str = "") -> Session:
    """A new session."""
    return Session(mark, secrets.token_urlsafe(18))


def seal(session: Session, secret: str) -> str:
    """The cookie's value."""
    return str(_serializer(secret).dumps([session.mark, session.word]))


def unseal(cookie: str | None, secret: str) -> Session | None:
    """The session that the cookie holds. None if the cookie is not ours or is too old."""
    try:
        mark, word = _serializer(secret).loads(cookie or "", max_age=int(LIFE.total_seconds()))
    except (BadData, ValueError, TypeError):
        return None
    return Session(str(mark), str(word))


def form_token(session: Session, secret: str) -> str:
    """The token in every form of this session, which no page of somebody else can know (CSRF)."""
    return hmac.new(secret.encode(), f"form {session.word} {session.mark}".encode(), "sha256").hexdigest()


def is_own_form(session: Session | None, token: str, secret: str) -> bool:
    """Whether the token is this session's."""
    return session is not None and hmac.compare_digest(form_token(session, secret).encode(), token.encode())


def _serializer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt="rendezvous-console")
