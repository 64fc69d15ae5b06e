"""The clock of this process: for what people read and for deadlines. What decides about jobs is the store's own."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)
