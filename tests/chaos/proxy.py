"""A network that can be hurt: a TCP proxy between two of the processes.

    pass       as if it were not there
    cut        every connection is reset, new ones too
    blackhole  connections stay open, nothing arrives any more
    drip       sixteen bytes at a time, in both directions
    late       every piece comes ``LATENCY`` seconds later

What was swallowed by a blackhole stays swallowed: its connections are reset when the mode changes.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Literal, TypeVar

Mode = Literal["pass", "cut", "blackhole", "drip", "late"]
Result = TypeVar("Result")
LATENCY = 0.2
PIECE = 16
CHUNK = 65536


class Proxy:
    """Listens on ``port`` of 127.0.0.1, in a thread of its own, until ``close``."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._mode: Mode = "pass"
        self._swallowed: set[asyncio.StreamWriter] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = int(self._server.sockets[0].getsockname()[1])

    def become(self, mode: Mode) -> None:
        """From now on."""
        self._run(self._become(mode))

    def lead_to(self, port: int) -> None:
        """Where new connections lead from now on."""
        self._to_port = port

    def close(self) -> None:
        self.become("cut")
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _become(self, mode: Mode) -> None:
        self._mode = mode
        for writer in list(self._writers if mode == "cut" else self._swallowed):
            _reset(writer)
        self._swallowed.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode == "cut":
            _reset(writer)
            return
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            _reset(writer)
            return
        pair = {writer, there_writer}
        self._writers |= pair
        try:
            await asyncio.gather(
                self._pump(reader, there_writer, writer), self._pump(there_reader, writer, there_writer)
            )
        finally:
            self._writers -= pair
            self._swallowed -= pair

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._pass_on(data, writer, back)
        writer.close()

    async def _pass_on(self, data: bytes, writer: asyncio.StreamWriter, back: asyncio.StreamWriter) -> None:
        match self._mode:
            case "blackhole":
                self._swallowed |= {writer, back}
                return
            case "drip":
                for start in range(0, len(data), PIECE):
                    writer.write(data[start : start + PIECE])
                    await writer.drain()
                    await asyncio.sleep(0.001)
                return
            case "late":
                await asyncio.sleep(LATENCY)
        writer.write(data)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN: the other side sees an error, not an end."""
    with suppress(OSError):
        peer = writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    writer.transport.abort()
