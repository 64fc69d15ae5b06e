"""Scripts that come from several threads at once, on a real store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis
from redis.commands.core import Script
from redis.exceptions import ConnectionError, DataError, RedisError, ResponseError

from ops.sandbox.process import free_port
from workers.store.together import Together

ECHO = "return {ARGV[1], redis.call('INCR', 'rdv:echoed')}"
BROKEN = "return redis.error_reply('this one is broken')"


class Counted(Redis):
    """How many round trips there were."""

    trips = 0

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Any:
        self.trips += 1
        return super().pipeline(transaction, shard_hint)


@pytest.fixture
def counted(store_url: str) -> Counted:
    return Counted.from_url(store_url, decode_responses=True)  # type: ignore[return-value]


def _at_once(together: Together, script: Script, args: Sequence[Sequence[Any]]) -> list[Future[Any]]:
    """Ask from a thread each, and let nobody go before all are there."""
    with ThreadPoolExecutor(len(args)) as pool, together._turn:
        asked = [pool.submit(together.run, script, one) for one in args]
        _wait_until(lambda: len(together._asked) + sum(future.done() for future in asked) == len(args))
    return asked


def _wait_until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def test_each_gets_its_own_answer_and_each_script_runs_once(counted: Counted) -> None:
    together, echo = Together(counted), counted.register_script(ECHO)
    numbers = [str(number) for number in range(400)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: together.run(echo, [number]), numbers))
    assert [said for said, _ in answers] == numbers
    assert sorted(count for _, count in answers) == list(range(1, 401))


def test_those_who_come_while_one_is_under_way_go_together(counted: Counted) -> None:
    together, echo = Together(counted), counted.register_script(ECHO)
    together.run(echo, ["alone"])
    before = counted.trips
    asked = _at_once(together, echo, [[str(number)] for number in range(20)])
    assert sorted(int(future.result()[0]) for future in asked) == list(range(20))
    assert counted.trips == before + 1


def test_a_store_that_knows_no_scripts_any_more_is_told_them_again(counted: Counted) -> None:
    together, echo = Together(counted), counted.register_script(ECHO)
    together.run(echo, ["first"])
    counted.script_flush()
    asked = _at_once(together, echo, [[str(number)] for number in range(5)])
    assert sorted(future.result()[1] for future in asked) == [2, 3, 4, 5, 6]


def test_a_script_that_fails_is_nobody_elses_trouble(counted: Counted) -> None:
    together, echo, broken = Together(counted), counted.register_script(ECHO), counted.register_script(BROKEN)
    together.run(echo, ["known"])
    with pytest.raises(ResponseError, match="this one is broken"):
        together.run(broken, [])
    with ThreadPoolExecutor(2) as pool:
        with together._turn:
            well, badly = pool.submit(together.run, echo, ["well"]), pool.submit(together.run, broken, [])
            _wait_until(lambda: len(together._asked) == 2)
        assert well.result()[0] == "well"
        with pytest.raises(ResponseError, match="this one is broken"):
            badly.result()


def test_an_argument_that_cannot_be_sent_is_nobody_elses_trouble(counted: Counted) -> None:
    together, echo = Together(counted), counted.register_script(ECHO)
    well, half, nothing = _at_once(together, echo, [["well"], ["half \ud83d"], [None]])
    assert well.result()[0] == "well"
    with pytest.raises(UnicodeEncodeError):
        half.result()
    with pytest.raises(DataError):
        nothing.result()


def test_everybody_is_told_that_the_store_is_away_and_served_when_it_is_back(counted: Counted) -> None:
    away = Redis(port=free_port())
    together = Together(away)
    for future in _at_once(together, away.register_script(ECHO), [["a"], ["b"], ["c"]]):
        with pytest.raises(ConnectionError):
            future.result()
    away.connection_pool.connection_kwargs |= counted.connection_pool.connection_kwargs
    away.connection_pool.reset()
    assert together.run(away.register_script(ECHO), ["back"])[0] == "back"


def test_nobody_waits_for_an_answer_that_does_not_come(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    together, echo = Together(counted), counted.register_script(ECHO)
    ended = threading.Event()

    def broken_off(*_: Any, **__: Any) -> None:
        if not ended.is_set():
            ended.set()
            raise SystemExit(1)

    with monkeypatch.context() as patch:
        patch.setattr("redis.client.Pipeline.execute", broken_off)
        first, second = _at_once(together, echo, [["a"], ["b"]])
        ends = {type(first.exception()), type(second.exception())}
    assert ends == {SystemExit, RedisError}
    assert together.run(echo, ["after"])[0] == "after"
