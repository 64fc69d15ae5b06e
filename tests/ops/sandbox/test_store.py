"""The pure parts: ids, versions, zones, names, recurrences, mail, rules; and the process itself."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from ops.sandbox import seed
from ops.sandbox.certificates import ensure
from ops.sandbox.event import DEFAULTS, ews_form, graph_form, is_change_key, is_item_id
from ops.sandbox.ews import recurrence
from ops.sandbox.extended import BadName, of_ews, of_graph
from ops.sandbox.journal import Journal
from ops.sandbox.mailbox import new_mailbox
from ops.sandbox.mailing import Letter, graph_mode, letters
from ops.sandbox.process import free_port
from ops.sandbox.store import Change, Missing, Store
from ops.sandbox.zones import UnknownZone, instant, wall_clock, windows_name


def store() -> Store:
    made = Store(Journal())
    made.add_mailbox(seed.ANNA)
    return made


def test_the_sandbox_imports_nothing_of_rendezvous() -> None:
    script = (
        "import sys, ops.sandbox.server; print([n for n in sys.modules if n.split('.')[0] in ('workers', 'webhooks')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_ids_look_like_exchanges_own_and_do_not_change() -> None:
    assert is_item_id(seed.TENNIS_LESSON)
    assert seed.TENNIS_LESSON.startswith("AAMkA")
    assert ews_form(graph_form(seed.TENNIS_LESSON)) == seed.TENNIS_LESSON
    assert new_mailbox("Anna@contoso.com", "cloud").default.id == seed.ANNA.default.id


def test_both_apis_versions_are_forms_of_one_key() -> None:
    event = store().create(seed.ANNA, Change(), "human")
    assert event.ews_change_key.startswith("DwAAABYAAA")
    assert b64decode(event.ews_change_key)[8:] == b64decode(event.change_key)
    assert is_change_key(event.ews_change_key)
    assert not is_change_key(event.change_key)


def test_a_plan_that_refuses_leaves_everything_as_it_was() -> None:
    held = store()
    event = held.create(seed.ANNA, Change(), "human")

    def refuse(current: Any) -> Change:
        raise Missing("no")

    with pytest.raises(Missing):
        held.write(event.id, refuse, "graph")
    assert held.event(event.id) == event
    assert len(held.journal.entries) == 1


def test_an_attendees_copy_mails_nobody() -> None:
    held = store()
    event = held.create(seed.ANNA, Change({"attendees": [seed.attendee("a@x.example")]}), "human", is_organizer=False)
    held.write(event.id, lambda _: Change({"subject": "Mine"}, mode="SendToAllAndSaveCopy"), "graph")
    assert held.journal.invitations == []


def test_mail_goes_to_those_added_kept_and_left_out() -> None:
    before = [seed.attendee("a@x.example"), seed.attendee("b@x.example")]
    after = [seed.attendee("B@x.example"), seed.attendee("c@x.example")]
    assert letters(before, after, "SendToAllAndSaveCopy") == (
        Letter("c@x.example", "request"),
        Letter("B@x.example", "update"),
        Letter("a@x.example", "cancellation"),
    )


@pytest.mark.parametrize(
    ("written", "mode"),
    [((), "SendToNone"), (("attendees",), "SendToChangedAndSaveCopy"), (("attendees", "body"), "SendToAllAndSaveCopy")],
)
def test_graph_chooses_its_own_mode(written: tuple[str, ...], mode: str) -> None:
    assert graph_mode(written) == mode


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Pacific Standard Time", "Pacific Standard Time"),
        ("pacific standard time", "Pacific Standard Time"),
        ("Europe/Berlin", "W. Europe Standard Time"),
        ("UTC", "UTC"),
    ],
)
def test_zones_are_kept_by_their_windows_names(given: str, name: str) -> None:
    assert windows_name(given) == name


@pytest.mark.parametrize("name", ["", "Mars", "Africa/Casablanca"])
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(UnknownZone):
        windows_name(name)


def test_a_wall_clock_that_occurs_twice_means_the_first() -> None:
    moment = instant("2026-11-01T01:30:00", "Pacific Standard Time")
    assert moment.isoformat() == "2026-11-01T08:30:00+00:00"
    assert wall_clock(moment, "Pacific Standard Time") == "2026-11-01T01:30:00"


@pytest.mark.parametrize(
    ("graph", "ews"),
    [
        (
            "string {8F9C2D5E-6C1B-4F0A-9D3B-5A7E1C0B4D26} name x",
            {"PropertySetId": "8f9c2d5e-6c1b-4f0a-9d3b-5a7e1c0b4d26", "PropertyName": "x", "PropertyType": "String"},
        ),
        (
            "Integer {00062002-0000-0000-C000-000000000046} Id 0x8205",
            {"DistinguishedPropertySetId": "Appointment", "PropertyId": "33285", "PropertyType": "Integer"},
        ),
        ("String 0x1035", {"PropertyTag": "0x1035", "PropertyType": "String"}),
    ],
)
def test_both_apis_name_the_same_extended_property(graph: str, ews: dict[str, str]) -> None:
    assert of_graph(graph) == of_ews(ews)


@pytest.mark.parametrize("name", ["", "String x", "Strange 0x1035", "String {1} Name x"])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        of_graph(name)


@pytest.mark.parametrize("span", [
    {"type": "noEnd", "startDate": "2026-12-01"},
    {"type": "endDate", "startDate": "2026-12-01", "endDate": "2027-01-01"},
    {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 3},
])  # fmt: skip
@pytest.mark.parametrize("pattern", [
    {"type": "daily", "interval": 2},
    {"type": "weekly", "interval": 1, "daysOfWeek": ["monday", "friday"], "firstDayOfWeek": "monday"},
    {"type": "absoluteMonthly", "interval": 3, "dayOfMonth": 31},
    {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["tuesday"], "index": "last"},
    {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2},
    {"type": "relativeYearly", "interval": 1, "daysOfWeek": ["saturday", "sunday"], "index": "first", "month": 6},
])  # fmt: skip
def test_a_recurrence_survives_the_way_through_ews(pattern: Any, span: Any) -> None:
    element = recurrence.show({"pattern": pattern, "range": span})
    assert element is not None
    assert recurrence.read(element) == {"pattern": pattern, "range": span}


def test_every_stored_property_has_a_default() -> None:
    event = store().create(seed.ANNA, Change(), "human")
    assert dict(event.properties) == dict(DEFAULTS)


def test_certificates_are_made_once(tmp_path: Path) -> None:
    ensure(tmp_path)
    before = (tmp_path / "ca.pem").read_bytes()
    ensure(tmp_path)
    assert (tmp_path / "ca.pem").read_bytes() == before
    assert (tmp_path / "server.key").stat().st_mode & 0o77 == 0
    ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to(tmp_path: Path, signum: signal.Signals) -> None:
    command = [sys.executable, "-m", "ops.sandbox", "--port", str(free_port()), "--directory", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "ready on https://127.0.0.1:" in process.stdout.readline()
        os.kill(process.pid, signum)
        assert process.wait(10) == 0
