"""What is promised holds although processes die: judged by Exchange's own journal."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.sandbox.faults import Fault
from ops.sandbox.seed import attendee
from tests.e2e.system import HELD, System, until

EVENTS, EACH = 20, 10


def test_kill_9_of_every_process_under_200_updates_loses_doubles_and_reorders_nothing(system: System) -> None:
    events = [
        system.sandbox.create_event(
            "anna@contoso.com" if number % 2 else "otto@hq.example",
            {"subject": "Before", "attendees": [attendee("ben@contoso.com")]},
        )
        for number in range(EVENTS)
    ]
    system.sandbox.fail(Fault(effect="now", reply="own", method="write", times=None, hold=0.02))

    def ask(event: Any) -> list[str]:
        cloud = event.mailbox == "anna@contoso.com"
        target = {"mailbox": event.mailbox, "event": event.graph_id if cloud else event.id}
        url = f"{system.sandbox.url}/callbacks/kills"
        return [
            system.ask({"target": target, "set": {"subject": f"Step {step}"}, "callbackUrl": url})["id"]
            for step in range(EACH)
        ]

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, event) for event in events]
        for name in ("worker", "web", "callbacks", "beat", "worker"):
            time.sleep(0.7)
            system.kill(name)
        ids = [update_id for future in asked for update_id in future.result()]

    states = [system.ended(update_id)["state"] for update_id in ids]
    assert states == ["succeeded"] * EVENTS * EACH
    subjects: dict[str, list[str]] = defaultdict(list)
    for entry in system.sandbox.journal():
        if entry.author in ("graph", "ews"):
            subjects[entry.event].append(entry.changed["subject"]["after"])
    assert list(subjects.values()) == [[f"Step {step}" for step in range(EACH)]] * EVENTS
    assert len(system.sandbox.invitations()) == EVENTS * EACH
    for update_id in ids[-5:]:
        assert system.callback_of(update_id).status < 300


def test_a_broker_that_forgets_everything_delays_and_loses_nothing(system: System) -> None:
    system.end("worker")
    targets = [
        {"mailbox": "anna@contoso.com", "event": system.sandbox.create_event("anna@contoso.com", {}).graph_id}
        for _ in range(10)
    ]
    ids = [system.ask({"target": target, "set": {"subject": "After"}})["id"] for target in targets]
    until(lambda: system.broker.llen("updates") >= len(ids) or None, "every bell is rung", system.logs)
    system.broker.flushdb()
    system.start("worker")
    assert [system.ended(update_id)["state"] for update_id in ids] == ["succeeded"] * 10


def test_a_worker_that_is_asked_to_end_hands_back_what_it_cannot_finish(system: System) -> None:
    event = system.sandbox.create_event("anna@contoso.com", {"subject": "Before"})
    target = {"mailbox": "anna@contoso.com", "event": event.graph_id}
    system.sandbox.fail(Fault(effect="now", reply="own", api="graph", method="read", hold=HELD))
    update_id = system.ask({"target": target, "set": {"subject": "After"}})["id"]
    system.once(update_id, lambda update: update["state"] == "running")
    assert system.end("worker") == 0
    system.start("worker")
    ended = system.ended(update_id)
    assert ended["state"] == "succeeded"
    assert ended["attempts"][0]["outcome"] == "lost"


@pytest.mark.parametrize("name", ["web", "worker", "callbacks", "beat", "flower"])
def test_a_bad_configuration_is_one_line_and_exit_code_2(system: System, tmp_path: Path, name: str) -> None:
    spoilt = tmp_path / "spoilt.toml"
    spoilt.write_text('[[backend]]\nname = "cloud"\nkind = "graph"\nmailbox = "typo"\n')
    environ = {**system.environ, "RENDEZVOUS_CONFIG": str(spoilt), "PORT": "1"}
    beside = replace(system, environ=environ, folder=tmp_path, processes={})  # a log that nobody else writes
    beside.start(name)
    try:
        assert beside.processes[name].popen.wait(30) == 2
        lines = [line for line in (tmp_path / f"{name}.log").read_text().splitlines() if line]
        assert len(lines) == 1 and "backend.0." in lines[0], lines
    finally:
        beside.processes[name].sweep_up()
