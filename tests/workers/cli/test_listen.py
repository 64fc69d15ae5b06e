"""``rendezvous listen`` and ``rendezvous trigger``: one sends what the other verifies."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.sandbox.process import free_port
from tests.workers.cli.conftest import run
from workers.cli.listen import LARGEST_BODY

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"


@pytest.fixture
def port() -> int:
    return free_port()


@contextmanager
def listening(port: int, *arguments: str) -> Iterator[list[Any]]:
    """``rendezvous listen`` for one callback; its result is in the list at the end."""
    command = [sys.executable, "-m", "workers.cli", "listen", "--port", str(port), "--count", "1", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "Listening" in process.stderr.readline()
    came: list[Any] = []
    try:
        yield came
        came += [process.communicate(timeout=20)[0], process.returncode]
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("state", ["succeeded", "dead", "cancelled"])
def test_a_sample_arrives_signed_and_is_verified(port: int, state: str) -> None:
    with listening(port, "--secret", SECRET, "--json") as came:
        sent = run("trigger", f"http://127.0.0.1:{port}/hook?x=1", "--secret", SECRET, "--state", state)
    assert (sent.exit_code, "HTTP 200" in sent.stdout) == (0, True), sent.output
    caught = json.loads(came[0])
    body = json.loads(caught["body"])
    assert (came[1], caught["genuine"], caught["path"]) == (0, True, "/hook?x=1")
    assert (body["type"], body["data"]["state"]) == (f"calendar.update.{state}", state)
    assert caught["headers"]["webhook-id"] in sent.stdout


def test_a_callback_of_another_secret_is_told_and_fails(port: int) -> None:
    with listening(port, "--secret", SECRET) as came:
        run("trigger", f"http://127.0.0.1:{port}/", "--secret", OTHER)
    assert came[1] == 1
    assert "SIGNATURE NOT GOOD" in came[0]


def test_either_of_two_secrets_will_do_while_they_are_changed(port: int) -> None:
    with listening(port, "--secret", OTHER, "--secret", SECRET) as came:
        sent = run("trigger", f"http://127.0.0.1:{port}/", "--secret", SECRET)
    assert (came[1], "signature good" in came[0]) == (0, True)
    assert "made-up" not in sent.stdout


def test_without_a_secret_nothing_is_said_to_be_verified(port: int) -> None:
    with listening(port) as came:
        sent = run("trigger", f"http://127.0.0.1:{port}/")
    assert (came[1], "not verified" in came[0]) == (0, True)
    assert "signed with a made-up secret: give --secret or --client" in sent.stdout
    assert "exit code 1 on a bad signature" in " ".join(run("listen", "--help").stdout.split())


def test_what_a_stranger_posts_cannot_write_to_the_terminal(port: int) -> None:
    with listening(port) as came:
        httpx.post(f"http://127.0.0.1:{port}/", content=b"\x1b]0;owned\x07 and no JSON", trust_env=False)
    assert "and no JSON" in came[0]
    assert "\x1b" not in came[0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[" * 980 + b"]" * 980, "["),
        (b"[" * 100_000, "["),
        (b"9" * 5000, "999"),
        (b'"half of \\ud800"', "half of "),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_was_answered_is_printed_and_counted_whatever_it_holds(
    port: int, body: bytes, said: str, form: tuple[str, ...]
) -> None:
    with listening(port, *form) as came:
        assert httpx.post(f"http://127.0.0.1:{port}/", content=body, trust_env=False).status_code == 200
    assert (came[1], said in came[0]) == (0, True)


@pytest.mark.parametrize(
    ("head", "status"),
    [(b"", 411), (b"Content-Length: -1\r\n", 413), (f"Content-Length: {LARGEST_BODY + 1}\r\n".encode(), 413)],
)
def test_what_tells_no_length_or_too_great_a_one_is_refused_and_not_counted(
    port: int, head: bytes, status: int
) -> None:
    with listening(port) as came:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
            assert f"HTTP/1.0 {status} ".encode() in connection.recv(65536)
        httpx.post(f"http://127.0.0.1:{port}/", content=b'"counted"', trust_env=False)
    assert (came[1], '"counted"' in came[0]) == (0, True)


def test_a_refusal_by_the_receiver_is_told_with_what_would_follow(port: int) -> None:
    with listening(port, "--status", "500"):
        sent = run("trigger", f"http://127.0.0.1:{port}/")
    assert sent.exit_code == 1
    assert "HTTP 500" in sent.stdout and "would be sent again in 5 s" in sent.stdout


def test_what_was_answered_is_told_as_a_sentence(port: int) -> None:
    with listening(port, "--status", "410"):
        sent = run("trigger", f"http://127.0.0.1:{port}/")
    assert re.search(r"it wants no more callbacks after [0-9.]+ s\. A real callback would", sent.stdout), sent.stdout


def test_gone_would_be_a_dead_letter(port: int) -> None:
    with listening(port, "--status", "410"):
        sent = run("trigger", f"http://127.0.0.1:{port}/", "--json")
    answer = json.loads(sent.stdout)
    assert (sent.exit_code, answer["delivered"], "410" in answer["detail"]) == (1, False, True)


def test_nobody_there_is_told(port: int) -> None:
    sent = run("trigger", f"http://127.0.0.1:{port}/")
    assert (sent.exit_code, "ConnectError" in sent.stdout) == (1, True)


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "ftp://127.0.0.1/", "nonsense", "https://192.168.1.1/"])
def test_an_address_that_no_callback_may_have_is_refused(url: str) -> None:
    sent = run("trigger", url)
    assert (sent.exit_code, "can never be a callbackUrl" in sent.stderr) == (1, True)


def test_a_network_can_be_opened_as_for_a_client() -> None:
    assert run("trigger", "http://10.0.0.1/", "--network", "10.0.0.0/33").exit_code == 2
    sent = run("trigger", "ftp://10.0.0.1/", "--network", "10.0.0.0/8")
    assert "can never" in sent.stderr


def test_a_client_of_the_configuration_lends_its_secrets_and_networks(port: int, config: Path) -> None:
    with listening(port, "--secret", SECRET) as came:
        sent = run("trigger", f"http://127.0.0.1:{port}/", "--client", "hr", RENDEZVOUS_CONFIG=str(config),
                   HR_SECRET=SECRET, HQ_USER="u", HQ_PASSWORD="p")  # fmt: skip
    assert (sent.exit_code, came[1]) == (0, 0), sent.output
    missing = run("trigger", f"http://127.0.0.1:{port}/", "--client", "nobody", RENDEZVOUS_CONFIG=str(config),
                  HR_SECRET=SECRET, HQ_USER="u", HQ_PASSWORD="p")  # fmt: skip
    assert (missing.exit_code, "no client nobody; it has hr" in missing.stderr) == (1, True)


def test_a_taken_port_is_told(port: int) -> None:
    with listening(port):
        second = run("listen", "--port", str(port), "--count", "1")
        httpx.post(f"http://127.0.0.1:{port}/", trust_env=False)
    assert (second.exit_code, "choose another with --port" in second.stderr) == (1, True)


@pytest.mark.parametrize("besides", [("--secret", SECRET), ("--network", "10.0.0.0/8")])
def test_a_client_of_the_configuration_brings_its_own_secrets_and_networks(besides: tuple[str, str]) -> None:
    sent = run("trigger", "http://127.0.0.1:1/", "--client", "hr", *besides)
    assert (sent.exit_code, "leave out --secret and --network" in sent.stderr) == (2, True)


def test_a_secret_of_the_environment_gives_way_to_the_clients_own(port: int, config: Path) -> None:
    with listening(port, "--secret", SECRET) as came:
        sent = run("trigger", f"http://127.0.0.1:{port}/", "--client", "hr", RENDEZVOUS_CONFIG=str(config),
                   RENDEZVOUS_WEBHOOK_SECRET=OTHER, HR_SECRET=SECRET, HQ_USER="u", HQ_PASSWORD="p")  # fmt: skip
        if sent.exit_code == 2:
            httpx.post(f"http://127.0.0.1:{port}/", trust_env=False)
    assert (sent.exit_code, came[1]) == (0, 0), sent.output


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!"])
def test_what_is_no_secret_is_a_usage_error(secret: str) -> None:
    assert run("trigger", "http://127.0.0.1:1/", "--secret", secret).exit_code == 2
