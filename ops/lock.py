"""Pins every package of pyproject.toml, with the hashes of its files: requirements.txt, requirements-dev.txt and
requirements-bench.txt.

``python3 ops/lock.py`` keeps the pins that still fit; ``--upgrade`` takes the newest of everything. The standard
library is enough to run it: pip-tools is put into a virtual environment that is thrown away afterwards.
It does not install what it pins (ops/install.py) and writes no registry's address into the files.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PIP_TOOLS = "pip-tools==7.6.2"
HEADER = "# Made from pyproject.toml by `make lock`; not to be edited. Installed by ops/install.py.\n"
OPTIONS = [
    "--quiet", "--no-config", "--generate-hashes", "--allow-unsafe", "--strip-extras", "--no-header",
    "--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host", "--no-emit-options",
]  # fmt: skip

OLD_PATCH_RELEASES = ("async-timeout>=4.0.3",)
"""Packages that redis needs on Python below 3.11.3 (Debian 12 has 3.11.2). A newer Python would not pin them, and pip
refuses packages that are not pinned, because it checks hashes."""

CEILINGS = ("soupsieve<3.0.2",)
"""Packages whose newer versions need a later Python than 3.11.2. Found by installing the pins with that Python."""


def inputs(project: dict[str, Any]) -> dict[str, list[str]]:
    """pyproject.toml → the requirements of each file: those of the product, then those and the tests', then also the
    benchmarks'."""
    run = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["run"],
        *project["build-system"]["requires"],
        *OLD_PATCH_RELEASES,
    ]
    dev = [*run, *project["dependency-groups"]["dev"]]
    bench = [*dev, *project["dependency-groups"]["bench"]]
    return {"requirements.txt": run, "requirements-dev.txt": dev, "requirements-bench.txt": bench}


def compile_pins(pip_compile: Path, directory: Path, name: str, wanted: list[str], extra: list[str]) -> None:
    """Resolve ``wanted`` into ``directory/name``, starting from the pins that stand there already."""
    source = directory / "pyproject.in"
    source.write_text("\n".join(["--constraint ceilings.in", *wanted]) + "\n", encoding="utf-8")
    (directory / "ceilings.in").write_text("\n".join(CEILINGS) + "\n", encoding="utf-8")
    subprocess.run([pip_compile, *OPTIONS, *extra, "-o", name, source.name], cwd=directory, check=True)


def main() -> None:
    """Write all files; a failing resolution leaves them as they were."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        venv.create(directory / "tools", with_pip=True)
        tools = directory / "tools" / "bin"
        subprocess.run([tools / "pip", "install", "--quiet", PIP_TOOLS], check=True)
        extra = sys.argv[1:]
        for name, wanted in inputs(project).items():
            if (ROOT / name).exists():
                shutil.copy(ROOT / name, directory / name)
            print(f"resolving {name} …", flush=True)
            compile_pins(tools / "pip-compile", directory, name, wanted, extra)
            extra = [*sys.argv[1:], "--constraint", name]
        for name in inputs(project):
            (ROOT / name).write_text(HEADER + _body(directory / name), encoding="utf-8")


def _body(path: Path) -> str:
    """A file's lines without pip-compile's own notes and the header of the run before."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#")).lstrip("\n")


if __name__ == "__main__":
    main()
