"""Callers against a server of the test's own."""

import json
import re
import socketserver
from collections.abc import Iterator

import pytest

from tests.benchmarks.load import Job, LoadError, put
from tests.served import served

ACCEPTED = b"HTTP/1.1 202 ACCEPTED\r\nContent-Length: 2\r\nX: y\r\n\r\n{}"


class Server(socketserver.ThreadingTCPServer):
    """Answers 202 and keeps the requests; ``impatient``: hangs up after each answer."""

    daemon_threads = True
    impatient = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.requests: list[tuple[str, dict[str, str]]] = []


class Answering(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Server)
        while line := self.rfile.readline():
            head = line.decode()
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                head += line.decode()
            length = re.search(r"Content-Length: (\d+)", head)
            assert length is not None
            self.server.requests.append((head, json.loads(self.rfile.read(int(length[1])))))
            self.wfile.write(ACCEPTED)
            if self.server.impatient:
                return


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    with served(server):
        yield server


def job(server: Server, **more: int) -> Job:
    body = '{"mailbox": "@MAILBOX@@hq.example", "event": "é-@SERIAL@"}'
    return Job(server.server_address[1], "/v1/updates", body, connections=3, api_key="rk_x", **more)


def test_each_request_has_a_number_and_a_key_of_its_own(server: Server) -> None:
    load = put(job(server, requests=20, mailboxes=4, first=7))
    heads, bodies = zip(*server.requests, strict=True)
    assert {body["event"] for body in bodies} == {f"é-{number:08d}" for number in range(7, 27)}
    assert {body["mailbox"] for body in bodies} == {f"{number:08d}@hq.example" for number in range(4)}
    assert len({re.search("Idempotency-Key: (.*)\r", head)[1] for head in heads}) == 20  # type: ignore[index]
    assert all("Authorization: Bearer rk_x\r" in head for head in heads)
    assert load.accepted == len(load.times) == 20 and load.per_second > 0


def test_a_server_that_hangs_up_is_asked_again_what_it_did_not_answer(server: Server) -> None:
    server.impatient = True
    assert put(job(server, requests=10)).accepted == 10
    assert {body["event"] for _, body in server.requests} == {f"é-{number:08d}" for number in range(10)}


def test_where_nobody_listens_there_is_no_load(server: Server) -> None:
    server.server_close()
    with pytest.raises(LoadError, match="Connect call failed"):
        put(job(server, requests=1))
