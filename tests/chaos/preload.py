"""Small C libraries that are loaded into a process before its own, and lie to it or watch it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def compiler() -> str | None:
    """A C compiler; None: there is none, and what needs one is left out."""
    return shutil.which("cc") or shutil.which("gcc")


def compiled(name: str, folder: Path) -> Path:
    """The library made of ``NAME.c`` beside this file, put into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / f"{name}.so"
    source = Path(__file__).with_name(f"{name}.c")
    subprocess.run([compiler() or "cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library
