"""What a visitor may see and do: its own, and nothing of others; an operator everything."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask_openapi.openapi import OpenAPI
from redis import Redis

from tests.webhooks.conftest import Caller
from tests.webhooks.console.conftest import OPERATOR_KEY, Browser
from tests.webhooks.given import SMALLEST, TARGET
from tests.webhooks.test_dead_letters import a_dead_update
from tests.workers.given import an_attempt, claimed, ids_of
from tests.workers.store.test_watching import a_subscription
from webhooks import create_app
from workers.changes.subscription import FORBIDDEN
from workers.job import failure
from workers.outcome import Dead
from workers.settings import Settings
from workers.store import Store

ROOM = {"target": {"mailbox": "room-1@contoso.com", "event": "r"}, "set": {"subject": "Booked by rooms"}}


def ask(caller: Caller, body: object = SMALLEST) -> str:
    return str(caller.ask(body).get_json()["id"])


def test_a_client_sees_its_own_and_an_operator_sees_all(
    hr: Caller, rooms: Caller, hr_person: Browser, rooms_person: Browser, operator: Browser
) -> None:
    of_hr, of_rooms = ask(hr), ask(rooms, ROOM)
    assert of_hr in hr_person.text("/updates") and of_rooms not in hr_person.text("/updates")
    assert of_rooms in rooms_person.text("/updates") and of_hr not in rooms_person.text("/updates")
    assert of_hr in operator.text("/updates") and of_rooms in operator.text("/updates")


def test_what_a_client_left_behind_that_is_no_longer_configured_an_operator_sees(
    hr: Caller, store: Store, settings: Settings, subscribed: str
) -> None:
    dead, waiting = a_dead_update(hr, store), ask(hr)
    without = settings.model_copy(update={"client": settings.client[1:]})
    without.__dict__.pop("clients", None)
    operator = Browser(create_app(without).test_client())
    operator.sign_in(OPERATOR_KEY)
    assert "queued 1" in operator.text("/") and "dead letters 1" in operator.text("/")
    assert dead in operator.text("/updates?client=hr") and waiting in operator.text("/updates")
    assert subscribed in operator.text("/subscriptions")
    assert dead in operator.text("/dead-letters")
    assert operator.post(f"/dead-letters/{dead}/replay").status_code == 403
    assert operator.post(f"/dead-letters/{dead}/discard").status_code == 303
    assert store.dead_letter(dead) is None


def test_another_clients_data_is_nowhere(hr: Caller, rooms: Caller, store: Store, rooms_person: Browser) -> None:
    update_id = a_dead_update(hr, store, callbackUrl="https://secret-host.example.com/x")
    ask(rooms, ROOM)
    for path in ("/", "/updates", "/updates?client=hr", "/dead-letters", "/dead-letters?client=hr"):
        text = rooms_person.get(path).text
        for secret in (update_id, "anna@contoso.com", "secret-host", "ErrorItemNotFound"):
            assert secret not in text, path
    assert rooms_person.get(f"/updates/{update_id}").status_code == 404
    assert "dead letters 0" in rooms_person.text("/")
    rooms_person.get("/dead-letters")
    for verb in ("replay", "discard"):
        assert rooms_person.post(f"/dead-letters/{update_id}/{verb}").status_code == 404
    assert rooms_person.post(f"/updates/{update_id}/cancel").status_code == 404
    rooms_person.post("/dead-letters/replay", client="hr")
    assert store.dead_letter(update_id) is not None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"queued", "dead", "room"}), ("state=queued", {"queued", "room"}), ("state=dead", {"dead"}),
        ("class=notFound", {"dead"}), ("class=conflict", set()), ("mailbox=ROOM-1@contoso.com", {"room"}),
        ("client=rooms", {"room"}), ("client=nobody", set()), ("since=2026-01-01T00:00", {"queued", "dead", "room"}),
        ("until=2026-01-01T00:00", set()), ("state=queued&client=hr", {"queued"}),
    ],
)  # fmt: skip
def test_filters_choose(
    hr: Caller, rooms: Caller, store: Store, operator: Browser, query: str, found: set[str]
) -> None:
    ids = {"dead": a_dead_update(hr, store), "queued": ask(hr), "room": ask(rooms, ROOM)}
    text = operator.text(f"/updates?{query}")
    assert {name for name, update_id in ids.items() if update_id in text} == found


@pytest.mark.parametrize(
    "query",
    ["state=gone", "since=yesterday", "since=0001-01-01T00:00%2B02:00", "class=x", "cursor=x", "mailbox=%0a%00",
     "kind=x", "kind=watch"],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_said(operator: Browser, query: str) -> None:
    answer = operator.get(f"/updates?{query}")
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert query.split("=")[0] in answer.text


@pytest.mark.parametrize("path", ["/updates", "/dead-letters"])
def test_a_moment_with_an_offset_is_shown_in_utc_as_its_field_says(operator: Browser, path: str) -> None:
    operator.get(f"{path}?since=2026-11-21T09:00%2B02:00")
    assert operator.last.all("input", id="since")[0].attributes["value"] == "2026-11-21T07:00"


def test_pages_lead_from_one_to_the_next(hr: Caller, operator: Browser) -> None:
    ids = [ask(hr, {**SMALLEST, "target": {**TARGET, "event": f"e{number}"}}) for number in range(60)]
    first = operator.text("/updates?client=hr")
    [older] = [one.attributes["href"] for one in operator.last.all("a") if one.attributes.get("rel") == "next"]
    assert "client=hr" in older
    second = operator.text(f"/updates{older}")
    assert [update_id in first for update_id in reversed(ids)] == [True] * 50 + [False] * 10
    assert all((update_id in first) != (update_id in second) for update_id in ids)


def test_a_dead_letter_says_why_and_comes_back(hr: Caller, store: Store, operator: Browser) -> None:
    update_id = a_dead_update(hr, store)
    assert "notFound ErrorItemNotFound It is not there." in operator.text("/dead-letters")
    answer = operator.post(f"/dead-letters/{update_id}/replay")
    assert answer.status_code == 303
    assert "1 dead letter replayed" in operator.text(answer.headers["Location"].removeprefix("/console"))
    job = store.update(update_id)
    assert job is not None and job.state == "queued"
    assert operator.post(f"/dead-letters/{update_id}/replay").status_code == 404


def test_a_dead_letter_can_be_let_go(hr: Caller, store: Store, hr_person: Browser) -> None:
    update_id = a_dead_update(hr, store)
    assert "Replay Discard" in hr_person.text(f"/updates/{update_id}")
    assert hr_person.post(f"/dead-letters/{update_id}/discard").status_code == 303
    assert store.dead_letter(update_id) is None
    assert "None." in hr_person.text("/dead-letters")
    text = hr_person.text(f"/updates/{update_id}")
    assert "Why it is dead" in text and "Replay" not in text and "Discard" not in text


@pytest.mark.parametrize("verb", ["replay", "discard"])
def test_what_is_done_to_one_dead_letter_leads_back_to_the_page_that_was_looked_at(
    hr: Caller, store: Store, operator: Browser, verb: str
) -> None:
    done, left = (a_dead_update(hr, store, event) for event in ("a", "b"))
    operator.get("/dead-letters?class=notFound&mailbox=anna%40contoso.com&since=2026-01-01T00:00")
    [form] = [one for one in operator.last.all("form") if f"/{done}/{verb}" in one.attributes["action"]]
    answer = operator.post(form.attributes["action"].removeprefix("/console"))
    operator.get(answer.headers["Location"].removeprefix("/console"))
    shown = operator.last
    assert left in shown.all("main")[0].text and done not in shown.all("main")[0].text
    assert [one.attributes["value"] for one in shown.all("input", id="mailbox")] == ["anna@contoso.com"]
    [everything] = [one for one in shown.all("form") if one.attributes["action"].endswith("/dead-letters/replay")]
    assert "that match mailbox anna@contoso.com, class notFound, " in everything.attributes["data-confirm"]


def test_a_dry_run_counts_and_changes_nothing(hr: Caller, store: Store, operator: Browser) -> None:
    for event in ("a", "b"):
        a_dead_update(hr, store, event)
    operator.get("/dead-letters")
    assert operator.post("/dead-letters/replay", dry_run="1").status_code == 200
    assert "A replay would bring 2 back." in operator.last.all("main")[0].text
    assert store.dead_count("hr") == 2
    assert operator.post("/dead-letters/replay", class_="conflict").headers["Location"].endswith("count=0")
    assert operator.post("/dead-letters/replay", class_="notFound").headers["Location"].endswith("count=2")
    assert store.dead_count("hr") == 0


@pytest.mark.parametrize(
    "query", ["until=2026-01-01T00:00", "state=queued", "since=2099-01-01T00:00", "class=conflict"]
)
def test_a_replay_brings_back_what_its_page_shows_and_nothing_else(
    hr: Caller, store: Store, operator: Browser, query: str
) -> None:
    update_id = a_dead_update(hr, store)
    assert update_id not in operator.text(f"/dead-letters?{query}")
    name, _, value = query.partition("=")
    assert operator.post("/dead-letters/replay", **{name: value}).headers["Location"].endswith("count=0")
    assert update_id in operator.text("/dead-letters?until=2099-01-01T00:00&state=dead&kind=update")
    form = {one.attributes["name"]: one.attributes["value"] for one in operator.last.all("input", type="hidden")}
    assert (form["until"], form["state"], form["kind"]) == ("2099-01-01T00:00:00Z", "dead", "update")
    assert operator.post("/dead-letters/replay", **form).headers["Location"].endswith("count=1")


def test_the_kinds_to_choose_from_are_those_that_end_as_dead_letters(operator: Browser) -> None:
    assert "Kind any update callback Error class" in operator.text("/dead-letters")


def test_what_the_client_may_no_longer_touch_does_not_come_back(
    hr: Caller, store: Store, operator: Browser, app: OpenAPI
) -> None:
    update_id = a_dead_update(hr, store)
    door = app.extensions["rendezvous"]
    first, *others = door.settings.client
    narrowed = door.settings.model_copy(update={"client": (first.model_copy(update={"mailboxes": ()}), *others)})
    narrowed.__dict__.pop("clients", None)
    object.__setattr__(door, "settings", narrowed)
    operator.get("/dead-letters")
    assert operator.post(f"/dead-letters/{update_id}/replay").status_code == 403
    assert operator.post("/dead-letters/replay").headers["Location"].endswith("count=0")


def test_what_is_stored_spoilt_is_shown_and_does_not_come_back(
    hr: Caller, store: Store, operator: Browser, redis: Redis
) -> None:
    update_id = a_dead_update(hr, store, callbackUrl="https://127.0.0.1:9/x")
    [callback_id] = ids_of(redis, "msg")
    store.settle(claimed(store, callback_id), an_attempt(), Dead(failure("unavailable", "CallbackExhausted", "x")))
    for spoilt in (update_id, callback_id):
        redis.hset(f"rdv:job:{spoilt}", "body", "{")
    text = operator.text("/dead-letters")
    assert "CallbackExhausted" in text and "ErrorItemNotFound" in text
    for spoilt in (update_id, callback_id):
        assert operator.post(f"/dead-letters/{spoilt}/replay").status_code == 404
    operator.get("/dead-letters")
    assert operator.post("/dead-letters/replay").headers["Location"].endswith("count=0")


def test_a_waiting_update_can_be_taken_back_and_a_running_one_cannot(
    hr: Caller, store: Store, operator: Browser
) -> None:
    waiting = ask(hr)
    operator.get(f"/updates/{waiting}")
    answer = operator.post(f"/updates/{waiting}/cancel")
    assert "is cancelled" in operator.text(answer.headers["Location"].removeprefix("/console"))
    running = ask(hr, {**SMALLEST, "target": {**TARGET, "event": "x"}})
    claimed(store, running)
    assert operator.post(f"/updates/{running}/cancel").status_code == 409


def test_only_our_own_words_are_said_about_what_was_done(operator: Browser) -> None:
    assert "evil" not in operator.text("/updates?done=evil&count=evil")
    assert "notice" not in operator.get("/updates?count=5").text


def test_a_subscription_whose_client_may_no_longer_touch_the_mailbox_says_so(store: Store, operator: Browser) -> None:
    store.begin(a_subscription(mailbox="anna@elsewhere.example"))
    assert f"failing {FORBIDDEN}" in operator.text("/subscriptions")


def test_a_subscription_is_shown_with_its_state_and_expiry_to_its_client(
    subscribed: str, store: Store, hr_person: Browser, rooms_person: Browser, operator: Browser
) -> None:
    expires = (store.time() + timedelta(hours=1)).strftime("%Y-%m-%d %H:")
    for someone in (hr_person, operator):
        text = someone.text("/subscriptions")
        assert subscribed in text and "failing 403 <script>alert(1)</script>" in text
        assert expires in text
        assert "t0p" not in text
        assert "<script>alert" not in someone.get("/subscriptions").text
    assert "None." in rooms_person.text("/subscriptions")
