"""Who was mailed, as far as an update tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.webhooks.conftest import Caller
from tests.webhooks.console.conftest import Browser
from tests.webhooks.given import SMALLEST, person
from tests.workers.given import an_attempt, an_update, claimed
from webhooks.console.mailed import Addressee, mailing
from workers.job import Result, State, UpdateJob, failure
from workers.outcome import Succeeded
from workers.store import Store

ATTENDEES = {
    "before": [person("Kept@contoso.com"), person("out@contoso.com")],
    "after": [person("kept@contoso.com"), person("new@contoso.com")],
}
NEW, OUT, KEPT = (
    Addressee("new@contoso.com", "added: an invitation"),
    Addressee("out@contoso.com", "taken out: a cancellation"),
    Addressee("kept@contoso.com", "invited before: an update"),
)


def done(mode: str | None, **more: Any) -> UpdateJob:
    return UpdateJob(an_update(), State.SUCCEEDED, result=Result("v", False, invitations=mode, **more).to_json())


@pytest.mark.parametrize("mode", ["sendOnlyToAll", "sendToAllAndSaveCopy"])
def test_when_all_are_mailed_each_is_named_with_what_he_got(mode: str) -> None:
    found = mailing(done(mode, changed={"attendees": ATTENDEES}, mails=3))
    assert found.people == (NEW, OUT, KEPT)
    assert found.said.startswith("All attendees")
    assert found.said.endswith(": 3 mails at most")


@pytest.mark.parametrize("mode", ["sendOnlyToChanged", "sendToChangedAndSaveCopy"])
def test_when_the_changed_are_mailed_who_stayed_is_among_them_only_if_more_has_changed(mode: str) -> None:
    assert mailing(done(mode, changed={"attendees": ATTENDEES}, mails=2)).people == (NEW, OUT)
    found = mailing(done(mode, changed={"attendees": ATTENDEES, "subject": {"before": "a", "after": "b"}}, mails=3))
    assert found.people == (NEW, OUT, KEPT)
    assert found.said.startswith("The attendees whom the change affects")


def test_where_the_attendees_did_not_change_only_their_number_is_known() -> None:
    found = mailing(done("sendToAllAndSaveCopy", changed={"subject": {"before": "a", "after": "b"}}, mails=1))
    assert (found.said, found.people) == ("All attendees, with a copy in Sent Items: 1 mail at most", ())


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (
            done(None, changed={}),
            "Perhaps the attendees: it is not known any more how the change was applied",
        ),
        (done("sendToNone", changed={"attendees": ATTENDEES}), "Nobody"),
        (
            UpdateJob(an_update(), State.SUCCEEDED, result=Result("v", True).to_json()),
            "Nobody: nothing had to be written",
        ),
        (UpdateJob(an_update(), State.RETRYING), "Nobody yet"),
        (UpdateJob(an_update(), State.CANCELLED), "Nobody"),
        (UpdateJob(an_update(), State.DEAD, error=failure("refused", "x", "x").to_json()), "Nobody"),
        (
            UpdateJob(an_update(), State.DEAD, error=failure("unknownOutcome", "x", "x").to_json()),
            "Perhaps the attendees: it is not known whether the change was applied",
        ),
    ],
)
def test_where_nobody_was_mailed_or_nobody_knows_it_says_so(job: UpdateJob, said: str) -> None:
    assert (mailing(job).said, mailing(job).people) == (said, ())
    assert mailing(replace(job, update=an_update(send_invitations="sendToNone"))).said == said


def test_the_page_of_an_update_names_them(hr: Caller, store: Store, operator: Browser) -> None:
    update_id = hr.ask(SMALLEST).get_json()["id"]
    result = Result("v", False, {"attendees": ATTENDEES}, "sendToAllAndSaveCopy", mails=3)
    store.settle(claimed(store, update_id), an_attempt(), Succeeded(result))
    text = operator.text(f"/updates/{update_id}")
    assert "Who was mailed" in text
    for one in (NEW, OUT, KEPT):
        assert f"{one.address} {one.why}" in text


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (Result("v", False, verified=True), "Version v; the event was read back and is as asked."),
        (Result("v", False, verified=False), "Version v; the event was not seen to be as asked."),
        (Result("v", True), "Version v."),
    ],
)
def test_the_page_of_an_update_says_whether_the_event_was_seen_as_asked(
    hr: Caller, store: Store, operator: Browser, result: Result, said: str
) -> None:
    update_id = hr.ask(SMALLEST).get_json()["id"]
    store.settle(claimed(store, update_id), an_attempt(), Succeeded(result))
    assert said in operator.text(f"/updates/{update_id}")
