"""How the store keeps time: in whole milliseconds, a moment as those since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def ms(time: timedelta | datetime) -> int:
    """A duration, or a moment, as the store keeps it."""
    return round((time.total_seconds() if isinstance(time, timedelta) else time.timestamp()) * 1000)


def moment(kept: str | float) -> datetime:
    """The moment that is kept so, in UTC."""
    return datetime.fromtimestamp(int(kept) / 1000, UTC)
