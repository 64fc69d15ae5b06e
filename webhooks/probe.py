"""Questions that may hang, asked without hanging: an operator needs an answer most when the system is not well."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class Probe(Generic[T]):
    """One question, asked by a thread of its own that dies with the process; never by two at once, so that a server
    that hangs holds one thread however often it is asked about. Thread-safe."""

    def __init__(self, question: Callable[[], T], patience: float) -> None:
        """``patience``: seconds to wait for the answer."""
        self._question = question
        self._patience = patience
        self._lock = Lock()
        self._asked: Future[T] | None = None
        self._given_up_at = 0.0

    def ask(self) -> T:
        """The answer. Raises TimeoutError, at once if the question has been hanging for too long already, or what the
        question raises."""
        with self._lock:
            if self._asked is None or self._asked.done():
                asked: Future[T] = Future()
                Thread(target=self._answer, args=(asked,), name="probe", daemon=True).start()
                # Only now: starting the thread may fail, and then nobody would answer.
                self._asked, self._given_up_at = asked, monotonic() + self._patience
            asked = self._asked
        return asked.result(max(0.0, self._given_up_at - monotonic()))

    def _answer(self, asked: Future[T]) -> None:
        try:
            asked.set_result(self._question())
        except BaseException as error:  # whatever it is: who asks must not wait for an answer that never comes
            asked.set_exception(error)
