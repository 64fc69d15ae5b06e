"""Catches what is posted to ``/callbacks/…`` and keeps it byte for byte; an operator chooses the answers."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock

from ops.sandbox.call import DROPPED, Call, Reply
from ops.sandbox.event import utc_now


@dataclass(frozen=True, slots=True)
class Answer:
    """How the catcher answers: for the next ``times`` posts (None: from now on). Status 0 resets the connection."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    delay: float = 0.0
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Caught:
    """One post as it arrived, and the status that it was answered with."""

    at: str
    path: str
    query: str
    headers: Mapping[str, str]
    body_base64: str
    status: int


@dataclass(slots=True)
class Catcher:
    """Thread-safe."""

    caught: list[Caught] = field(default_factory=list)
    _answers: list[Answer] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def answer_with(self, answer: Answer) -> None:
        """Queue a limited answer; an unlimited one replaces everything."""
        with self._lock:
            if answer.times is None:
                self._answers.clear()
            self._answers.append(answer)

    def catch(self, call: Call) -> Reply:
        """Keep the post, wait, answer."""
        answer = self._next_answer()
        query = "&".join(f"{name}={value}" for name, value in call.query.items())
        body = b64encode(call.body).decode()
        caught = Caught(utc_now().isoformat(), call.path, query, dict(call.headers), body, answer.status)
        with self._lock:
            self.caught.append(caught)
        time.sleep(answer.delay)
        return Reply(answer.status, answer.body.encode(), answer.headers) if answer.status else DROPPED

    def _next_answer(self) -> Answer:
        with self._lock:
            limited = next((place for place, answer in enumerate(self._answers) if answer.times is not None), None)
            if limited is None:
                return self._answers[-1] if self._answers else Answer()
            answer = self._answers[limited]
            assert answer.times is not None  # noqa: S101 - chosen so above
            left = answer.times - 1
            self._answers[limited : limited + 1] = [replace(answer, times=left)] if left else []
            return answer
