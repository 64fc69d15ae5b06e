from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from celery.bootsteps import CLOSE, RUN

from workers.celery import create
from workers.celery.consumer import Consumer
from workers.settings import Settings


class Hub:
    """Celery's loop: what is to be done soon, and what later."""

    def __init__(self) -> None:
        self.soon: list[Any] = []
        self.later: list[tuple[float, Any]] = []

    def call_soon(self, todo: Any) -> None:
        self.soon.append(todo)

    def call_later(self, seconds: float, todo: Any) -> None:
        self.later.append((seconds, todo))

    def turn(self) -> None:
        while self.soon:
            self.soon.pop()()


@pytest.fixture
def app(settings: Settings) -> Celery:
    return create(settings)


@pytest.fixture
def flushes() -> list[str]:
    return []


@pytest.fixture
def consumer(flushes: list[str]) -> Any:
    """As Celery's worker has it once it runs."""
    made = Consumer.__new__(Consumer)
    made.hub = Hub()
    made.blueprint = SimpleNamespace(state=RUN, stop=lambda _: flushes.append("stopped"))
    made.event_dispatcher = SimpleNamespace(flush=lambda: flushes.append("told"))
    made._flush_events_promise = made._flush_events
    return made


def test_celery_uses_it(app: Celery) -> None:
    assert app.conf.worker_consumer == f"{Consumer.__module__}:{Consumer.__qualname__}"


def test_events_are_gathered_and_told_together(consumer: Any, flushes: list[str]) -> None:
    for _ in range(10):
        consumer.on_send_event_buffered()
    consumer.hub.turn()
    ((seconds, tell),) = consumer.hub.later
    assert (0 < seconds < 1, flushes) == (True, [])
    tell()
    assert flushes == ["told"]


def test_events_are_gathered_again_after_a_loop_that_was_broken_off(
    consumer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.celery.consumer.monotonic", lambda: 100.0)
    consumer.on_send_event_buffered()
    consumer.hub = Hub()  # the connection broke, and the timer went with it
    consumer.on_send_event_buffered()
    assert consumer.hub.soon == []
    monkeypatch.setattr("workers.celery.consumer.monotonic", lambda: 101.0)
    consumer.on_send_event_buffered()
    assert len(consumer.hub.soon) == 1


def test_a_worker_that_stops_tells_what_was_put_by_and_then_everything_at_once(
    consumer: Any, flushes: list[str]
) -> None:
    consumer.on_send_event_buffered()
    consumer.stop()
    assert flushes == ["told", "stopped"]
    consumer.blueprint.state = CLOSE
    consumer.hub = Hub()
    consumer.on_send_event_buffered()
    consumer.hub.turn()
    assert flushes == ["told", "stopped", "told"]


def test_a_bell_is_not_copied_while_it_is_out(app: Celery) -> None:
    assert app.conf.broker_transport_options["ack_emulation"] is False


def test_a_lost_broker_is_looked_for_within_a_second(app: Celery, consumer: Any) -> None:
    asked: dict[str, Any] = {}
    connection = SimpleNamespace(ensure_connection=lambda *_, **how: asked.update(how), transport_options={})
    consumer.app, consumer.first_connection_attempt = app, True
    consumer.ensure_connected(connection)
    assert asked["interval_start"] < 1 and asked["interval_max"] <= 1
