"""``rendezvous mapping try``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result

from tests.workers.cli.conftest import run

TICKET = {"requester": {"email": "otto@hq.example"}, "fields": {"exchange_id": "AAMk="}, "title": "Tennis"}
ENVIRON = {"HR_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "HQ_USER": "u", "HQ_PASSWORD": "p"}


def tried(config: Path, message: object, *arguments: str) -> Result:
    return run("mapping", "try", "-", *arguments, text=json.dumps(message), RENDEZVOUS_CONFIG=str(config), **ENVIRON)


def test_a_program_gets_the_update_that_comes_out(config: Path) -> None:
    result = tried(config, TICKET, "--json")
    assert json.loads(result.stdout) == {
        "target": {"mailbox": "otto@hq.example", "event": "AAMk="},
        "set": {"subject": "Moved: Tennis"},
    }


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_pipe_gets_utf_8_whatever_the_locale_is(config: Path, arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "workers.cli", "mapping", "try", "-", *arguments]
    environ = {**os.environ, **ENVIRON, "RENDEZVOUS_CONFIG": str(config), "PYTHONIOENCODING": "latin-1"}
    message = json.dumps({**TICKET, "title": "Встреча 😀"}).encode()
    answer = subprocess.run(command, input=message, env=environ, capture_output=True, check=True)
    assert '"subject": "Moved: Встреча 😀"' in answer.stdout.decode()


def test_a_person_sees_where_each_field_comes_from_and_which_are_left_out(config: Path) -> None:
    lines = tried(config, TICKET, "--client", "tickets").stdout.splitlines()
    assert any("target.mailbox" in line and "requester.email" in line for line in lines)
    assert any("set.location.displayName" in line and "null: left out" in line for line in lines)


def test_an_expression_that_fails_is_named_with_its_place(config: Path) -> None:
    result = tried(config, {**TICKET, "title": 5})
    assert result.exit_code == 1
    assert "set.subject: the expression" in result.stderr


def test_a_client_without_a_mapping_is_told(config: Path) -> None:
    assert "has no [client.mapping]" in tried(config, TICKET, "--client", "hr").stderr


def test_a_configuration_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    result = tried(tmp_path / "nowhere.toml", TICKET)
    assert (result.exit_code, "there is no such file" in result.stderr) == (1, True)
