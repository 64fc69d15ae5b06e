"""The forking process, from which the processes of a chaos run are born."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from ops.run.process import Command
from tests.chaos.nursery import Nursery


def test_who_is_ended_as_soon_as_it_is_born_is_really_gone(tmp_path: Path) -> None:
    environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for_ever = ("gunicorn", "--bind", "127.0.0.1:0", "wsgiref.simple_server:demo_app")
    nursery = Nursery()
    try:
        for number in range(20):
            born = nursery.start(Command("web", for_ever, environ, tmp_path / f"{number}.log"))
            born.sweep_up()
            assert born.exit_code() == -signal.SIGKILL
    finally:
        nursery.close()
