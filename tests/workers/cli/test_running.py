"""``doctor`` and ``demo`` against everything as it runs in production, and a sandbox Exchange."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from redis import Redis

from ops.sandbox import seed
from ops.sandbox.process import free_port
from tests.e2e.system import CREDENTIALS, System, started
from tests.workers.cli.conftest import run

ROOT = Path(__file__).resolve().parents[3]
VARIABLES = (
    "RENDEZVOUS_CONFIG", "RENDEZVOUS_STORE_URL", "DEMO_WEBHOOK_SECRET", "CLOUD_CLIENT_SECRET", "CLOUD_REFRESH_TOKEN",
    "HQ_USER", "HQ_PASSWORD",
)  # fmt: skip


@pytest.fixture(scope="module")
def system(store_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    Redis.from_url(store_server).flushall()
    names = ("web", "worker", "callbacks", "beat")
    with started(tmp_path_factory.mktemp("system"), store_server, free_port(), names) as running:
        yield running


def told(system: System, *arguments: str, **changes: str) -> Result:
    environ = {name: system.environ[name] for name in VARIABLES}
    return run(
        *arguments, **{**environ, "RENDEZVOUS_URL": str(system.api.base_url), "NO_PROXY": "127.0.0.1", **changes}
    )


def test_the_doctor_finds_everything_well(system: System) -> None:
    for mailbox in (seed.ANNA.address, seed.OTTO.address):
        result = told(system, "doctor", "--mailbox", mailbox, "--json")
        findings = {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}
        assert [name for name, finding in findings.items() if finding["verdict"] == "wrong"] == [], findings
        assert result.exit_code == 0
        expected = {"configuration", "store", "beat", "broker", "web", "worker (updates)", "worker (notifications)",
                    "callbacks", "backend cloud", "backend hq", "cloud's clock", "hq's clock",
                    f"mailbox {mailbox}"}  # fmt: skip
        assert expected <= findings.keys()


def test_the_doctor_tells_a_person_so(system: System) -> None:
    result = told(system, "doctor", "--no-color")
    assert result.exit_code == 0, result.output
    assert "\n✓ backend cloud " in result.stdout
    assert "✗" not in result.stdout


@pytest.mark.parametrize(
    ("variable", "backend"),
    [
        ("CLOUD_CLIENT_SECRET", "backend cloud"),
        ("CLOUD_REFRESH_TOKEN", "backend cloud as me"),
        ("HQ_PASSWORD", "backend hq"),
    ],
)
def test_the_doctor_sees_a_secret_that_is_wrong_and_does_not_print_it(
    system: System, variable: str, backend: str
) -> None:
    result = told(system, "doctor", "--json", **{variable: "canary-4711"})
    wrong = [finding for finding in json.loads(result.stdout)["findings"] if finding["verdict"] == "wrong"]
    assert [finding["name"] for finding in wrong] == [backend], wrong
    assert "sign-in" in wrong[0]["remedy"] and variable in wrong[0]["remedy"]
    assert (result.exit_code, "canary-4711" in result.output) == (1, False)


def test_the_doctor_sees_a_mailbox_that_is_not_there(system: System) -> None:
    for mailbox in ("nobody@contoso.com", "nobody@hq.example"):
        result = told(system, "doctor", "--mailbox", mailbox, "--json")
        wrong = [finding["name"] for finding in json.loads(result.stdout)["findings"] if finding["verdict"] == "wrong"]
        assert wrong == [f"mailbox {mailbox}"]


def installed(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """``rendezvous`` as an installation has it: of the checkout's packages only ``workers`` can be imported."""
    (folder / "workers").symlink_to(ROOT / "workers")
    program = "import sys; sys.path.insert(0, sys.argv.pop(1)); from workers.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-I", "-c", program, str(folder), *arguments],
        cwd=folder, env={**os.environ, **environ}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def demonstrated(system: System, folder: Path, secret: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``rendezvous demo``, which expects callbacks to be signed with this secret."""
    system.sandbox.reset()
    env = f"DEMO_API_KEY={CREDENTIALS.api_key}\nDEMO_WEBHOOK_SECRET={secret}\n"
    (system.folder / "demo.env").write_text(env)
    url = str(system.api.base_url)
    return installed(folder, "demo", "--directory", str(system.folder), *arguments, RENDEZVOUS_URL=url)


def test_the_demo_sends_both_seed_updates_and_shows_them(system: System, tmp_path: Path) -> None:
    result = demonstrated(system, tmp_path, CREDENTIALS.webhook_secret)
    assert result.returncode == 0, result.stderr
    for expected in ("EWS UpdateItem", "Graph PATCH event", "alisa@contoso.com", "good"):
        assert expected in result.stdout


def test_the_demo_shows_all_that_came_and_fails_where_a_signature_is_not_good(system: System, tmp_path: Path) -> None:
    result = demonstrated(system, tmp_path, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx", "--json")
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["update"]["state"], one["callbackGenuine"]) for one in shown] == [("succeeded", False)] * 2
    assert (result.returncode, "NOT both seed updates succeeded" in result.stderr) == (1, True)


def test_an_update_is_sent_and_followed_to_its_end(system: System) -> None:
    body = {"target": {"mailbox": seed.OTTO.address, "event": seed.TENNIS_LESSON}, "set": {"subject": "Tennis!"}}
    result = told_as_demo(system, "updates", "send", "-", "--wait", text=json.dumps(body))
    assert result.exit_code == 0, result.output
    assert "Tennis!" in result.stdout and "succeeded" in result.stderr


def test_an_update_that_dies_is_a_dead_letter_with_its_reason(system: System) -> None:
    body = {"target": {"mailbox": seed.OTTO.address, "event": "AAMkNowhere="}, "set": {"subject": "x"}}
    result = told_as_demo(system, "updates", "send", "-", "--wait", text=json.dumps(body))
    assert result.exit_code == 1
    assert "dead" in result.stdout
    listed = told_as_demo(system, "dead-letters", "list", "--mailbox", seed.OTTO.address)
    assert "notFound" in listed.stdout or "refused" in listed.stdout


def told_as_demo(system: System, *arguments: str, text: str | None = None) -> Result:
    return run(*arguments, text=text, RENDEZVOUS_URL=str(system.api.base_url), RENDEZVOUS_API_KEY=CREDENTIALS.api_key)


def test_the_demo_without_a_make_run_says_so(tmp_path: Path) -> None:
    result = installed(tmp_path, "demo", "--directory", str(tmp_path))
    assert (result.returncode, "is not the directory of a running `make run`" in result.stderr) == (1, True)
