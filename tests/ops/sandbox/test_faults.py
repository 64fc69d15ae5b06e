"""Whatever goes wrong on request goes wrong as it was asked for, once or as often as asked for."""

from __future__ import annotations

import json
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
import pytest

from ops.sandbox import seed
from ops.sandbox.callbacks import Answer
from ops.sandbox.control import Sandbox
from ops.sandbox.event import graph_form
from ops.sandbox.faults import Fault
from tests.ops.sandbox.conftest import LUNCH, Patch, plain, token
from tests.ops.sandbox.test_ews import SUBJECT as MOVED
from tests.ops.sandbox.test_ews import Ews, change, ews, get, key_of, schema, update  # noqa: F401 - fixtures
from tests.until import until

PATH = f"/users/anna@contoso.com/events/{LUNCH}"


def subject(sandbox: Sandbox, event: str = LUNCH) -> Any:
    return sandbox.event(event).properties["subject"]


@pytest.mark.parametrize(
    ("status", "code", "retry_after"),
    [
        (429, "ApplicationThrottled", "10"),
        (429, "ApplicationThrottled", "0.5"),
        (429, "ApplicationThrottled", "Wed, 21 Oct 2099 07:28:00 GMT"),
        (429, "ApplicationThrottled", None),
        (503, "UnknownError", "2"),
        (504, "UnknownError", None),
        (500, "ErrorInternalServerError", None),
        (401, "InvalidAuthenticationToken", None),
    ],
)
def test_graph_fails_once_and_applies_nothing(
    sandbox: Sandbox, patch: Patch, status: int, code: str, retry_after: str | None
) -> None:
    sandbox.fail(Fault(status=status, headers={"Retry-After": retry_after} if retry_after else {}, api="graph"))
    failed = patch({"subject": "X"})
    assert (failed.status_code, failed.json()["error"]["code"]) == (status, code)
    assert failed.headers.get("Retry-After") == retry_after
    assert subject(sandbox) == "Let's go for lunch"
    assert patch({"subject": "X"}).status_code == 200


@pytest.mark.parametrize(("effect", "applied"), [("never", False), ("now", True)])
def test_a_connection_is_dropped_before_or_after_applying(
    sandbox: Sandbox, patch: Patch, effect: Any, applied: bool
) -> None:
    sandbox.fail(Fault(effect=effect, reply="drop", api="graph", method="write"))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        patch({"subject": "X"})
    assert (subject(sandbox) == "X") is applied
    assert sandbox.calls()[-1].status == 0


def test_a_drop_spares_the_other_connections(sandbox: Sandbox, graph: httpx.Client) -> None:
    for _ in range(5):
        sandbox.fail(Fault(reply="drop", api="graph"))
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            graph.get(PATH)
        assert graph.get(PATH).status_code == 200


def test_a_call_is_applied_after_its_connection_was_dropped(sandbox: Sandbox, patch: Patch) -> None:
    sandbox.fail(Fault(effect="later", later=0.3, reply="drop", api="graph"))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        patch({"subject": "X"})
    assert subject(sandbox) == "Let's go for lunch"
    for _ in range(1000):
        if subject(sandbox) == "X":
            return
    pytest.fail("it was never applied")


def test_a_call_that_is_held_goes_on_as_soon_as_the_faults_are_cleared(sandbox: Sandbox, patch: Patch) -> None:
    sandbox.fail(Fault(effect="now", reply="own", api="graph", method="write", hold=60))
    with ThreadPoolExecutor() as pool:
        sent = pool.submit(patch, {"subject": "X"})
        assert until(lambda: sandbox.faults() == [], 20)
        assert subject(sandbox) == "Let's go for lunch"
        sandbox.clear_faults()
        assert sent.result(20).status_code == 200
    assert subject(sandbox) == "X"


def test_a_server_error_may_come_after_applying(sandbox: Sandbox, patch: Patch) -> None:
    sandbox.fail(Fault(effect="now", status=500, api="graph"))
    assert patch({"subject": "X"}).status_code == 500
    assert subject(sandbox) == "X"


def test_success_may_be_a_lie(sandbox: Sandbox, patch: Patch) -> None:
    sandbox.fail(Fault(effect="pretend", reply="own", api="graph"))
    assert patch({"subject": "X"}).status_code == 200
    assert subject(sandbox) == "Let's go for lunch"
    assert sandbox.invitations() == []


@pytest.mark.parametrize("reply", ["html", "garbage", "empty", "truncated"])
def test_an_answer_may_be_nonsense(sandbox: Sandbox, patch: Patch, reply: Any) -> None:
    sandbox.fail(Fault(effect="now", reply=reply, status=200, api="graph"))
    with pytest.raises(ValueError):
        patch({"subject": "X"}).json()
    assert subject(sandbox) == "X"


def test_a_redirect_leads_to_a_login_page(sandbox: Sandbox, patch: Patch) -> None:
    sandbox.fail(Fault(reply="redirect"))
    assert "logon" in patch({"subject": "X"}).headers["Location"]


def test_ews_is_busy_in_a_fault(sandbox: Sandbox, ews: Ews) -> None:  # noqa: F811
    sandbox.fail(Fault(reply="fault", code="ErrorServerBusy", back_off=297749, api="ews"))
    answer = ews(get())
    assert (answer.status, answer.fault) == (500, "ErrorServerBusy")
    assert answer.text("t:Value[@Name='BackOffMilliseconds']") == "297749"


@pytest.mark.parametrize("code", ["ErrorServerBusy", "ErrorInternalServerTransientError"])
def test_ews_is_busy_in_a_message(sandbox: Sandbox, ews: Ews, code: str) -> None:  # noqa: F811
    sandbox.fail(Fault(reply="message", code=code, back_off=1000, api="ews", method="write"))
    answer = ews(update(change(MOVED, key=key_of(sandbox))))
    assert (answer.status, answer.codes) == (200, [code])
    assert answer.text("t:Value[@Name='BackOffMilliseconds']") == "1000"
    assert subject(sandbox, seed.TEAM_BUILDING) == "Team building exercise"


def test_a_fault_waits_for_its_own_kind_of_call(sandbox: Sandbox, patch: Patch, graph: httpx.Client) -> None:
    sandbox.fail(Fault(status=503, api="graph", method="write", mailbox="Anna@contoso.com", skip=1, times=2))
    assert graph.get(PATH).status_code == 200
    assert [patch({"subject": "X"}).status_code for _ in range(4)] == [200, 503, 503, 200]


def test_a_fault_lasts_until_it_is_cleared(sandbox: Sandbox, graph: httpx.Client) -> None:
    sandbox.fail(Fault(status=503, times=None))
    assert [graph.get(PATH).status_code for _ in range(3)] == [503, 503, 503]
    sandbox.clear_faults()
    assert graph.get(PATH).status_code == 200


def test_exchange_may_move_the_version_by_itself(sandbox: Sandbox, patch: Patch) -> None:
    sandbox.behave(touch_after=0.0)
    written = patch({"subject": "X"}).json()["@odata.etag"]
    for _ in range(1000):
        if sandbox.event(LUNCH).etag != written:
            break
    entry = sandbox.journal(LUNCH)[-1]
    assert (entry.author, entry.action, entry.changed) == ("exchange", "touch", {})


def test_callbacks_are_caught_byte_for_byte(sandbox: Sandbox) -> None:
    sandbox.answer_callbacks(Answer(status=410, times=1))
    client = plain(sandbox)
    answers = [client.post(f"{sandbox.url}/callbacks/hr/a?b=c", content=b"\xff{}", headers={"X-A": "1"}) for _ in "12"]
    assert [answer.status_code for answer in answers] == [410, 204]
    first, second = sandbox.callbacks()
    assert (first.path, first.query, first.body, first.headers["x-a"]) == ("hr/a", "b=c", b"\xff{}", "1")
    assert (first.status, second.status) == (410, 204)


def test_what_a_client_could_not_send_to_its_end_was_not_asked(sandbox: Sandbox) -> None:
    url, trust = httpx.URL(sandbox.url), ssl.create_default_context(cafile=str(sandbox.ca_file))
    head = b"POST /callbacks/hr HTTP/1.1\r\nHost: sandbox\r\nContent-Length: 100\r\n\r\n"
    with (
        socket.create_connection((url.host, url.port)) as connection,
        trust.wrap_socket(connection, server_hostname=url.host) as client,
    ):
        client.sendall(head + b'{"half": ')
        with suppress(OSError):  # the sandbox resets the connection, once it has looked
            client.unwrap()
    plain(sandbox).post(f"{sandbox.url}/callbacks/hr", content=b"{}")
    assert [post.body for post in sandbox.callbacks()] == [b"{}"]


def test_callbacks_may_be_cut_off(sandbox: Sandbox) -> None:
    sandbox.answer_callbacks(Answer(status=0))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        plain(sandbox).post(f"{sandbox.url}/callbacks/x", content=b"{}")
    assert [post.body for post in sandbox.callbacks()] == [b"{}"]


def test_the_journal_says_who_changed_what(sandbox: Sandbox, patch: Patch) -> None:
    before = sandbox.event(LUNCH)
    patch({"subject": "X", "importance": "normal"})
    sandbox.edit(LUNCH, {"importance": "high"})
    ours, theirs = sandbox.journal(LUNCH, since=5)
    assert (ours.author, ours.written, ours.version_before) == ("graph", ("importance", "subject"), before.change_key)
    assert ours.changed == {"subject": {"before": "Let's go for lunch", "after": "X"}}
    assert (theirs.author, theirs.version_before) == ("human", ours.version_after)
    assert ours.call in {call.request_id for call in sandbox.calls()}


def test_the_journal_is_in_a_file_too(sandbox: Sandbox, patch: Patch) -> None:
    patch({"subject": "X"})
    lines = (sandbox.ca_file.parent / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1])
    assert last["entry"]["changed"]["subject"]["after"] == "X"
    assert len(last["invitations"]) == 2


@pytest.mark.parametrize("body", [{"colour": "red"}, {"start": "tomorrow"}])
def test_an_operator_cannot_make_nonsense(sandbox: Sandbox, body: Any) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        sandbox.edit(LUNCH, body)


def test_a_new_mailbox_has_calendars_and_events(sandbox: Sandbox, graph: httpx.Client) -> None:
    calendar = sandbox.create_mailbox("room-1@contoso.com")["calendars"][1]["id"]
    event = sandbox.create_event("room-1@contoso.com", {"subject": "Booked"}, calendar=calendar)
    shown = graph.get(f"/users/room-1@contoso.com/calendars/{graph_form(calendar)}/events/{event.graph_id}")
    assert shown.json()["subject"] == "Booked"


def test_a_refresh_token_can_be_made_for_anybody(sandbox: Sandbox) -> None:
    sandbox.create_mailbox("carl@contoso.com")
    sandbox.create_event("carl@contoso.com", {"subject": "Carl's"})
    sandbox.register_refresh_token("1.carl", "carl@contoso.com")
    access = token(sandbox, grant_type="refresh_token", refresh_token="1.carl")
    mine = plain(sandbox, headers={"Authorization": f"Bearer {access}"}).get(f"{sandbox.graph_url}/me/events").json()
    assert [event["subject"] for event in mine["value"]] == ["Carl's"]
