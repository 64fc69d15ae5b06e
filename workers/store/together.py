"""Scripts of several threads in one round trip: those that come while a trip is under way wait and share the next one.
A script that comes alone goes at once (ops/decisions/0016)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import NoScriptError, RedisError


@dataclass(slots=True)
class _Asked:
    script: Script
    args: Sequence[Any]
    answer: Any = None
    done: bool = False


class Together:
    """Thread-safe."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._encoder: Any = redis.connection_pool.get_encoder()
        self._asked: deque[_Asked] = deque()
        self._turn = threading.Lock()

    def run(self, script: Script, args: Sequence[str | int]) -> Any:
        """The script's answer. Raises RedisError; if the connection broke, for all scripts that went together."""
        # Encoded here, so that an argument that cannot be encoded fails only its own script.
        mine = _Asked(script, [self._encoder.encode(arg) for arg in args])
        self._asked.append(mine)
        with self._turn:
            if not mine.done:
                self._go([self._asked.popleft() for _ in range(len(self._asked))])
        if isinstance(mine.answer, NoScriptError):
            return script(args=args)
        if isinstance(mine.answer, RedisError):
            raise mine.answer
        return mine.answer

    def _go(self, asked: Sequence[_Asked]) -> None:
        pipe: Any = self._redis.pipeline(transaction=False)
        for one in asked:
            pipe.execute_command("EVALSHA", one.script.sha, 0, *one.args)
        answers: list[Any] = [RedisError("the round trip was broken off")] * len(asked)
        try:
            answers = pipe.execute(raise_on_error=False)
        except RedisError as error:
            answers = [error] * len(asked)
        finally:
            for one, answer in zip(asked, answers, strict=True):
                one.answer, one.done = answer, True
