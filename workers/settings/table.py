"""What every table of the configuration has in common."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Pattern: TypeAlias = Annotated[str, Field(min_length=1)]
"""Of addresses: see ``matches``."""


class Table(BaseModel):
    """Frozen; takes no unknown keys, and repeats no values in its errors, which may be secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def matches(patterns: tuple[str, ...], address: str) -> bool:
    """Whether an address fits one of the patterns, in which ``*`` stands for anything; in any case."""
    return any(fnmatchcase(address.lower(), pattern.lower()) for pattern in patterns)
