from __future__ import annotations

import json
import socket
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from celery import Celery
from redis import Redis
from structlog.testing import capture_logs

from ops.run import readiness
from tests.workers import rabbitmq
from workers import celery
from workers.celery import bell as bells
from workers.celery import queues
from workers.celery.bell import Bell, BrokerUnavailable
from workers.celery.ringer import QUEUES, TASKS, Ringer
from workers.settings import Settings
from workers.store import Ring

PATIENCE = 30.0


def ring(number: int) -> Ring:
    return Ring(f"upd_{number}", "update", "anna@contoso.com, subject")


@pytest.fixture
def broker(settings: Settings) -> Redis:
    broker = Redis.from_url(settings.broker_url, decode_responses=True)
    broker.flushdb()
    return broker


@pytest.fixture
def bell(settings: Settings) -> Bell:
    return Bell(celery.create(settings))


@pytest.fixture
def hung() -> Iterator[str]:
    """A broker that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture
def refusing() -> Iterator[str]:
    with rabbitmq.refusing() as url:
        yield url


def rung(broker: Redis, queue: str = "updates") -> list[dict[str, Any]]:
    """The messages, oldest first."""
    return [json.loads(message) for message in reversed(broker.lrange(queue, 0, -1))]


def ids(broker: Redis) -> list[str]:
    return [message["headers"]["id"] for message in rung(broker)]


def test_each_bell_is_rung_once_and_in_the_order_asked_for(bell: Bell, broker: Redis) -> None:
    bell.ring(ring(1), ring(2))
    bell.ring(ring(3))
    assert bell.flush(PATIENCE)
    assert ids(broker) == ["upd_1", "upd_2", "upd_3"]


def test_each_kind_of_job_has_its_task_and_its_queue(bell: Bell, broker: Redis) -> None:
    for kind in TASKS:
        bell.ring(Ring(f"{kind}_1", kind, "somebody"))
    assert bell.flush(PATIENCE)
    for kind, task in TASKS.items():
        sent = [(one["headers"]["id"], one["headers"]["task"]) for one in rung(broker, QUEUES[kind])]
        assert (f"{kind}_1", task) in sent


def test_a_bell_is_the_message_that_celery_itself_would_send(bell: Bell, broker: Redis, settings: Settings) -> None:
    bell.ring(ring(1))
    assert bell.flush(PATIENCE)
    argsrepr = "(upd_1, anna@contoso.com, subject)"
    celery.create(settings).send_task(
        "apply_update", args=["upd_1"], task_id="upd_1", queue="updates", argsrepr=argsrepr, ignore_result=True
    )
    ours, theirs = rung(broker)
    for message in (ours, theirs):
        message["body"] = json.loads(b64decode(message["body"]))
        for unread in ("delivery_tag", "reply_to", "argsrepr"):  # a number, for results, and a slip of Celery's
            message["properties"].pop(unread, None)
    assert ours == theirs


def test_flower_is_told_of_all_that_was_rung_in_one_go(settings: Settings, broker: Redis) -> None:
    listening = broker.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # of redis
    listening.psubscribe("*celeryev*")
    listening.get_message(timeout=PATIENCE)
    bell = Bell(celery.create(settings))
    bell.ring(ring(1), ring(2))
    assert bell.flush(PATIENCE)
    told = listening.get_message(timeout=PATIENCE)
    assert told is not None
    events = json.loads(b64decode(json.loads(told["data"])["body"]))
    sent = {(event["type"], event["uuid"], event["name"], event["args"], event["queue"]) for event in events}
    assert ("task-sent", "upd_2", "apply_update", "(upd_2, anna@contoso.com, subject)", "updates") in sent


def test_nobody_waits_for_a_broker_that_hangs(settings: Settings, hung: str) -> None:
    bell = Bell(celery.create(settings.model_copy(update={"broker_url": hung})))
    bell.ring(ring(1))
    assert not bell.flush(0.2)


def test_a_broker_that_is_away_costs_the_bells_and_nothing_else(settings: Settings) -> None:
    lost: list[int] = []
    bell = Bell(celery.create(settings.model_copy(update={"broker_url": "redis://127.0.0.1:9/0"})), lost.append)
    bell.ring(ring(1), ring(2))
    assert bell.flush(PATIENCE)
    assert sum(lost) == 2


def test_it_rings_again_when_the_broker_is_back_and_says_so(
    settings: Settings, broker: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bells, "QUIET", 0.0)
    app = celery.create(settings.model_copy(update={"broker_url": "redis://127.0.0.1:9/0"}))
    bell = Bell(app)
    with capture_logs() as told:
        bell.ring(ring(1))
        assert bell.flush(PATIENCE)
        app.conf.broker_url = app.conf.broker_write_url = settings.broker_url
        for number in (2, 3):
            bell.ring(ring(number))
            assert bell.flush(PATIENCE)
    assert ids(broker) == ["upd_2", "upd_3"]
    assert [line["event"] for line in told] == ["bells not rung, sweep will ring again", "bells are rung again"]


def test_a_connection_that_died_meanwhile_costs_no_bell(bell: Bell, broker: Redis) -> None:
    bell.ring(ring(1))
    assert bell.flush(PATIENCE)
    for client in broker.client_list():
        if client["id"] != str(broker.client_id()):
            broker.client_kill_filter(_id=client["id"])
    bell.ring(ring(2))
    assert bell.flush(PATIENCE)
    assert ids(broker) == ["upd_1", "upd_2"]


def test_a_connection_that_is_of_no_use_any_more_is_replaced_once(settings: Settings, broker: Redis) -> None:
    """As kombu itself does for Redis, and not for RabbitMQ."""
    ringer = Ringer(celery.create(settings))
    ringer.ring([ring(1)])
    for error in (OSError("broken"), ValueError("of a kind that nobody knows")):
        ringer._producer.publish = Mock(side_effect=error)
        ringer.ring([ring(2)])
    assert ids(broker) == ["upd_1", "upd_2", "upd_2"]


def test_after_a_bell_that_could_not_be_rung_none_is_tried_for_a_while(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, lost = Mock(side_effect=OSError("refused")), Mock()
    monkeypatch.setattr(Ringer, "ring", tried)
    bell = Bell(celery.create(settings), lost)
    for number in range(3):
        bell.ring(ring(number))
        assert bell.flush(PATIENCE)
    assert (tried.call_count, lost.call_count) == (1, 3)


def test_while_the_broker_is_slow_only_so_many_bells_wait(
    settings: Settings, hung: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bells, "WAITING_AT_MOST", 3)
    monkeypatch.setattr(bells, "AT_ONCE", 1)
    lost: list[int] = []
    bell = Bell(celery.create(settings.model_copy(update={"broker_url": hung})), lost.append)
    for number in range(10):
        bell.ring(ring(number))
    assert sum(lost) in (6, 7), "one may be in the hands of the thread"


def test_a_process_that_ends_rings_first_what_it_was_asked_for(settings: Settings, broker: Redis) -> None:
    program = f"""
from celery import Celery
from workers.celery.bell import Bell
from workers.store import Ring
Bell(Celery(broker={settings.broker_url!r}, set_as_current=False)).ring(Ring("upd_1", "update", "somebody"))
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE)
    assert ids(broker) == ["upd_1"]


@pytest.mark.parametrize("ask", [lambda app: Bell(app).check(), queues.lengths])
def test_a_broker_that_refuses_our_password_is_unavailable_whoever_asks(
    ask: Callable[[Celery], object], settings: Settings, refusing: str
) -> None:
    app = celery.create(settings.model_copy(update={"broker_url": refusing}))
    with pytest.raises(BrokerUnavailable, match="ACCESS_REFUSED"):
        ask(app)


def test_behind_a_broker_that_refuses_our_password_no_worker_answers(refusing: str) -> None:
    assert not readiness.worker_answers(refusing, "updates")
