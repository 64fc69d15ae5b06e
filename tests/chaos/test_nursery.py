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
    nursery, codes = Nursery(), []
    try:
        for number in range(30):
            born = nursery.start(Command("celery", ("celery", "--help"), environ, tmp_path / f"{number}.log"))
            born.sweep_up()
            codes.append(born.exit_code())
    finally:
        nursery.close()
    assert codes == [-signal.SIGKILL] * 30
