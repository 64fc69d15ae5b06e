import shutil
from pathlib import Path

import pytest

from ops.run import RunError
from ops.run.procfile import Entry, parse

ROOT = Path(__file__).resolve().parents[3]


def test_a_line_is_a_name_and_a_command() -> None:
    assert parse('web: gunicorn --config a.py "webhooks:create_app()"\n') == (
        Entry("web", ("gunicorn", "--config", "a.py", "webhooks:create_app()")),
    )


def test_empty_lines_and_comments_are_no_processes() -> None:
    assert parse("# the door\n\nweb: gunicorn\n") == (Entry("web", ("gunicorn",)),)


@pytest.mark.parametrize("line", ["gunicorn", "web:", "we b: gunicorn", ": gunicorn", "web: 'gunicorn"])
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(RunError, match="Procfile, line 2: "):
        parse(f"beat: celery\n{line}\n")


def test_two_processes_of_one_name_are_refused() -> None:
    with pytest.raises(RunError, match="line 2: a second process named web"):
        parse("web: a\nweb: b\n")


def test_our_processes_are_the_contracts() -> None:
    entries = parse((ROOT / "Procfile").read_text())
    assert [entry.name for entry in entries] == ["web", "worker", "callbacks", "beat", "flower"]


def test_our_commands_are_installed() -> None:
    for entry in parse((ROOT / "Procfile").read_text()):
        assert shutil.which(entry.command[0], path=str(Path(__import__("sys").executable).parent))


def test_flower_listens_to_this_machine_only() -> None:
    (flower,) = (entry for entry in parse((ROOT / "Procfile").read_text()) if entry.name == "flower")
    assert "--address=127.0.0.1" in flower.command


def test_workers_of_one_machine_have_different_names() -> None:
    names = [
        entry.command[entry.command.index("--hostname") + 1]
        for entry in parse((ROOT / "Procfile").read_text())
        if "--hostname" in entry.command
    ]
    assert len(names) == 2 and len(set(names)) == 2
