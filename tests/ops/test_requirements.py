"""What `make run` and `make test` install: everything pinned by hash, from wherever pip is told to look."""

import re
import tomllib
from pathlib import Path

import pytest

from ops.lock import inputs

ROOT = Path(__file__).resolve().parents[2]
FILES = ("requirements.txt", "requirements-dev.txt", "requirements-bench.txt")


def pins(name: str) -> dict[str, list[str]]:
    """Package → its version and hashes."""
    text = re.sub(r"#.*", "", (ROOT / name).read_text()).replace("\\\n", " ")
    found = {}
    for line in filter(str.strip, text.splitlines()):
        requirement, *hashes = line.split()
        package, version = requirement.split("==")
        found[package] = [version, *hashes]
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_package_is_pinned_by_version_and_hash(name: str) -> None:
    for package, (version, *hashes) in pins(name).items():
        assert version and hashes, package
        assert all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", item) for item in hashes), package


@pytest.mark.parametrize("name", FILES)
def test_no_registry_is_named(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"://|--(extra-)?index|find-links|trusted-host|file:|@ ", text)


@pytest.mark.parametrize("name", FILES)
def test_everything_that_pyproject_asks_for_is_pinned(name: str) -> None:
    wanted = inputs(tomllib.loads((ROOT / "pyproject.toml").read_text()))[name]
    names = {re.split(r"[\[<>=!~; ]", line)[0].lower() for line in wanted}
    assert names <= set(pins(name)), "run `make lock`"


def test_the_tests_have_the_products_versions_and_more_and_so_have_the_benchmarks() -> None:
    product, tests, benchmarks = map(pins, FILES)
    assert {name: tests.get(name) for name in product} == product
    assert {name: benchmarks.get(name) for name in tests} == tests
    assert "pytest" in tests and "pytest" not in product
    assert "msgraph-sdk" in benchmarks and "msgraph-sdk" not in tests
