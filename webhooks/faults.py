"""What is wrong with a body: a sentence, and a JSON Pointer to where (RFC 6901, https://www.rfc-editor.org/rfc/rfc6901)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """``pointer`` is ``""`` for the body as a whole."""

    detail: str
    pointer: str


def pointer(path: Iterable[str | int]) -> str:
    """``("set", "start")`` → ``/set/start``."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def fault(detail: str, *path: str | int) -> Fault:
    return Fault(detail, pointer(path))
