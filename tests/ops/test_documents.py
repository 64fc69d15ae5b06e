"""The pages lead somewhere, and the map shows the country."""

import json
import re
from pathlib import Path

import click
import pytest

from ops.run import doors
from webhooks import schema
from webhooks.schema import Asked
from workers.cli import cli
from workers.settings import Engine
from workers.store.steps import DEAD_LIFE, KEY_LIFE, SETTLED_LIFE

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "ops").glob("*.md"))]
README = (ROOT / "README.md").read_text()
MAP = (ROOT / "ops" / "ARCHITECTURE.md").read_text()
RUNBOOK = (ROOT / "ops" / "RUNBOOK.md").read_text()
SUFFIXES = ("", ".py", ".md", ".yml", ".yaml", ".json", ".lua", ".js", ".toml", ".conf")


def test_every_module_and_package_is_in_the_map() -> None:
    folders = [ROOT / package for package in ("webhooks", "workers")]
    names = [path.stem for folder in folders for path in folder.glob("[!_]*.py")]
    names += [f"{path.parent.name}/" for folder in folders for path in folder.glob("*/__init__.py")]
    assert {"executor", "store/"} <= set(names) and not [name for name in names if f"`{name}`" not in MAP]


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


def test_the_readmes_first_request_is_one_that_is_taken_as_it_is() -> None:
    (body,) = re.findall(r"-d '({.*?})'", README, re.DOTALL)
    assert isinstance(schema.read(json.loads(body)), Asked)


def test_the_readme_names_every_port_that_can_be_chosen() -> None:
    for door in (doors.WEB, doors.FLOWER, doors.STORE, doors.BROKER, doors.SANDBOX):
        assert f"`{door.variable}`" in README and f"`{door.default}`" in README


def test_the_readme_names_every_command() -> None:
    assert not [name for name in cli.commands if f"`{name}" not in README and f"rendezvous {name}" not in README]


def test_the_decisions_are_numbered_without_a_gap() -> None:
    names = sorted(path.name for path in (ROOT / "ops" / "decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for number, name in enumerate(names, 1):
        assert (ROOT / "ops" / "decisions" / name).read_text().startswith(f"# {number}. ")


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_command_that_a_page_names_is_one(page: Path) -> None:
    for words in re.findall(r"(?:^|`)rendezvous ([a-z][a-z -]*[a-z])", page.read_text(), re.MULTILINE):
        command: click.Command = cli
        for word in words.split():
            if isinstance(command, click.Group):
                assert word in command.commands, words
                command = command.commands[word]


def test_every_option_that_the_runbook_names_is_one() -> None:
    assert {"--all", "--class", "--dry-run"} <= options("dead-letters", "replay")
    assert {"--mailbox"} <= options("doctor") & options("updates", "list")
    assert {"--client"} <= options("trigger") and {"--kind", "--class"} <= options("dead-letters", "list")


def options(*words: str) -> set[str]:
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return {name for parameter in command.params for name in parameter.opts}


def test_every_metric_that_the_runbook_and_the_alerts_name_is_told() -> None:
    told = "".join(
        (ROOT / "webhooks" / f"{name}.py").read_text() for name in ("metrics", "traffic", "watching/notifications")
    )
    names = {f"rendezvous_{name}" for name in re.findall(r'_gauge\(\s*"(\w+)"', told)}
    names |= {name.removesuffix("_total") for name in re.findall(r'"(rendezvous_\w+)"', told)}
    said = RUNBOOK + (ROOT / "ops" / "grafana" / "alerts.yml").read_text()
    used = {name.removesuffix("_total") for name in re.findall(r"\brendezvous_\w+", said)}
    assert used and used <= names


def test_the_runbook_fits_on_one_page() -> None:
    assert len(RUNBOOK.splitlines()) <= 80


def test_the_arithmetic_is_done_with_the_codes_numbers() -> None:
    scale = (ROOT / "ops" / "SCALE.md").read_text()
    assert (SETTLED_LIFE.days, DEAD_LIFE.days, KEY_LIFE.days) == (10, 30, 3)
    assert "is kept for 10 days after its end (dead: 30), its key for 3" in scale
    assert Engine().concurrency == 16 and "runs `concurrency` (16) updates at once" in scale
