"""The version before this one: the newest one that was released, else the one before the store's scripts changed last,
by which two versions differ most where they share a store."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "CHAOS_EARLIER"
"""Names another commit."""


def earlier() -> str | None:
    """As git names it; None where the history is not there."""
    released = _git("describe", "--tags", "--abbrev=0", "HEAD^")
    return os.environ.get(VARIABLE) or released or _git("log", "-1", "--format=%h^", "--", "workers/store/lua")


def unpacked(folder: Path) -> tuple[str, Path]:
    """Its short name, and its sources in a folder of their own. RuntimeError where the history is not there."""
    commit = earlier()
    name = commit and _git("rev-parse", "--short", commit)
    if not name:
        raise RuntimeError("there is no earlier version in this history")
    root = folder / f"version-{name}"
    archive = subprocess.run(("git", "archive", name), cwd=ROOT, check=True, capture_output=True).stdout
    root.mkdir()
    subprocess.run(("tar", "--extract", "--directory", root), input=archive, check=True)
    return name, root


def _git(*asked: str) -> str:
    done = subprocess.run(("git", *asked), cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
