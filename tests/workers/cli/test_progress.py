"""``rendezvous updates send --wait``: an update that was accepted is followed to its end, whatever comes between."""

from __future__ import annotations

import json
from threading import Thread

import pytest
from click.testing import Result

from tests.workers.cli.answers import Answer, answering, server_of
from tests.workers.cli.conftest import UPDATE, run


def update(state: str) -> bytes:
    return json.dumps({"id": "upd_1", "state": state, "attempts": []}).encode()


def problem(status: int, title: str, **headers: str) -> Answer:
    content = json.dumps({"title": title, "status": status, "detail": "So it is."}).encode()
    return status, {"Content-Type": "application/problem+json", **headers}, content


HANGS_UP: Answer = (0, {}, b"")
ACCEPTED: Answer = (202, {}, update("queued"))
SUCCEEDED: Answer = (200, {}, update("succeeded"))


def sent(url: str, *arguments: str) -> Result:
    return run("updates", "send", "-", "--wait", *arguments, "--key", "k", "--url", url, text=json.dumps(UPDATE))


@pytest.mark.parametrize(
    ("passing", "said"),
    [
        (HANGS_UP, "did not answer"),
        (problem(503, "Not now", **{"Retry-After": "0"}), "Not now: So it is."),
        (problem(429, "Too many", **{"Retry-After": "0.01"}), "Too many: So it is."),
        ((502, {"Content-Type": "text/html"}, b"<html>nginx</html>"), "answered 502"),
    ],
)
def test_what_passes_while_an_update_is_followed_is_waited_out_and_told(passing: Answer, said: str) -> None:
    with answering(ACCEPTED, passing, passing, SUCCEEDED) as url:
        result = sent(url, "--timeout", "60")
    assert result.exit_code == 0, result.output
    told = [line for line in result.stderr.splitlines() if said in line]
    assert len(told) == 1 and told[0].startswith("upd_1: "), result.stderr
    assert "accepted" not in result.stderr


def test_what_does_not_pass_in_time_says_that_the_update_was_accepted() -> None:
    with answering(ACCEPTED, problem(429, "Too many", **{"Retry-After": "3600"})) as url:
        result = sent(url, "--timeout", "60", "--json")
    assert result.exit_code == 1
    assert "upd_1 was accepted and goes on; following it failed: 429 Too many" in result.stderr
    assert "Nothing was accepted" not in result.stderr
    assert json.loads(result.stdout)["status"] == 429


@pytest.mark.parametrize("final", [problem(404, "There is no such update"), (200, {}, b"<html>")])
def test_what_will_not_pass_ends_the_waiting_and_says_that_the_update_was_accepted(final: Answer) -> None:
    with answering(ACCEPTED, final) as url:
        result = sent(url)
    assert (result.exit_code, "upd_1 was accepted and goes on" in result.stderr) == (1, True), result.output


def test_too_many_updates_are_told_and_that_nothing_was_accepted() -> None:
    with answering(problem(429, "Too many", **{"Retry-After": "7"})) as url:
        result = sent(url)
        listed = run("updates", "list", "--key", "k", "--url", url)
    assert result.exit_code == listed.exit_code == 1
    assert "429 Too many: So it is.\nNothing was accepted: try again in 7 s." in result.stderr
    assert "429 Too many: So it is. Try again in 7 s." in listed.stderr


def test_a_gateway_that_lost_the_answer_does_not_say_whether_the_update_was_accepted() -> None:
    with answering((504, {"Content-Type": "text/html"}, b"<html>nginx</html>")) as url:
        result = sent(url, "--idempotency-key", "k-17")
    assert (result.exit_code, "send it again with --idempotency-key k-17" in result.stderr) == (1, True)


def test_a_server_error_names_the_request_to_look_for() -> None:
    body = json.dumps({"title": "Our fault", "status": 500, "requestId": "req_4711"}).encode()
    with answering((500, {"Content-Type": "application/problem+json"}, body)) as url:
        result = run("updates", "list", "--key", "k", "--url", url)
    assert (result.exit_code, "500 Our fault\nLook for the request id req_4711" in result.stderr) == (1, True)


def test_a_program_gets_the_update_as_it_ended_and_nothing_else() -> None:
    with answering(ACCEPTED, HANGS_UP, SUCCEEDED) as url:
        result = sent(url, "--json")
    assert (result.exit_code, json.loads(result.stdout)["state"], result.stderr) == (0, "succeeded", "")


def test_a_web_process_that_is_away_is_waited_for() -> None:
    server = server_of(ACCEPTED)

    def answer_once() -> None:
        with server:
            server.handle_request()

    web = Thread(target=answer_once)
    web.start()
    result = sent(f"http://127.0.0.1:{server.server_port}", "--timeout", "1")
    web.join()
    assert result.exit_code == 1
    assert "upd_1 was accepted and goes on; following it failed: Nobody answers at" in result.stderr
    assert "\nupd_1: Nobody answers at" in result.stderr
