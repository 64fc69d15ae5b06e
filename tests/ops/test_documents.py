"""The pages lead somewhere, and the map shows the country."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "ops").glob("*.md"))]
MAP = (ROOT / "ops" / "ARCHITECTURE.md").read_text()


def test_every_module_is_in_a_room_of_the_map() -> None:
    modules = [path for package in ("webhooks", "workers") for path in (ROOT / package).glob("[!_]*.py")]
    assert modules and not [path.name for path in modules if f"`{path.stem}`" not in MAP]


def test_every_room_of_the_map_is_there() -> None:
    rooms = [name for row in re.findall(r"^\| (`.*?) \|", MAP, re.MULTILINE) for name in re.findall(r"`([\w/]+)`", row)]
    for name in rooms:
        found = [ROOT / package / name for package in ("webhooks", "workers")]
        assert any(path.is_dir() or path.with_suffix(".py").is_file() for path in found), name


def test_the_map_fits_on_two_screens() -> None:
    assert len(MAP.splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_what_a_page_leads_to_is_there(page: Path) -> None:
    text = page.read_text()
    linked = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not target.startswith("https://")]
    named = re.findall(r"\b((?:ops|workers|webhooks|tests)/[\w./-]*\w)", text)
    beside = re.findall(r"\b([A-Z][A-Z-]+\.md)\b", text)
    missing = [name for name in linked if not (page.parent / name).exists()]
    missing += [name for name in named if not any((ROOT / name).with_suffix(suffix).exists() for suffix in SUFFIXES)]
    missing += [name for name in beside if not any((folder / name).is_file() for folder in (ROOT, ROOT / "ops"))]
    assert not missing


SUFFIXES = ("", ".py", ".md", ".yml", ".yaml", ".json", ".lua", ".js", ".toml", ".conf")


def test_the_decisions_are_numbered_without_a_gap() -> None:
    names = sorted(path.name for path in (ROOT / "ops" / "decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for number, name in enumerate(names, 1):
        assert (ROOT / "ops" / "decisions" / name).read_text().startswith(f"# {number}. ")
