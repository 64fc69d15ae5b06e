"""What a check found: whether it is well, what was seen, what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class Verdict(StrEnum):
    GOOD = "good"
    DOUBTFUL = "doubtful"
    """It works; somebody should look at it."""
    WRONG = "wrong"


MARKS = {Verdict.GOOD: "✓", Verdict.DOUBTFUL: "!", Verdict.WRONG: "✗"}


HANGS = "It hangs or is cut off: look at its host and the network between, then start it again."


def hangs(error: Exception) -> bool:
    """Whether no answer came; a server that is not there refuses at once."""
    return any(words in str(error).lower() for words in ("timeout", "timed out"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. ``remedy``: what to do, empty if there is nothing to do."""

    name: str
    verdict: Verdict
    said: str
    remedy: str = ""

    @classmethod
    def good(cls, name: str, said: str) -> Self:
        return cls(name, Verdict.GOOD, said)

    @classmethod
    def doubtful(cls, name: str, said: str, remedy: str) -> Self:
        return cls(name, Verdict.DOUBTFUL, said, remedy)

    @classmethod
    def wrong(cls, name: str, said: str, remedy: str) -> Self:
        return cls(name, Verdict.WRONG, said, remedy)

    def to_json(self) -> dict[str, Any]:
        """``name``, ``verdict``, ``said``, ``remedy``."""
        return asdict(self)
