"""What was learnt of Exchange and stays true for a while, in this process's memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

DAY = 86_400.0


class Memory(Generic[K, V]):
    """The newest ``size`` facts, each for ``lifetime`` seconds. Shared by threads."""

    def __init__(self, size: int, lifetime: float = DAY, clock: Callable[[], float] = time.monotonic):
        self._size = size
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._facts: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The fact, or None if there is none or it is too old."""
        with self._lock:
            ends, value = self._facts.get(key, (0.0, None))
        return value if self._clock() < ends else None

    def put(self, key: K, value: V) -> None:
        """Remember it, and forget the oldest if there are too many."""
        with self._lock:
            self._facts.pop(key, None)
            self._facts[key] = (self._clock() + self._lifetime, value)
            while len(self._facts) > self._size:
                self._facts.popitem(last=False)
