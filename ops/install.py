"""Makes ``.venv`` and puts the pinned packages and the ``rendezvous`` command into it; with ``--dev`` also the packages
of the tests, with ``--bench`` also those of the benchmarks.

It starts with nothing but the standard library of Python 3.7 or newer, so that people with an old Python get a sentence
and not a SyntaxError. It touches nothing outside ``.venv``, and installs nothing twice: a stamp in ``.venv`` holds a
digest of what it was made from. Whatever fails, it ends with one sentence on standard error and exit code 1.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"

SETS = {"run": "requirements.txt", "dev": "requirements-dev.txt", "bench": "requirements-bench.txt"}
"""Sets of packages and their pins. Each holds all of those before it."""

UNREACHABLE = ("connection", "timed out", "name resolution", "proxyerror", "sslerror", "certificate verify")
"""How pip words a registry that does not answer, in lower case."""


class InstallError(Exception):
    """What went wrong, as one sentence."""


def check_python(version: tuple[int, ...]) -> None:
    """Raise InstallError unless this Python is new enough."""
    if version < (3, 11):
        found = ".".join(map(str, version[:3]))
        raise InstallError(f"Python 3.11 or newer is needed, this is {found}; name another: make run PYTHON=python3.11")


def digest(root: Path, wanted: str) -> str:
    """A digest of what an installation is made from: this folder (a venv cannot be moved), the pins, pyproject.toml."""
    files = (root / name for name in (SETS[wanted], "pyproject.toml"))
    parts = [str(root).encode(), *(file.read_bytes() for file in files)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def explain(output: str) -> str:
    """Why pip failed, from what it wrote: one sentence."""
    errors = [line.removeprefix("ERROR: ") for line in output.splitlines() if line.startswith("ERROR:")]
    said = errors[-1] if errors else (output.strip().splitlines() or ["nothing"])[-1]
    lower = output.lower()
    if "do not match the hashes" in lower:
        return "a downloaded package is not the one that was pinned, so it was not installed"
    if any(sign in lower for sign in UNREACHABLE):
        return f"the package registry did not answer: check network, proxy and pip's settings; pip said: {said}"
    if "no matching distribution" in lower:
        unseen = ", or was not reached: check the network and pip's settings" if "from versions: none" in lower else ""
        return f"the package registry has no build of a package for this Python and machine{unseen}; pip said: {said}"
    return f"pip could not install the packages; it said: {said}"


def is_current(wanted: str) -> bool:
    """Whether the wanted packages are installed (a later set includes the earlier ones), in a venv that works."""
    enough = tuple(SETS)[tuple(SETS).index(wanted) :]
    return any(stamp(one).exists() and stamp(one).read_text() == digest(ROOT, one) for one in enough) and venv_works()


def stamp(wanted: str) -> Path:
    """The file that holds the digest of what .venv was last filled from."""
    return VENV / f"{wanted}.stamp"


def venv_works() -> bool:
    """Whether .venv was made in this folder, and its Python runs and has pip."""
    folder = VENV / "folder"
    if not (PYTHON.exists() and folder.exists() and folder.read_text() == str(ROOT)):
        return False
    asked = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, env=clean_environment())
    return asked.returncode == 0


def clean_environment() -> dict[str, str]:
    """The caller's environment without the variables that would make pip install outside .venv."""
    foreign = {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV"}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return {**kept, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def make_venv() -> None:
    """Make a fresh .venv. On InstallError there is no .venv."""
    say(f"making .venv with Python {sys.version.split()[0]}")
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True)
    if made.returncode == 0:
        (VENV / "folder").write_text(str(ROOT))
        return
    shutil.rmtree(VENV, ignore_errors=True)
    said = made.stdout + made.stderr
    if "ensurepip" in said or "No module named venv" in said:
        raise InstallError(
            "this Python cannot make virtual environments: its venv module is missing or incomplete;"
            " install it (on Debian and Ubuntu: apt-get install python3-venv) and try again"
        )
    raise InstallError(f".venv could not be made: {(said.strip().splitlines() or ['no reason given'])[-1]}")


def pip(*arguments: str) -> None:
    """Run ``pip install`` in .venv; its output goes to .venv/install.log."""
    done = subprocess.run(
        [PYTHON, "-m", "pip", "install", "--progress-bar", "off", *arguments],
        cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with LOG.open("a", encoding="utf-8") as log:
        log.write(done.stdout)
    if done.returncode:
        raise InstallError(f"{explain(done.stdout)} (all of it: {LOG.relative_to(ROOT)})")


def install(wanted: str) -> None:
    """Bring .venv up to date."""
    if is_current(wanted):
        return
    if not os.access(ROOT, os.W_OK):
        raise InstallError(f"no permission to write in {ROOT}, where .venv has to go; copy the project elsewhere")
    if not venv_works():
        make_venv()
    for one in SETS:  # while pip works, and if it is interrupted, no set is complete
        stamp(one).unlink(missing_ok=True)
    say(f"installing the packages of {SETS[wanted]}: takes a minute the first time")
    pip("--require-hashes", "--requirement", SETS[wanted])
    say("installing the rendezvous command")
    pip("--no-deps", "--no-build-isolation", "--editable", ".")
    stamp(wanted).write_text(digest(ROOT, wanted))


def say(step: str) -> None:
    """One progress line."""
    print(f"· {step}", flush=True)


def main() -> None:
    """The command."""
    try:
        check_python(tuple(sys.version_info[:3]))
        install(next((wanted for wanted in SETS if f"--{wanted}" in sys.argv[1:]), "run"))
    except InstallError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or ROOT}: {error.strerror}")
    except KeyboardInterrupt:
        fail("stopped; start it again to go on")


def fail(sentence: str) -> NoReturn:
    """One sentence on standard error, exit code 1."""
    print(f"rendezvous: {sentence}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
