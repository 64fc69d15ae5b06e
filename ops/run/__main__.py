"""``make run``: start everything, wait until it is up, show the two seed updates, stay up until Ctrl-C."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import TextIO

from ops.run import RunError, story
from ops.run.layout import ROOT, lay_out
from ops.run.supervisor import Supervisor


class Stopped(BaseException):
    """Ctrl-C or SIGTERM. Like KeyboardInterrupt it is no failure that somebody on the way may take for one of his."""


def main() -> int:
    """The command. Exit code 0: all went well; 1: it did not; 2: a bad configuration; 130: stopped before it was up."""
    arguments = _arguments()
    try:
        return _run(arguments.directory.resolve(), arguments.once)
    except RunError as error:
        print(f"rendezvous: {error}", file=sys.stderr)
    except OSError as error:
        print(f"rendezvous: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
    return 1


def _run(directory: Path, once: bool) -> int:
    supervisor = Supervisor(ROOT, lambda text: print(f"! {text}", flush=True))
    up = False
    with ExitStack() as stack:
        stack.enter_context(_alone_in(directory))
        layout = lay_out(os.environ, directory)
        if once and layout.sandbox is None:
            raise RunError("--once sends the seed updates to the sandbox: unset RENDEZVOUS_CONFIG, or leave --once out")
        stack.callback(_stop, supervisor)
        _on_signal(_raise_stopped)
        try:
            succeeded = story.begin(layout, supervisor)
            up = not once
            if up:
                print("\nUp. Ctrl-C stops everything.", flush=True)
            while up:
                supervisor.wait(1.0)
        except Stopped:
            return 0 if up else 130
    return 0 if succeeded else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="stop after the seed updates; exit 0 only if they succeeded"
    )
    parser.add_argument("--directory", type=Path, default=ROOT / ".run", help="where data and logs go (default: .run)")
    return parser.parse_args()


def _alone_in(directory: Path) -> TextIO:
    """The open lock file of the directory. Raises RunError if another launcher holds it."""
    (directory / "log").mkdir(parents=True, exist_ok=True)
    lock = (directory / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise RunError(f"another `make run` is at work in {directory}: stop it first") from None
    return lock


def _on_signal(then: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, then)


def _raise_stopped(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def _stop(supervisor: Supervisor) -> None:
    def hurry(_number: int, _frame: FrameType | None) -> None:
        supervisor.hurry = True

    _on_signal(hurry)
    if supervisor.is_idle:
        return
    print("\nstopping …", flush=True)
    supervisor.stop()
    print("stopped", flush=True)


if __name__ == "__main__":
    sys.exit(main())
