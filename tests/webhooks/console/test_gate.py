"""Nobody gets in without a key, and no form is taken that is not the session's own."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask_openapi.openapi import OpenAPI
from redis import Redis

from tests.webhooks.conftest import Caller
from tests.webhooks.console.conftest import OPERATOR_KEY, Browser
from tests.webhooks.given import KEY
from webhooks import create_app
from webhooks.console import session as sessions
from workers.settings import Settings
from workers.store import Store

PAGES = ("/", "/updates", "/updates/upd_1", "/dead-letters")
FORMS = ("/updates/upd_1/cancel", "/dead-letters/replay", "/dead-letters/x/replay", "/dead-letters/x/discard")


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_led_to_the_sign_in_page(stranger: Browser, path: str) -> None:
    answer = stranger.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/console/sign-in?to=/console{path}")


@pytest.mark.parametrize("path", ["/updates/upd_1", "/updates?state=dead&mailbox=a%40b.c&client=", "/dead-letters"])
def test_who_signs_in_gets_the_page_that_was_asked_for(stranger: Browser, path: str) -> None:
    stranger.get(stranger.get(path).headers["Location"].removeprefix("/console"))
    [wanted] = stranger.last.all("input", name="to")
    stranger.post("/sign-in", key="wrong", to=wanted.attributes["value"])
    [wanted] = stranger.last.all("input", name="to")
    answer = stranger.post("/sign-in", key=KEY, to=wanted.attributes["value"])
    assert answer.headers["Location"] == f"/console{path}"


@pytest.mark.parametrize(
    "wanted",
    ["", "//evil.example/", "https://evil.example/console/", "/v1/updates", "/console/\r\nX: y", "/console/\u00e9"],
)
def test_a_sign_in_leads_to_nothing_but_the_console(stranger: Browser, wanted: str) -> None:
    stranger.get("/sign-in")
    assert stranger.post("/sign-in", key=KEY, to=wanted).headers["Location"] == "/console/"


def test_who_signs_in_in_one_of_two_tabs_is_signed_in_in_the_other(stranger: Browser) -> None:
    for path in ("/updates", "/dead-letters"):
        stranger.get(f"/sign-in?to=/console{path}")
    token = stranger.token
    stranger.get("/sign-in")
    assert stranger.token == token
    assert stranger.post("/sign-in", key=KEY).headers["Location"] == "/console/"
    again = stranger.post("/sign-in", key=KEY, to="/console/updates").headers["Location"]
    assert again == "/console/sign-in?to=/console/updates"
    assert stranger.get(again.removeprefix("/console")).headers["Location"] == "/console/updates"
    assert stranger.get("/updates").status_code == 200


@pytest.mark.parametrize(("page", "status"), [("/sign-in", 303), ("/nowhere", 403)])
@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_sign_in_without_the_sessions_token_signs_nobody_in(
    stranger: Browser, token: str, page: str, status: int
) -> None:
    stranger.get(page)
    stranger.token = token
    answer = stranger.post("/sign-in", key=KEY)
    assert answer.status_code == status and "Set-Cookie" not in answer.headers
    assert stranger.get("/").status_code == 303


@pytest.mark.parametrize("path", FORMS)
def test_a_stranger_with_a_token_of_his_own_is_led_away_as_well(stranger: Browser, path: str) -> None:
    stranger.get("/sign-in")
    assert stranger.post(path).headers["Location"] == "/console/sign-in"


@pytest.mark.parametrize("key", ["", " ", "wrong", "hr", KEY + "x", KEY[:-1]])
def test_a_wrong_key_gets_nobody_in(stranger: Browser, key: str) -> None:
    answer = stranger.sign_in(key)
    assert answer.status_code == 403
    assert stranger.last.all("p", role="alert")
    assert stranger.get("/").status_code == 303


@pytest.mark.parametrize(("key", "name"), [(KEY, "hr"), (OPERATOR_KEY, "operator")])
def test_a_key_shows_who_one_is(browser: Callable[[str], Browser], key: str, name: str) -> None:
    someone = browser(key)
    assert someone.last.all("span", class_="who") and someone.last.all("span", class_="who")[0].text == name


def test_the_cookie_comes_along_with_a_link_is_for_the_console_alone_and_holds_no_key(stranger: Browser) -> None:
    stranger.get("/sign-in")
    answer = stranger.post("/sign-in", key=KEY)
    cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Lax", "Path=/console", "Max-Age=28800"):
        assert part in cookie
    assert KEY not in cookie


def test_over_https_the_cookie_is_secure(app: OpenAPI) -> None:
    answer = app.test_client().get("/console/sign-in", base_url="https://x")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_an_operators_key_does_not_open_the_api(hr: Caller) -> None:
    assert Caller(hr.http, OPERATOR_KEY).get("/v1/updates").status_code == 401


@pytest.mark.parametrize("path", ["/sign-out", *FORMS])
@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_without_the_sessions_token_is_refused(operator: Browser, path: str, token: str) -> None:
    operator.token = token
    assert operator.post(path).status_code == 403


def test_a_form_of_another_session_is_refused(operator: Browser, hr_person: Browser) -> None:
    operator.token = hr_person.token
    assert operator.post("/sign-out").status_code == 403


def test_every_address_that_changes_something_is_one_of_these_forms(app: OpenAPI) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("console.")]
    changing = {rule.rule for rule in rules if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}}
    named = {re.sub("<[^>]*>", "x", rule).replace("/updates/x", "/updates/upd_1") for rule in changing}
    assert named == {f"/console{path}" for path in ("/sign-in", "/sign-out", *FORMS)}


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", *FORMS])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_that_a_browser_calls_foreign_is_refused(operator: Browser, path: str, site: str) -> None:
    assert operator.post(path, {"Sec-Fetch-Site": site}).status_code == 403


def test_a_form_that_is_too_large_is_refused(operator: Browser) -> None:
    assert operator.post("/sign-out", padding="x" * 20_000).status_code == 413


def test_signing_out_ends_it(operator: Browser) -> None:
    assert operator.post("/sign-out").status_code == 303
    assert operator.get("/").status_code == 303


def test_a_session_ends_when_its_key_leaves_the_configuration(settings: Settings, operator: Browser) -> None:
    cookie = operator.http.get_cookie(sessions.COOKIE, path="/console")
    assert cookie is not None
    without = create_app(settings.model_copy(update={"operator_api_key_sha256": ()})).test_client()
    without.set_cookie(sessions.COOKIE, cookie.value, path="/console")
    assert without.get("/console/").status_code == 303
    same = create_app(settings).test_client()
    same.set_cookie(sessions.COOKIE, cookie.value, path="/console")
    assert same.get("/console/").status_code == 200, "every web process knows the session"


def test_a_cookie_that_was_changed_or_signed_elsewhere_is_none() -> None:
    sealed = sessions.seal(sessions.begin("mark"), "a" * 32)
    assert sessions.unseal(sealed, "a" * 32) is not None
    for cookie, secret in ((sealed + "x", "a" * 32), (sealed, "b" * 32), ("", "a" * 32), (None, "a" * 32)):
        assert sessions.unseal(cookie, secret) is None


def test_a_configured_secret_takes_the_place_of_the_stores(settings: Settings, redis: Redis) -> None:
    configured = settings.model_validate({**settings.model_dump(), "console_secret": "s" * 32})
    assert create_app(configured).test_client().get("/console/sign-in").status_code == 200
    assert redis.get("rdv:console_secret") is None


def test_without_the_store_the_page_says_so(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"store_url": "redis://127.0.0.1:9/0"}))
    answer = app.test_client().get("/console/")
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert "does not answer" in answer.text
    assert answer.headers["Retry-After"]


def test_our_own_mistakes_are_a_page_that_says_under_which_id_they_are_logged(
    operator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(Store, "standings", fails)
    answer = operator.get("/")
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert answer.headers["X-Request-Id"] in answer.text and "s3cret" not in answer.text


def test_a_client_that_reads_too_much_has_to_wait(settings: Settings) -> None:
    hr, rooms = settings.client
    slow = settings.model_copy(update={"client": (hr.model_copy(update={"rate_limit": "1/hour"}), rooms)})
    someone = Browser(create_app(slow).test_client())
    someone.sign_in(KEY)
    answers = [someone.get("/updates") for _ in range(12)]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["Retry-After"]
