"""Waiting for what is about to happen."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(question: Callable[[], bool], patience: float) -> bool:
    """Whether the question was answered with yes in so many seconds."""
    end = time.monotonic() + patience
    while not question():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
