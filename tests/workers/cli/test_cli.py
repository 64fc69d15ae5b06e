"""The command itself: its options, its start, its completion."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from tests.webhooks.given import KEY
from tests.workers.cli.conftest import run
from workers.cli import cli
from workers.version import VERSION

HEAVY = ("flask", "lxml", "msal", "celery", "redis", "httpx", "pydantic", "rich")


def test_starting_loads_nothing_heavy() -> None:
    question = f"import sys, workers.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--json", "--key", KEY, "updates", "list"),
        ("updates", "--json", "--key", KEY, "list"),
        ("updates", "list", "--json", "--key", KEY),
    ],
)
def test_common_options_stand_before_or_after_the_command(web: str, arguments: tuple[str, ...]) -> None:
    result = run("--url", web, *arguments)
    assert json.loads(result.stdout) == {"items": [], "nextCursor": None}


def test_what_is_said_outvotes_the_environment(web: str) -> None:
    environ = {"RENDEZVOUS_URL": "http://127.0.0.1:9", "RENDEZVOUS_API_KEY": "wrong"}
    assert run("--url", web, "--key", KEY, "updates", "list", **environ).exit_code == 0
    assert run("updates", "list", "--url", web, "--key", KEY, **environ).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [("updates", "show", "\udcff"), ("updates", "list", "--mailbox", "\udcff"), ("dead-letters", "show", "\udcff")],
)
def test_an_argument_that_is_not_utf_8_is_a_usage_error(web: str, arguments: tuple[str, ...]) -> None:
    result = run("--url", web, "--key", KEY, *arguments)
    assert (result.exit_code, "UTF-8" in result.stderr) == (2, True)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_who_closes_an_output_is_told_by_the_exit_code(web: str, closed: str) -> None:
    command = f"{sys.executable} -m workers.cli --url {web} --key {KEY} updates list {closed}"
    assert subprocess.run(command, shell=True, check=False).returncode == 0  # noqa: S602 - the shell closes it


def test_it_says_which_version_it_is() -> None:
    assert run("--version").stdout == f"Rendezvous {VERSION}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell: str) -> None:
    result = run("completion", shell)
    assert (result.exit_code, "_RENDEZVOUS_COMPLETE" in result.stdout) == (0, True)


def test_the_shell_is_offered_commands_and_values() -> None:
    words = {
        "_RENDEZVOUS_COMPLETE": "bash_complete",
        "COMP_WORDS": "rendezvous updates list --state d",
        "COMP_CWORD": "4",
    }
    answer = subprocess.run(
        [sys.executable, "-m", "workers.cli"], env=words, capture_output=True, text=True, check=False
    )
    assert answer.stdout == "plain,dead\n"


@pytest.mark.parametrize(
    "command",
    ["", "updates", "dead-letters", "subscriptions", "keys", "mapping", "doctor", "demo", "trigger", "listen"],
)
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(cli, [*command.split(), "--help"], terminal_width=78)  # of a terminal with 80
    assert result.exit_code == 0
    assert "..." not in result.stdout.partition("Commands:")[2], "a summary is cut off"


def test_no_command_uses_the_name_of_a_common_option_for_something_else() -> None:
    for path, command in _commands("rendezvous", cli):
        names = [parameter.name for parameter in command.params]
        assert len(names) == len(set(names)), path


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _commands(f"{path} {name}", child)
