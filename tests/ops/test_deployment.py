"""The operational files say the same as each other and as the contract."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ops.run.procfile import parse
from tests.webhooks.wire import serving
from webhooks import create_app
from workers.configuration import load

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
LINES = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
EXAMPLE = ROOT / "rendezvous.example.toml"
SECRETS = {
    "CLOUD_CLIENT_SECRET": "a",
    "HQ_USER": "b",
    "HQ_PASSWORD": "c",
    "HR_WEBHOOK_SECRET": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "ops" / "Dockerfile").read_text()
IMAGE = dict(re.findall(r"(LISTEN_ADDRESS|PORT)=(\S+)", DOCKERFILE))


@pytest.mark.parametrize("name", ["worker", "callbacks", "beat"])
def test_compose_starts_what_the_procfile_starts(name: str) -> None:
    assert f"  {name}:\n" in COMPOSE and f"command: {LINES[name]}\n" in COMPOSE


@pytest.mark.parametrize("name", ["worker", "callbacks", "beat"])
def test_celery_writes_no_greeting_before_the_lines_of_json(name: str) -> None:
    (entry,) = (entry for entry in parse((ROOT / "Procfile").read_text()) if entry.name == name)
    assert entry.command[entry.command.index("workers.tasks") + 1] == "--quiet"


def test_compose_has_every_process_and_opens_ports_to_this_machine_only() -> None:
    for name in LINES:
        assert re.search(rf"^  {name}:\n    <<: \*rendezvous$", COMPOSE, re.MULTILINE), name
    assert all('"127.0.0.1:' in line for line in COMPOSE.splitlines() if "ports:" in line)


def test_the_image_starts_the_procfiles_web_process() -> None:
    (web,) = (entry for entry in parse((ROOT / "Procfile").read_text()) if entry.name == "web")
    command = ", ".join(f'"{word}"' for word in web.command)
    assert f"CMD [{command}]" in DOCKERFILE


def test_the_store_keeps_what_it_acknowledges_and_evicts_nothing() -> None:
    lines = (ROOT / "ops" / "redis.conf").read_text().splitlines()
    for needed in (
        "appendonly yes",
        "appendfsync always",
        "maxmemory 3gb",
        "maxmemory-policy noeviction",
        "protected-mode yes",
    ):
        assert needed in lines


def test_the_example_configuration_is_valid() -> None:
    settings = load({"RENDEZVOUS_CONFIG": str(EXAMPLE), **SECRETS})
    assert set(settings.backends) == {"cloud", "hq"} and set(settings.clients) == {"hr"}


def test_the_proxy_lets_through_what_callers_need_and_nothing_of_operators() -> None:
    (public,) = re.findall(r"^location ~ (\S+) \{$", (ROOT / "ops" / "DEPLOYMENT.md").read_text(), re.MULTILINE)
    app = create_app(load({"RENDEZVOUS_CONFIG": str(EXAMPLE), **SECRETS}))
    let_through = {path.split("/")[1] for path in map(str, app.url_map.iter_rules()) if re.match(public, path)}
    assert let_through == {"v1", "docs", "swagger", "openapi.json", "problems"}


def test_a_bad_configuration_ends_the_web_process_before_it_listens(tmp_path: Path) -> None:
    done = subprocess.run(
        [BIN / "gunicorn", "--config", "ops/gunicorn.conf.py", "webhooks:create_app()"],
        cwd=ROOT, env={**os.environ, "RENDEZVOUS_CONFIG": str(tmp_path / "missing.toml")},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "missing.toml: there is no such file" in done.stderr


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "80.5", "٨"])
def test_a_port_that_is_none_is_one_line_and_exit_code_2(port: str) -> None:
    environ = {**os.environ, **SECRETS, "RENDEZVOUS_CONFIG": str(EXAMPLE), "PORT": port}
    done = subprocess.run(
        [BIN / "gunicorn", "--config", "ops/gunicorn.conf.py", "webhooks:create_app()"],
        cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == f"rendezvous: PORT: {port!r} is not a number from 1 to 65535\n"


@pytest.mark.parametrize(("environ", "bound"), [
    ({}, "127.0.0.1:8000"),
    ({"PORT": "9000", "LISTEN_ADDRESS": ""}, "127.0.0.1:9000"),
    (IMAGE, "0.0.0.0:8000"),
    ({**IMAGE, "PORT": "9000"}, "0.0.0.0:9000"),
])  # fmt: skip
def test_nothing_but_this_machine_is_listened_to_unless_it_is_the_image(environ: dict[str, str], bound: str) -> None:
    known = {name: value for name, value in os.environ.items() if name not in ("PORT", "LISTEN_ADDRESS")}
    done = subprocess.run(
        [BIN / "gunicorn", "--config", "ops/gunicorn.conf.py", "--print-config", "webhooks:create_app()"], cwd=ROOT,
        env={**known, **SECRETS, "RENDEZVOUS_CONFIG": str(EXAMPLE), **environ},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert re.search(rf"^bind += \['{bound}'\]$", done.stdout, re.MULTILINE)


def test_the_images_health_check_asks_the_port_that_was_given(store_url: str, tmp_path: Path) -> None:
    (line,) = re.findall(r"^    CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    _, *arguments = json.loads(line)

    def health(port: int) -> int:
        environ = {**os.environ, "PORT": str(port)}
        return subprocess.run([sys.executable, *arguments], env=environ, capture_output=True, timeout=30).returncode

    with serving(store_url, tmp_path) as wire:
        assert health(wire.port) == 0
    assert health(wire.port) == 1
