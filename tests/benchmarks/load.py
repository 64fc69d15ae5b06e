"""Callers: so many connections, each asking again as soon as it was answered. A process of its own, so that what it
costs is not counted as anybody's; ``python -m tests.benchmarks.load`` with a ``Job`` as JSON on standard input.

As cheap as Python can be: requests are cut from one template, answers are looked at for their status and length only.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import uuid4

from tests.benchmarks.measurement import quantile

ROOT = Path(__file__).resolve().parents[2]
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Job:
    """``body``: JSON in which ``@SERIAL@`` stands for the request's number, ``@MAILBOX@`` for one of ``mailboxes``;
    both as eight digits. Ends after ``seconds`` or ``requests``, whichever comes first. ``first``: the first number."""

    port: int
    path: str
    body: str
    connections: int
    seconds: float = 3600.0
    requests: int = 10**9
    mailboxes: int = 100
    first: int = 0
    api_key: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it. ``statuses``: answers by status; times in seconds."""

    seconds: float
    statuses: dict[str, int]
    times: list[float] = field(repr=False)

    @property
    def accepted(self) -> int:
        return self.statuses.get("202", 0)

    @property
    def per_second(self) -> float:
        """202s a second."""
        return self.accepted / self.seconds

    def quantile(self, share: float) -> float:
        """Seconds within which this share was answered."""
        return quantile(self.times, share)


class LoadError(Exception):
    """It did not run, or was answered with something else than 202."""


def put(job: Job) -> Load:
    """Run it in a process of its own. Raises LoadError unless every answer was a 202."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load"], cwd=ROOT, input=json.dumps(asdict(job)), capture_output=True,
        text=True,
    )  # fmt: skip
    if done.returncode:
        raise LoadError(done.stderr[-2000:])
    load = Load(**json.loads(done.stdout))
    if set(load.statuses) != {"202"}:
        raise LoadError(f"answers by status: {load.statuses}")
    return load


class Caller(asyncio.Protocol):
    """One connection. ``request``: what another one was not answered, to be asked first."""

    def __init__(self, callers: Callers, request: bytes | None) -> None:
        self._callers = callers
        self._request = request
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if found and length and len(body) >= int(length[1]):
            self._received = b""
            self._callers.answered(head[9:12].decode(), time.perf_counter() - self._asked)
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._callers.lost(self, self._request)

    def _ask(self, again: bytes | None = None) -> None:
        self._request = request = again or self._callers.next_request()
        if request is None:
            self._callers.left(self)
            self._transport.close()
            return
        self._asked = time.perf_counter()
        self._transport.write(request)


class Callers:
    """All of them, and what they were answered."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._serial = job.first
        self._pieces = _pieces(job)
        self._done = asyncio.get_running_loop().create_future()
        self._at_work: set[Caller] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._statuses: Counter[str] = Counter()
        self._times: list[float] = []

    async def run(self) -> Load:
        began = time.perf_counter()
        self._end = began + self._job.seconds
        for _ in range(self._job.connections):
            await self._connect()
        await self._done
        return Load(time.perf_counter() - began, dict(self._statuses), self._times)

    def next_request(self) -> bytes | None:
        """None: enough has been asked."""
        asked = self._serial - self._job.first
        if asked >= self._job.requests or time.perf_counter() >= self._end:
            return None
        serial = self._serial
        self._serial += 1
        numbers = (b"%08d" % serial, b"%08d" % (serial % self._job.mailboxes))
        return b"".join(numbers[piece] if isinstance(piece, int) else piece for piece in self._pieces)

    def answered(self, status: str, seconds: float) -> None:
        self._statuses[status] += 1
        self._times.append(seconds)

    def lost(self, caller: Caller, unanswered: bytes | None) -> None:
        """The server closed the connection: another one asks again what was not answered, under the same key."""
        if caller in self._at_work:
            self._at_work.discard(caller)
            self._connecting.add(asyncio.get_running_loop().create_task(self._connect(unanswered)))

    def left(self, caller: Caller) -> None:
        self._at_work.discard(caller)
        if not self._at_work and not self._done.done():
            self._done.set_result(None)

    async def _connect(self, request: bytes | None = None) -> None:
        caller = Caller(self, request)
        self._at_work.add(caller)
        try:
            await asyncio.get_running_loop().create_connection(lambda: caller, "127.0.0.1", self._job.port)
        except OSError as error:
            if not self._done.done():
                self._done.set_exception(error)


def _pieces(job: Job) -> list[bytes | int]:
    """The request in pieces: bytes as they are, 0 for the serial, 1 for the mailbox's number."""
    run = uuid4().hex
    length = len(job.body.replace("@SERIAL@", "0" * 8).replace("@MAILBOX@", "0" * 8).encode())
    text = (
        f"POST {job.path} HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\nAuthorization: Bearer {job.api_key}\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: {run}-@SERIAL@\r\nContent-Length: {length}\r\n\r\n"
    )
    numbers: dict[str, int] = {"@SERIAL@": 0, "@MAILBOX@": 1}
    return [numbers.get(piece, piece.encode()) for piece in re.split("(@SERIAL@|@MAILBOX@)", text + job.body)]


async def _run(job: Job) -> Load:
    return await Callers(job).run()


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_run(Job(**json.load(sys.stdin)))))))
