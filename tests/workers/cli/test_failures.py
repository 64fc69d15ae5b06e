"""What goes wrong is said in a sentence or two, with what to do, on standard error; and the exit code tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from ops.sandbox.process import free_port
from tests.webhooks.given import KEY
from tests.workers.cli import answers
from tests.workers.cli.conftest import UPDATE, run


def answering(status: int, body: bytes, content_type: str = "text/html", **headers: str) -> AbstractContextManager[str]:
    """The address of a server that always answers so."""
    return answers.answering((status, {"Content-Type": content_type, **headers}, body))


def test_nobody_there_says_how_to_start_it_and_where_to_look() -> None:
    result = run("updates", "list", "--key", "k", "--url", f"http://127.0.0.1:{free_port()}")
    assert result.exit_code == 1
    assert "connection refused" in result.stderr
    assert "make run" in result.stderr and "RENDEZVOUS_URL" in result.stderr


def test_who_is_there_and_cannot_be_asked_over_https_is_not_said_to_be_away(web: str) -> None:
    result = run("updates", "list", "--key", "k", "--url", web.replace("http://", "https://"))
    assert result.exit_code == 1
    assert "over https" in result.stderr and "SSL_CERT_FILE" in result.stderr
    assert "make run" not in result.stderr


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(web: str) -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    result = run("updates", "list", RENDEZVOUS_URL=web, RENDEZVOUS_API_KEY=KEY, HTTP_PROXY=proxy, http_proxy=proxy)
    assert result.exit_code == 0, result.output


def test_a_wrong_key_is_told_and_never_printed(web: str) -> None:
    result = run("updates", "list", "--url", web, "--key", "rdv_wrong")
    assert result.exit_code == 1
    assert "401" in result.stderr and "rendezvous keys new" in result.stderr
    assert "rdv_wrong" not in result.output
    assert "401 Who are you? The request has no header Authorization: Bearer" in result.stderr
    assert "An operator's key opens /console only." in result.stderr


def test_no_key_is_a_usage_error_before_anything_is_sent() -> None:
    result = run("updates", "list", RENDEZVOUS_API_KEY=None)
    assert result.exit_code == 2
    assert "RENDEZVOUS_API_KEY" in result.stderr


@pytest.mark.parametrize("typed", ["rdv_ключ", "rdv_1\nX-Evil: 1", "rdv_\udcff"])
def test_a_key_that_no_header_can_hold_is_a_usage_error(typed: str, file: Callable[[object], str]) -> None:
    as_nobody = run("updates", "list", RENDEZVOUS_API_KEY=typed)
    unrepeatable = run("updates", "send", file(UPDATE), "--key", "k", "--idempotency-key", typed)
    for result, name in ((as_nobody, "The API key"), (unrepeatable, "The idempotency key")):
        assert (result.exit_code, f"{name} holds a character" in result.stderr) == (2, True), result.output


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8000", "http://[", "http://10.0.0.256", "http://☃.example"])
@pytest.mark.parametrize("command", [("updates", "list"), ("doctor",), ("demo",)])
def test_what_is_no_address_is_a_usage_error_whoever_was_to_ask_it(command: tuple[str, ...], url: str) -> None:
    result = run(*command, "--key", "k", "--url", url)
    assert (result.exit_code, "is not an address" in result.stderr) == (2, True), result.output


@pytest.mark.parametrize("status", [200, 404, 502])
def test_another_server_is_recognised(status: int) -> None:
    with answering(status, b"<html>nginx</html>") as url:
        result = run("updates", "list", "--key", "k", "--url", url)
    assert (result.exit_code, "is it Rendezvous?" in result.stderr) == (1, True)


@pytest.mark.parametrize("body", [b"[]", b'{"id": 1}', b"null", b"[" * 100_000])
def test_json_that_is_not_a_list_of_ours_is_recognised(body: bytes) -> None:
    with answering(200, body, "application/json") as url:
        result = run("updates", "list", "--key", "k", "--url", url)
    assert (result.exit_code, "is it Rendezvous?" in result.stderr) == (1, True)


def test_busy_says_when_to_come_again() -> None:
    problem = json.dumps({"title": "Not now", "status": 503, "detail": "The store is away."}).encode()
    with answering(503, problem, "application/problem+json", **{"Retry-After": "7"}) as url:
        result = run("updates", "list", "--key", "k", "--url", url)
    assert "Not now: The store is away." in result.stderr
    assert "Try again in 7 s" in result.stderr
    assert "accepted" not in result.stderr


@pytest.mark.parametrize("errors", [None, {"a": 1}, ["a", "b"], 7])
def test_a_problem_of_a_stranger_is_told_as_far_as_it_is_understood(errors: object) -> None:
    problem = json.dumps({"title": "No", "status": 400, "detail": "So it is.", "errors": errors}).encode()
    with answering(400, problem, "application/problem+json") as url:
        result = run("updates", "list", "--key", "k", "--url", url)
    assert (result.exit_code, result.stderr) == (1, "rendezvous: 400 No: So it is.\n")


def test_a_problem_cannot_write_to_the_terminal() -> None:
    problem = json.dumps({"title": "\x1b[2J", "status": 400, "detail": "x\x9b1m"}).encode()
    with answering(400, problem, "application/problem+json") as url:
        result = run("updates", "list", "--key", "k", "--url", url)
    assert result.exit_code == 1
    assert "\x1b" not in result.stderr and "\x9b" not in result.stderr


def test_a_store_that_is_away_may_have_taken_what_was_sent(file: Callable[[object], str]) -> None:
    problem = json.dumps({"title": "Not now", "status": 503, "detail": "The store is away."}).encode()
    with answering(503, problem, "application/problem+json", **{"Retry-After": "7"}) as url:
        result = run("updates", "send", file(UPDATE), "--key", "k", "--url", url, "--idempotency-key", "k-17")
    assert result.exit_code == 1
    assert "send it again with --idempotency-key k-17, which is safe" in result.stderr


def test_an_empty_idempotency_key_is_no_new_one(file: Callable[[object], str]) -> None:
    result = run("updates", "send", file(UPDATE), "--key", "k", "--url", "http://127.0.0.1:9", "--idempotency-key", "")
    assert (result.exit_code, "--idempotency-key is empty" in result.stderr) == (2, True)


def test_an_answer_lost_after_sending_says_how_to_repeat_it_safely(file: Callable[[object], str]) -> None:
    with answering(0, b"") as url:
        result = run("updates", "send", file(UPDATE), "--key", "k", "--url", url, "--idempotency-key", "k-17")
    assert result.exit_code == 1
    assert "send it again with --idempotency-key k-17, which is safe" in result.stderr


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    assert run("updates", "send", "nowhere.json", "--key", "k").exit_code == 2
