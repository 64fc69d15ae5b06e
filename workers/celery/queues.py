"""How many bells hang in each of the broker's queues: for people, nothing is decided by it.

The jobs are in the store, and a queue may hold several bells for one of them, or none.
"""

from __future__ import annotations

from collections.abc import Mapping

from celery import Celery
from kombu.connection import Connection

from workers.celery.bell import BrokerUnavailable, connected
from workers.celery.ringer import QUEUES

_NOT_FOUND = "404"
"""Kombu's own transports spell it as a string, amqp as a number."""


def lengths(app: Celery) -> Mapping[str, int]:
    """Each queue's name → its messages that no worker has fetched. Raises BrokerUnavailable. If the broker hangs, this
    takes as long as a connection may take: ask from another thread if there is less time."""
    with connected(app) as connection:
        return {queue: _length(connection, queue) for queue in dict.fromkeys(QUEUES.values())}


def _length(connection: Connection, queue: str) -> int:
    """Asked with a passive declaration, which works on every broker. A queue that does not exist yet counts as empty;
    RabbitMQ then closes the channel, so each queue is asked on a channel of its own."""
    try:
        with connection.channel() as channel:  # type: ignore[no-untyped-call]  # kombu
            return int(channel.queue_declare(queue, passive=True).message_count)
    except connection.channel_errors as error:
        if str(getattr(error, "reply_code", "")) != _NOT_FOUND:
            raise BrokerUnavailable(f"the broker does not tell of {queue}: {error}") from error
        return 0
