"""Flower shows one row for each update and callback, true and without secrets, and changes nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.run import readiness
from ops.sandbox import seed
from ops.sandbox.event import graph_form
from ops.sandbox.faults import Fault
from ops.sandbox.process import free_port
from tests.e2e.system import CREDENTIALS, System, until
from workers.clock import now
from workers.update import rfc3339

SIGN_IN = ("watcher", "s3cret-of-flower")
LUNCH = {"mailbox": "anna@contoso.com", "event": graph_form(seed.LETS_GO_FOR_LUNCH)}
CANARY = "canary-of-a-subject"
LIST: dict[str, str | int] = {
    "draw": 1, "start": 0, "length": 100, "search[value]": "",
    "order[0][column]": 0, "columns[0][data]": "name", "order[0][dir]": "asc",
}  # fmt: skip
"""What the page of tasks asks for."""


@pytest.fixture(scope="session")
def flower(running_system: System) -> Iterator[httpx.Client]:
    """The Procfile's flower, which asks for a name and a password."""
    port, environ = free_port(), running_system.environ
    running_system.environ = {**environ, "FLOWER_PORT": str(port), "FLOWER_BASIC_AUTH": ":".join(SIGN_IN)}
    try:
        running_system.start("flower")
    finally:
        running_system.environ = environ
    url = f"http://127.0.0.1:{port}"
    until(lambda: readiness.http_answers(f"{url}/healthcheck") or None, "Flower answers", running_system.logs)
    try:
        with httpx.Client(base_url=url, auth=SIGN_IN, trust_env=False, timeout=10) as client:
            yield client
    finally:
        running_system.processes.pop("flower").sweep_up()


def row(flower: httpx.Client, job_id: str, state: str) -> dict[str, Any]:
    """The row of a job, as the page of tasks gets it, once it is in this state."""

    def there() -> dict[str, Any] | None:
        rows = flower.get("/tasks/datatable", params=LIST).json()["data"]
        return next((dict(one) for one in rows if (one["uuid"], one["state"]) == (job_id, state)), None)

    return dict(until(there, f"{job_id} is shown as {state}"))


def test_a_success_is_one_row_with_a_label_and_what_changed(system: System, flower: httpx.Client) -> None:
    update_id = system.ask({"target": LUNCH, "set": {"subject": CANARY, "importance": "high"}})["id"]
    system.ended(update_id)
    shown = row(flower, update_id, "SUCCESS")
    assert shown["name"] == "apply_update"
    assert shown["args"] == "anna@contoso.com, importance+subject"
    assert shown["result"] == "changed importance+subject"


def test_an_update_that_found_nothing_to_change_says_so(system: System, flower: httpx.Client) -> None:
    for _ in range(2):
        update_id = system.ask({"target": LUNCH, "set": {"subject": "The same"}})["id"]
        system.ended(update_id)
    assert row(flower, update_id, "SUCCESS")["result"] == "noop"


def test_a_retry_says_why_and_when(system: System, flower: httpx.Client) -> None:
    throttled = Fault(status=429, code="ApplicationThrottled", headers={"Retry-After": "4"}, api="graph", times=1)
    system.sandbox.fail(throttled)
    update_id = system.ask({"target": LUNCH, "set": {"subject": "Slowly"}})["id"]
    shown = row(flower, update_id, "RETRY")
    assert re.match(r"throttled: .*; again at \d{4}-\d\d-\d\dT", shown["result"]), shown
    system.ended(update_id)
    assert row(flower, update_id, "SUCCESS")["result"] == "changed subject"


def test_what_waits_is_not_shown_as_running_and_what_ends_meanwhile_is_shown_as_it_ended(
    system: System, flower: httpx.Client
) -> None:
    mailbox = "paused@contoso.com"
    system.sandbox.create_mailbox(mailbox)
    one, other = ({"mailbox": mailbox, "event": system.sandbox.create_event(mailbox, {}).graph_id} for _ in range(2))
    system.sandbox.fail(Fault(status=429, headers={"Retry-After": "60"}, mailbox=mailbox))
    first = system.ask({"target": one, "set": {"subject": "Slowly"}})["id"]
    row(flower, first, "RETRY")
    soon = rfc3339(now() + timedelta(seconds=5))
    late = system.ask({"target": other, "set": {"subject": "Late"}, "deadline": soon})["id"]
    assert row(flower, late, "RETRY")["result"] == "waits for its turn"
    assert row(flower, late, "FAILURE")["result"].startswith("expired: ")
    replayed = system.api.post(f"/v1/dead-letters/{late}/replay")
    assert replayed.status_code == 202, replayed.text
    for waiting in (first, late):
        assert system.api.post(f"/v1/updates/{waiting}/cancel").status_code == 200
        row(flower, waiting, "REVOKED")


def test_a_dead_letter_is_a_failure_with_class_and_code(system: System, flower: httpx.Client) -> None:
    event = system.sandbox.create_event("anna@contoso.com", {"subject": "Soon gone"})
    system.sandbox.delete(event.id)
    target = {"mailbox": "anna@contoso.com", "event": event.graph_id}
    update_id = system.ask({"target": target, "set": {"subject": CANARY}})["id"]
    system.ended(update_id)
    shown = row(flower, update_id, "FAILURE")
    assert shown["result"].startswith("notFound: ErrorItemNotFound: "), shown
    assert shown["traceback"] is None


def test_a_callback_is_a_row_of_its_own(system: System, flower: httpx.Client) -> None:
    url = f"{system.sandbox.url}/callbacks/flower?token={CANARY}"
    update_id = system.ask({"target": LUNCH, "set": {"subject": "Told"}, "callbackUrl": url})["id"]
    system.ended(update_id)
    system.callback_of(update_id)
    callback_id = system.redis.hget(f"rdv:job:{update_id}", "callback")
    shown = row(flower, str(callback_id), "SUCCESS")
    assert shown["name"] == "deliver_callback"
    assert shown["args"].endswith(f", calendar.update.succeeded, {update_id}")


def test_nothing_secret_is_shown(system: System, flower: httpx.Client) -> None:
    url = f"{system.sandbox.url}/callbacks/flower?token={CANARY}"
    update_id = system.ask({"target": LUNCH, "set": {"subject": CANARY}, "callbackUrl": url})["id"]
    system.ended(update_id)
    row(flower, update_id, "SUCCESS")
    told = "".join(flower.get(path).text for path in ("/api/tasks", f"/task/{update_id}", "/broker", "/workers"))
    assert update_id in told
    for secret in (CANARY, CREDENTIALS.api_key, CREDENTIALS.webhook_secret, SIGN_IN[1], seed.CLIENT_SECRET):
        assert secret not in told


def test_every_queues_length_is_shown_even_before_a_worker_was_heard_of(flower: httpx.Client) -> None:
    names = [one["name"] for one in flower.get("/api/queues/length").json()["active_queues"]]
    assert names == ["callbacks", "notifications", "updates"]


def test_nothing_can_be_changed_through_it(system: System, flower: httpx.Client) -> None:
    worker = next(iter(flower.get("/api/workers", params={"refresh": 1}).json()))
    for path in (
        f"/api/worker/shutdown/{worker}",
        "/api/task/revoke/upd_x",
        "/api/task/async-apply/apply_update",
        "/api/task/send-task/apply_update",
    ):
        assert flower.post(path, json={"args": ["upd_x"]}).status_code == 403, path
    assert system.processes["worker"].popen.poll() is None


@pytest.mark.parametrize("sign_in", [None, ("watcher", "wrong"), ("", "")])
@pytest.mark.parametrize("path", ["/", "/tasks", "/broker", "/api/tasks", "/metrics"])
def test_without_the_password_nothing_is_shown(
    flower: httpx.Client, path: str, sign_in: tuple[str, str] | None
) -> None:
    with httpx.Client(base_url=flower.base_url, auth=sign_in, trust_env=False) as stranger:
        answer = stranger.get(path)
    if path != "/metrics":
        assert answer.status_code == 401
    assert "upd_" not in answer.text


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_its_page_shows_in_a_browser(flower: httpx.Client, tmp_path: Path) -> None:
    picture = tmp_path / "flower.png"
    address = str(flower.base_url.copy_with(userinfo=":".join(SIGN_IN).encode())).rstrip("/") + "/tasks"
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
               "--window-size=1400,900", "--virtual-time-budget=5000", f"--screenshot={picture}", address]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=90)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 10_000
