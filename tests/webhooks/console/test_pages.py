"""Every page: nothing from elsewhere, nothing unescaped, usable by keyboard and by a screen reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html import escape
from pathlib import Path

import pytest
from redis import Redis

from tests.configured import configured
from tests.webhooks.conftest import Caller
from tests.webhooks.console.conftest import OPERATOR_KEY, Browser, Page
from tests.webhooks.given import SMALLEST, TARGET
from tests.webhooks.test_dead_letters import a_dead_update
from tests.workers.given import an_attempt, claimed, ids_of
from webhooks import create_app
from webhooks.console.differences import differences
from workers.job import Clash, Result, failure
from workers.outcome import Dead, Retry, Succeeded
from workers.settings import Settings
from workers.store import Store
from workers.update import Json

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{'zq'*3}}"


def hostile(hr: Caller, store: Store) -> list[str]:
    """A succeeded, a dead and a retrying update, all full of markup."""
    ids = []
    for event in ("a", "b", "c"):
        body = {
            "target": {**TARGET, "event": event},
            "set": {"subject": HOSTILE, "body": {"contentType": "html", "content": HOSTILE}},
            "callbackUrl": "https://hooks.example.com/%3Cscript%3E?token=t0p",
            "metadata": {HOSTILE: HOSTILE},
        }
        ids.append(str(hr.ask(body).get_json()["id"]))
    changed: dict[str, dict[str, Json]] = {"subject": {"before": "x", "after": HOSTILE}}
    store.settle(
        claimed(store, ids[0]),
        an_attempt(),
        Succeeded(Result("v", False, changed, "sendToAllAndSaveCopy", notices=(f"It lost its link {HOSTILE}.",))),
    )
    clashes = (Clash("subject", HOSTILE, {"x": HOSTILE}, None),)
    error = replace(failure("conflict", HOSTILE, HOSTILE), conflicts=clashes)
    store.settle(claimed(store, ids[1]), an_attempt(1, "conflict"), Dead(error))
    store.settle(claimed(store, ids[2]), an_attempt(1, HOSTILE), Retry("unavailable", HOSTILE, timedelta(minutes=1)))
    return ids


def pages(ids: list[str]) -> list[str]:
    return ["/", "/updates", "/dead-letters", "/subscriptions", *(f"/updates/{update_id}" for update_id in ids)]


def test_no_markup_of_a_caller_or_a_server_becomes_markup(hr: Caller, store: Store, operator: Browser) -> None:
    ids = hostile(hr, store)
    seen = ""
    for path in pages(ids):
        text = operator.get(path).text
        page = operator.last
        assert "<script>alert" not in text, path
        assert not page.all("img"), path
        assert [one.attributes.get("src") for one in page.all("script")] == ["/console/static/console.js"], path
        assert not [one for one in page.elements for name in one.attributes if name.startswith("on")], path
        seen += text
    assert escape(HOSTILE) in seen or "&lt;script&gt;alert(1)" in seen, "it was shown, escaped"
    assert "zqzqzq" not in seen


def test_a_filter_is_shown_back_escaped(operator: Browser) -> None:
    answer = operator.get('/updates?mailbox="><script>alert(1)</script>')
    assert "<script>alert" not in answer.text
    answer = operator.get("/updates?mailbox=%22%3E%3Cb%3E")
    assert operator.last.all("input", id="mailbox")[0].attributes["value"] == '"><b>'


def test_every_answer_forbids_what_is_not_ours(hr: Caller, store: Store, operator: Browser) -> None:
    for path in [
        *pages(hostile(hr, store)),
        "/static/console.css",
        "/static/console.js",
        "/updates/none",
        "/nowhere/x",
    ]:
        headers = operator.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'; "), path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_pages_obey_their_own_policy_and_load_nothing_from_elsewhere(
    hr: Caller, store: Store, operator: Browser
) -> None:
    for path in pages(hostile(hr, store)):
        operator.get(path)
        for one in operator.last.elements:
            assert "style" not in one.attributes and one.tag != "style", path
            assert one.tag != "script" or not one.text.strip(), path
            if one.tag in ("script", "link", "img", "form", "iframe"):
                address = one.attributes.get("src") or one.attributes.get("href") or one.attributes.get("action") or ""
                assert address.startswith("/console/") or (one.tag == "form" and not address), (path, address)


def test_nothing_of_the_console_is_kept_by_a_browser(operator: Browser) -> None:
    for path in ("/", "/updates", "/sign-in"):
        assert operator.get(path).headers["Cache-Control"] == "no-store"


def test_a_page_is_whole_and_says_what_its_parts_are(hr: Caller, store: Store, operator: Browser) -> None:
    for path in [*pages(hostile(hr, store)), "/sign-in", "/updates/none", "/nowhere/x"]:
        operator.get(path)
        page = operator.last
        assert (page.crossed, page.unclosed) == ([], []), path
        assert [one.attributes["lang"] for one in page.all("html")] == ["en"]
        assert len(page.all("main")) == 1 and len(page.all("h1")) == 1, path
        assert page.all("meta", name="viewport")
        assert page.all("title")[0].text.strip(), path
        ids = [one.attributes["id"] for one in page.elements if "id" in one.attributes]
        assert len(ids) == len(set(ids)), path
        for heading in page.all("th"):
            assert heading.attributes.get("scope") in ("col", "row"), (path, heading.text)
        for region in page.all("section"):
            assert region.attributes["aria-labelledby"] in ids


def test_every_field_has_its_label_and_every_button_its_words(hr: Caller, store: Store, operator: Browser) -> None:
    for path in [*pages(hostile(hr, store)), "/sign-in"]:
        operator.get(path)
        page = operator.last
        labelled = {one.attributes["for"] for one in page.all("label")}
        for one in page.all("input") + page.all("select"):
            if one.attributes.get("type") != "hidden":
                assert one.attributes["id"] in labelled, path
        for button in page.all("button"):
            assert button.text.strip() and button.attributes["type"] == "submit", path


def test_what_one_can_do_a_keyboard_can_do(hr: Caller, store: Store, operator: Browser) -> None:
    for path in pages(hostile(hr, store)):
        operator.get(path)
        page = operator.last
        first = next(one for one in page.elements if one.tag in ("a", "button", "input", "select"))
        assert first.attributes["href"] == "#main", "the first stop skips the navigation"
        assert all(one.attributes.get("href") for one in page.all("a")), path
        assert all(int(one.attributes["tabindex"]) <= 0 for one in page.elements if "tabindex" in one.attributes), path
        for one in page.elements:
            if "wide" in one.attributes.get("class", "").split():
                assert (one.attributes["tabindex"], bool(one.attributes["aria-label"])) == ("0", True), path
    assert ":focus-visible" in (Path(__file__).parents[3] / "webhooks/console/static/console.css").read_text()


def test_every_page_and_the_current_one_is_in_the_navigation(operator: Browser) -> None:
    for path in ("/", "/updates", "/dead-letters", "/subscriptions"):
        operator.get(path)
        current = [one for one in operator.last.all("a") if one.attributes.get("aria-current") == "page"]
        assert [one.attributes["href"] for one in current] == [f"/console{path}"]


def test_the_overview_tells_what_stands_where(hr: Caller, store: Store, operator: Browser) -> None:
    for event in ("a", "b", "c"):
        hr.ask({**SMALLEST, "target": {**TARGET, "event": event}})
    a_dead_update(hr, store)
    list(store.sweep())
    text = operator.text("/")
    assert "queued 3" in text and "dead letters 1" in text
    assert "Accepted 4 at most" in text
    assert "All is well." in text
    assert [one.attributes["aria-label"] for one in operator.last.all("svg")][3].startswith("Dead: 1 in the last hour")


def test_the_overview_tells_who_is_left_alone_and_how_callbacks_fare(
    hr: Caller, store: Store, operator: Browser
) -> None:
    update_id = a_dead_update(hr, store, callbackUrl="https://hooks.example.com/x")
    callback = store.callback_of(update_id)
    assert callback is not None
    end = Retry("unavailable", "HTTP 500", timedelta(), pause=timedelta(minutes=5))
    store.settle(claimed(store, callback), an_attempt(1, "unavailable"), end)
    other = hr.ask({**SMALLEST, "target": {**TARGET, "event": "z"}}).get_json()["id"]
    pause = Retry("throttled", "429", timedelta(), pause=timedelta(minutes=5))
    store.settle(claimed(store, other), an_attempt(1, "throttled"), pause)
    text = operator.text("/")
    assert "hooks.example.com 0 1 0 0 % 0 %" in text
    assert "cloud/anna@contoso.com" in text


def test_a_client_is_told_of_the_pauses_of_its_own_mailboxes_and_callbacks_only(
    store: Store, redis: Redis, hr_person: Browser, rooms_person: Browser, operator: Browser
) -> None:
    lanes = {"cloud/anna@contoso.com": "hr", "cloud/room-1@contoso.com": "hr rooms", "callback/hr@a.example": "hr",
             "callback/rooms@b.example": "rooms", "gone/hr@contoso.com": ""}  # fmt: skip
    redis.zadd("rdv:pauses", dict.fromkeys(lanes, store.time().timestamp() * 1000 + 60_000))
    for someone, name in ((hr_person, "hr"), (rooms_person, "rooms")):
        text = someone.text("/")
        assert {lane for lane in lanes if lane in text} == {lane for lane in lanes if name in lanes[lane].split()}
    assert all(lane in operator.text("/") for lane in lanes)


def test_a_store_that_keeps_nothing_and_a_broker_that_is_away_are_complained_about(
    settings: Settings, store: Store, redis: Redis
) -> None:
    list(store.sweep())
    away = settings.model_copy(update={"broker_url": "redis://127.0.0.1:9/0"})
    operator = Browser(create_app(away).test_client())
    operator.sign_in(OPERATOR_KEY)
    assert "The broker does not answer" in operator.text("/") and "Nothing is accepted" not in operator.text("/")
    with configured(redis, appendonly="no"):
        assert "Nothing is accepted: " in operator.text("/")


def test_a_beat_that_stopped_is_complained_about(operator: Browser) -> None:
    assert "beat has not swept ever" in operator.text("/")
    assert operator.last.all("ul", role="alert")


@pytest.mark.parametrize(
    ("end", "outcome", "said"),
    [
        (Retry("unavailable", "ConnectError", timedelta()), "unavailable", "Exchange does not answer"),
        (Dead(failure("accessDenied", "HTTP 401", "no")), "accessDenied", "Exchange does not let us in"),
    ],
)
def test_an_exchange_of_which_no_update_succeeds_is_complained_about(
    hr: Caller, store: Store, operator: Browser, end: Retry | Dead, outcome: str, said: str
) -> None:
    def attempt(event: str, end: Retry | Dead | Succeeded, outcome: str) -> None:
        update_id = str(hr.ask({**SMALLEST, "target": {**TARGET, "event": event}}).get_json()["id"])
        store.settle(claimed(store, update_id), an_attempt(1, outcome), end)

    list(store.sweep())
    for event in ("a", "b"):
        attempt(event, end, outcome)
    assert "All is well." in operator.text("/")
    attempt("c", end, outcome)
    assert f"{said} at the backend cloud: 3 attempts failed and no update succeeded" in operator.text("/")
    attempt("d", Succeeded(Result("v", False, {}, "sendToNone")), "succeeded")
    assert "All is well." in operator.text("/")


def test_work_that_nobody_takes_up_is_complained_about(
    hr: Caller, store: Store, redis: Redis, operator: Browser
) -> None:
    update_id = hr.ask(SMALLEST).get_json()["id"]
    list(store.sweep())
    assert "late" not in operator.text("/")
    for moment in ("since", "ready"):
        redis.hincrby(f"rdv:job:{update_id}", moment, -180_000)
    assert "Work is 18" in operator.text("/")


def test_an_update_is_told_from_asking_to_calling_back(hr: Caller, store: Store, operator: Browser) -> None:
    ids = hostile(hr, store)
    text = operator.text(f"/updates/{ids[0]}")
    assert "All attendees, with a copy in Sent Items" in text and f"It lost its link {HOSTILE}." in text
    assert "hooks.example.com/%3Cscript%3E?…" in text and "t0p" not in text
    assert [one.text for one in operator.last.all("del")] == ["beforex"]
    assert [one.text for one in operator.last.all("ins")] == ["after" + HOSTILE]
    flower = [one.attributes["href"] for one in operator.last.all("a") if one.text == "its row"]
    assert flower == [f"http://127.0.0.1:5555/task/{ids[0]}"]
    dead = operator.text(f"/updates/{ids[1]}")
    assert "Theirs" in dead and "Replay" in dead


def test_of_a_property_the_whole_name_is_shown_and_of_an_address_no_query(
    hr: Caller, store: Store, operator: Browser, redis: Redis
) -> None:
    name = "String {00020329-0000-0000-c000-000000000046} Name a?b#c"
    extended = {"singleValueExtendedProperties": [{"id": name, "value": "x"}]}
    a_dead_update(hr, store, set=extended, callbackUrl="https://hooks.example.com/x?token=t0p")
    [callback] = ids_of(redis, "msg")
    store.settle(claimed(store, callback), an_attempt(), Dead(failure("unavailable", "CallbackExhausted", "x")))
    text = operator.text("/dead-letters")
    assert f"singleValueExtendedProperties/{name} " in text
    assert "hooks.example.com/x?…" in text and "t0p" not in text


@pytest.mark.parametrize(
    ("before", "after", "signs"),
    [
        ("a", "b", ["-", "+"]),
        (None, "b", ["+"]),
        ("a", None, ["-"]),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, [" ", "-", "+"]),
        ([{"a": 1}], [{"a": 1}, {"b": {"c": 2}}], [" ", "+"]),
        (False, True, ["-", "+"]),
        ("", "x", ["-", "+"]),
        ("\n".join("abcdefghij"), "\n".join("abcdefghiX"), [" ", " ", "…", " ", " ", "-", "+"]),
    ],
)
def test_a_difference_is_told_by_lines(before: Json, after: Json, signs: list[str]) -> None:
    [difference] = differences({"subject": {"before": before, "after": after}})
    assert [line.sign for line in difference.lines] == signs


def test_a_huge_body_is_shortened_before_it_is_compared() -> None:
    [difference] = differences({"body": {"before": "a\n" * 100_000, "after": "b\n" * 100_000}})
    assert len(difference.lines) == 401
    assert "99800 more" in difference.lines[-1].text


def test_a_page_without_script_or_style_of_its_own_says_the_same() -> None:
    """The reader of these tests knows what it reads: markup that is broken is seen."""
    assert Page("<main><p>x</main>").crossed == ["main"]


@pytest.mark.parametrize(
    ("attendee", "line"),
    [
        ({"emailAddress": {"address": "zoe@contoso.com"}, "type": "optional"}, "zoe@contoso.com (optional)"),
        (
            {"type": "required", "emailAddress": {"address": "zoe@contoso.com", "name": "Zoe Q."},
             "status": {"response": "accepted", "time": None}},
            "Zoe Q. <zoe@contoso.com> (required, accepted)",
        ),
        (
            {"emailAddress": {"address": "zoe@contoso.com", "name": "Zoe@contoso.com"}, "status": {"response": "none"}},
            "zoe@contoso.com",
        ),
    ],
)  # fmt: skip
def test_an_attendee_is_a_line_that_people_read(attendee: Json, line: str) -> None:
    [found] = differences({"attendees": {"before": [], "after": [attendee]}})
    assert [(one.sign, one.text) for one in found.lines] == [("+", line)]
