"""How long a question from outside may take."""

from __future__ import annotations

import socket

from ops.run import readiness
from tests.workers.receiver import OK, Receiver, receiving, take_request
from webhooks.health import READY_WITHIN


def test_a_web_process_that_is_slow_to_say_that_it_is_ready_is_believed() -> None:
    def slowly(connection: socket.socket, receiver: Receiver) -> None:
        take_request(connection, receiver)
        receiver.stopping.wait(READY_WITHIN + 0.2)  # the store alone may take that long
        connection.sendall(OK)

    with receiving(slowly) as receiver:
        assert readiness.http_answers(receiver.url)
