"""Who is signed in to the console: a signed cookie, and the token that every form carries.

The cookie holds the mark of a key and a random word, no key and no digest that would be one. It is good for LIFE, and
only as long as the key stands in the configuration.
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
    """``mark``: of the key (webhooks/console/visitor), empty before anybody signed in."""

    mark: str
    word: str


def begin(mark: str = "") -> Session:
    """A new session."""
    return Session(mark, secrets.token_urlsafe(18))


def seal(session: Session, secret: str) -> str:
    """The cookie's value."""
    return str(_serializer(secret).dumps([session.mark, session.word]))


def unseal(cookie: str | None, secret: str) -> Session | None:
    """The session that the cookie holds, or None where it is none of ours or too old."""
    try:
        mark, word = _serializer(secret).loads(cookie or "", max_age=int(LIFE.total_seconds()))
    except (BadData, ValueError, TypeError):
        return None
    return Session(str(mark), str(word))


def form_token(session: Session, secret: str) -> str:
    """What a form of this session carries, and a form of nobody else can (CSRF)."""
    return hmac.new(secret.encode(), f"form {session.word} {session.mark}".encode(), "sha256").hexdigest()


def is_own_form(session: Session | None, token: str, secret: str) -> bool:
    """Whether the token is this session's."""
    return session is not None and hmac.compare_digest(form_token(session, secret).encode(), token.encode())


def _serializer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt="rendezvous-console")
