"""Subscriptions and mirrors over HTTP: asked for, shown, ended; never another client's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest

from tests.webhooks.conftest import Caller
from tests.webhooks.given import is_problem
from tests.workers.store.test_watching import MIRROR, a_subscription
from workers.changes.event_change import TOLD_BY_DEFAULT
from workers.changes.subscription import FORBIDDEN, MAY_NOT_WRITE, Mirror, Watcher
from workers.changes.watch import watch_id
from workers.event.properties import writable_on
from workers.settings import Settings
from workers.store import Store
from workers.update import Target

ASKED: dict[str, Any] = {
    "mailbox": "anna@contoso.com", "callbackUrl": "https://hooks.example.com/x", "properties": ["subject", "start"],
}  # fmt: skip
MIRRORED: dict[str, Any] = {
    "from": {"mailbox": "anna@contoso.com", "event": "AAMk1="},
    "to": {"mailbox": "otto@hq.example", "event": "AAMk2="},
    "properties": ["subject"],
}
FORBIDDEN_MIRROR = replace(MIRROR, source=Target("cloud", "E", mailbox="anna@elsewhere.example"))
TEAM = "02bd9fd6-8f93-4758-87c3-1fb73740a315"
BOTH = [("/v1/subscriptions", ASKED), ("/v1/mirrors", MIRRORED)]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"public_url": "https://rendezvous.example.com"})


@pytest.mark.parametrize(("url", "asked"), BOTH)
def test_it_begins_is_shown_listed_and_ends(hr: Caller, url: str, asked: dict[str, Any]) -> None:
    made = hr.post(url, asked)
    assert (made.status_code, made.get_json()["state"]) == (201, "starting")
    place = made.headers["Location"]
    assert place == f"{url}/{made.get_json()['id']}"
    assert hr.get(place).get_json() == made.get_json()
    assert hr.get(url).get_json() == {"items": [made.get_json()], "nextCursor": None}
    assert hr.delete(place).status_code == 204
    assert is_problem(hr.get(place), 404, "not-found")
    assert is_problem(hr.delete(place), 404, "not-found")
    assert hr.get(url).get_json()["items"] == []


@pytest.mark.parametrize(("url", "asked"), BOTH)
def test_it_ends_also_where_the_store_is_asked_twice_because_its_answer_was_lost(
    hr: Caller, url: str, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = hr.post(url, asked).headers["Location"]
    end = Store.end
    monkeypatch.setattr(Store, "end", lambda store, watcher: (end(store, watcher), end(store, watcher))[-1])
    assert hr.delete(place).status_code == 204


@pytest.mark.parametrize(("mailbox", "kind"), [("anna@contoso.com", "graph"), ("otto@hq.example", "ews")])
def test_who_names_no_properties_is_told_of_the_usual_ones_that_the_backend_has(
    hr: Caller, mailbox: str, kind: Literal["graph", "ews"]
) -> None:
    told = hr.post("/v1/subscriptions", {"mailbox": mailbox, "callbackUrl": "https://hooks.example.com/x"}).get_json()
    assert set(told["properties"]) == {name for name in TOLD_BY_DEFAULT if writable_on(kind, name)}


@pytest.mark.parametrize(("url", "asked"), BOTH)
def test_the_same_again_is_the_same(hr: Caller, url: str, asked: dict[str, Any]) -> None:
    first, again = hr.post(url, asked), hr.post(url, asked)
    assert (again.status_code, again.get_json()) == (200, first.get_json())


@pytest.mark.parametrize(("url", "asked"), BOTH)
def test_a_list_goes_on_page_by_page_newest_first(hr: Caller, url: str, asked: dict[str, Any]) -> None:
    made = [hr.post(url, {**asked, "properties": [name]}).get_json()["id"] for name in ("subject", "start", "end")]
    first = hr.get(f"{url}?limit=2").get_json()
    assert [one["id"] for one in first["items"]] == made[:0:-1]
    assert hr.delete(f"{url}/{made[1]}").status_code == 204
    rest = hr.get(f"{url}?limit=2&cursor={first['nextCursor']}").get_json()
    assert ([one["id"] for one in rest["items"]], rest["nextCursor"]) == (made[:1], None)


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=1&limit=2", "cursor=zzz", "foo=1"])
@pytest.mark.parametrize("url", ["/v1/subscriptions", "/v1/mirrors"])
def test_a_page_that_cannot_be_meant_is_malformed(hr: Caller, url: str, query: str) -> None:
    assert is_problem(hr.get(f"{url}?{query}"), 400, "malformed")


@pytest.mark.parametrize(("url", "asked"), BOTH)
def test_what_belongs_to_others_is_not_there(hr: Caller, rooms: Caller, url: str, asked: dict[str, Any]) -> None:
    place = hr.post(url, asked).headers["Location"]
    assert is_problem(rooms.get(place), 404, "not-found")
    assert is_problem(rooms.delete(place), 404, "not-found")
    assert rooms.get(url).get_json()["items"] == []


@pytest.mark.parametrize(("url", "asked"), BOTH)
def test_a_mailbox_that_the_client_may_not_touch_is_forbidden(rooms: Caller, url: str, asked: dict[str, Any]) -> None:
    assert is_problem(rooms.post(url, asked), 403, "forbidden")


@pytest.mark.parametrize("url", ["/v1/subscriptions", "/v1/mirrors"])
def test_who_has_no_key_gets_nothing(hr: Caller, url: str) -> None:
    assert hr.http.post(url, json={}).status_code == 401


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"mailbox": None}, "/mailbox"),
        ({"mailbox": "somebody@nowhere.example"}, "/mailbox"),
        ({"backend": "none"}, "/backend"),
        ({"callbackUrl": "ftp://x"}, "/callbackUrl"),
        ({"properties": []}, "/properties"),
        ({"properties": ["subject", "moon"]}, "/properties/1"),
        ({"mailbox": "otto@hq.example", "properties": ["isOnlineMeeting"]}, "/properties/0"),
        ({"extra": 1}, "/extra"),
    ],
)
def test_what_is_wrong_with_a_subscription_is_named(hr: Caller, change: dict[str, Any], pointer: str) -> None:
    assert is_problem(hr.post("/v1/subscriptions", {**ASKED, **change}), 422, "validation", pointer)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"to": MIRRORED["from"]}, "/to"),
        ({"from": {**MIRRORED["from"], "event": ""}}, "/from/event"),
        ({"to": {**MIRRORED["to"], "mailbox": "x@nowhere.example"}}, "/to/mailbox"),
        ({"properties": ["hideAttendees"]}, "/properties/0"),
        ({"callbackUrl": "http://127.0.0.2/"}, "/callbackUrl"),
        ({"from": {"group": TEAM, "event": "AAMk1="}}, "/from/group"),
        ({"to": {"group": TEAM, "event": "AAMk2=", "backend": "hq"}}, "/to/group"),
        ({"to": {"event": "AAMk2="}}, "/to/mailbox"),
        ({"to": {**MIRRORED["to"], "calendarGroup": "default"}}, "/to/calendar"),
        ({"from": {**MIRRORED["from"], "occurrence": {"index": 3}}}, "/from/occurrence"),
        ({"to": {**MIRRORED["to"], "occurrence": {"index": 3}}}, "/to/occurrence"),
    ],
)
def test_what_is_wrong_with_a_mirror_is_named(hr: Caller, change: dict[str, Any], pointer: str) -> None:
    assert is_problem(hr.post("/v1/mirrors", {**MIRRORED, **change}), 422, "validation", pointer)


def test_everything_that_is_wrong_with_a_mirror_is_named_at_once(hr: Caller) -> None:
    problem = hr.post("/v1/mirrors", {"from": {"group": TEAM}, "to": {**MIRRORED["to"], "occurrence": {}}, "extra": 1})
    pointers = {one["pointer"] for one in problem.get_json()["errors"]}
    assert pointers == {"/from/event", "/from/group", "/to/occurrence", "/properties", "/extra"}


def test_a_mirror_leads_to_whatever_an_update_can_name(hr: Caller, store: Store) -> None:
    to = {"group": TEAM, "event": "AAMk2=", "calendar": "default", "backend": "cloud"}
    made = hr.post("/v1/mirrors", {**MIRRORED, "to": {**to, "version": "DwAAAB"}})
    assert (made.status_code, made.get_json()["to"]) == (201, to), "its version decides nothing"
    kept = store.watcher(Mirror, made.get_json()["id"])
    assert kept is not None
    assert kept.to == Target("cloud", "AAMk2=", group=TEAM, calendar="default")


@pytest.mark.parametrize("other", [{"calendar": "RIGHT"}, {"calendarGroup": "G"}])
def test_a_mirror_into_another_calendar_is_another_one(hr: Caller, other: dict[str, str]) -> None:
    wrong = {**MIRRORED, "to": {**MIRRORED["to"], "calendar": "WRONG"}}
    assert hr.post("/v1/mirrors", wrong).status_code == 201
    made = hr.post("/v1/mirrors", {**wrong, "to": {**wrong["to"], **other}})
    assert (made.status_code, made.get_json()["to"]) == (201, {**wrong["to"], **other, "backend": "hq"})


def test_a_mirror_that_tells_somebody_else_is_another_one(hr: Caller) -> None:
    assert hr.post("/v1/mirrors", MIRRORED).status_code == 201
    made = hr.post("/v1/mirrors", {**MIRRORED, "callbackUrl": "https://hooks.example.com/x"})
    assert (made.status_code, made.get_json()["callbackUrl"]) == (201, "https://hooks.example.com/x")


def test_without_properties_those_that_show_at_a_glance_are_told(hr: Caller) -> None:
    asked = {name: value for name, value in ASKED.items() if name != "properties"}
    properties = hr.post("/v1/subscriptions", asked).get_json()["properties"]
    assert {"subject", "start", "attendees"} <= set(properties)
    assert "body" not in properties


@pytest.mark.parametrize("made", [a_subscription(mailbox="anna@elsewhere.example"), FORBIDDEN_MIRROR])
def test_one_whose_client_may_no_longer_touch_the_mailbox_says_why_nothing_is_told(
    hr: Caller, store: Store, made: Watcher
) -> None:
    store.begin(made)
    watch = store.watch(made.watch)
    assert watch is not None
    store.keep(watch, {"tended": store.time()}, began=store.time())
    shown = hr.get(f"/v1/{made.kind}s/{made.id}").get_json()
    assert (shown["state"], shown["problem"]) == ("failing", FORBIDDEN)


class TestCrowded:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        hr, rooms = settings.client
        return settings.model_copy(update={"client": (hr.model_copy(update={"max_watchers_per_mailbox": 1}), rooms)})

    @pytest.mark.parametrize(("url", "asked", "pointer"), [(*BOTH[0], "/mailbox"), (*BOTH[1], "/from/mailbox")])
    def test_a_mailbox_that_as_many_as_may_want_to_know_of_takes_no_other(
        self, hr: Caller, url: str, asked: dict[str, Any], pointer: str
    ) -> None:
        assert hr.post(url, asked).status_code == 201
        assert is_problem(hr.post(url, {**asked, "properties": ["end"]}), 422, "validation", pointer)
        assert hr.post(url, asked).status_code == 200


def test_a_problem_of_the_watch_is_shown(hr: Caller, store: Store) -> None:
    place = hr.post("/v1/subscriptions", ASKED).headers["Location"]
    watch = store.watch(watch_id("cloud", "anna@contoso.com"))
    assert watch is not None
    store.keep(watch, {"tended": store.time()}, began=store.time())
    assert hr.get(place).get_json()["state"] == "active"
    store.keep(watch, {"problem": "ErrorAccessDenied: no"}, began=store.time())
    shown = hr.get(place).get_json()
    assert (shown["state"], shown["problem"]) == ("failing", "ErrorAccessDenied: no")


def test_what_a_mirror_waits_for_is_its_own_problem(hr: Caller, store: Store) -> None:
    mirror, subscription = (hr.post(url, asked).headers["Location"] for url, asked in reversed(BOTH))
    watch = store.watch(watch_id("cloud", "anna@contoso.com"))
    assert watch is not None
    waits = {mirror.rpartition("/")[2]: "ConnectError: nobody there"}
    store.keep(watch, {"tended": store.time(), "waits": waits}, began=store.time())
    shown = hr.get(mirror).get_json()
    assert (shown["state"], shown["problem"]) == ("failing", "ConnectError: nobody there")
    assert hr.get(subscription).get_json()["state"] == "active"


@pytest.mark.parametrize("to", [Target("hq", "F", mailbox="o@elsewhere.example"), replace(MIRROR.to, backend="gone")])
def test_that_a_mirror_may_no_longer_write_is_shown_as_a_problem(hr: Caller, store: Store, to: Target) -> None:
    store.begin(replace(MIRROR, to=to))
    shown = hr.get(f"/v1/mirrors/{MIRROR.id}").get_json()
    assert (shown["state"], shown["problem"]) == ("failing", MAY_NOT_WRITE)


class TestWithoutPublicUrl:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"public_url": None})

    def test_graph_cannot_tell_us_and_the_operator_is_named(self, hr: Caller) -> None:
        answer = hr.post("/v1/subscriptions", ASKED)
        assert is_problem(answer, 422, "validation", "/mailbox")
        assert "public_url" in answer.get_json()["detail"]

    def test_exchange_on_premises_is_asked_and_needs_none(self, hr: Caller) -> None:
        asked = {**ASKED, "mailbox": "otto@hq.example"}
        assert hr.post("/v1/subscriptions", asked).status_code == 201
