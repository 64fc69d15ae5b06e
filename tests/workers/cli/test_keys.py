"""``rendezvous keys new``."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tomllib

from standardwebhooks.webhooks import Webhook

from tests.workers.cli.conftest import run
from workers.settings import Client


def test_the_configuration_gets_the_hash_and_is_one() -> None:
    text = run("keys", "new", "--client", "room-planner").stdout
    [key] = re.findall(r"rdv_[\w-]{43}", text)
    table = tomllib.loads(text[text.index("  [[client]]") : text.index("For the environment")])["client"][0]
    assert table["api_key_sha256"] == [hashlib.sha256(key.encode()).hexdigest()]
    assert table["webhook_secrets_env"] == ["ROOM_PLANNER_WEBHOOK_SECRET"]
    assert Client.model_validate(table).name == "room-planner"
    operators = tomllib.loads(text.splitlines()[-1])
    assert operators == {"operator_api_key_sha256": table["api_key_sha256"]}


def test_the_variable_is_one_that_a_shell_can_export() -> None:
    text = run("keys", "new", "--client", "4you-2").stdout
    [line] = [line.strip() for line in text.splitlines() if "SECRET=whsec_" in line]
    exported = subprocess.run(["sh", "-c", f"export '{line}' && env"], capture_output=True, text=True, check=True)
    assert line in exported.stdout.splitlines()
    assert line.startswith("_4YOU_2_WEBHOOK_SECRET=")


def test_the_secret_is_one_that_the_standard_knows_and_goes_into_the_named_variable() -> None:
    made = json.loads(run("keys", "new", "--json").stdout)
    assert Webhook(made["webhookSecret"])
    assert made["apiKeySha256"] == hashlib.sha256(made["apiKey"].encode()).hexdigest()


def test_no_two_are_the_same() -> None:
    assert run("keys", "new", "--json").stdout != run("keys", "new", "--json").stdout


def test_a_name_that_the_configuration_refuses_is_refused_here() -> None:
    assert run("keys", "new", "--client", 'a"\nb').exit_code == 2
