"""The console in a real browser: by keyboard alone, on a narrow screen, within its own policy, always fresh."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import httpx
import pytest
from redis import Redis

from tests.webhooks.console.chromium import Tab, tab
from tests.webhooks.given import KEY, SMALLEST, TARGET
from tests.webhooks.wire import serving
from tests.workers.given import an_attempt, claimed
from workers.job import Result, failure
from workers.outcome import Dead, Succeeded
from workers.store import Store

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")

HOSTILE = "<img src=x onerror=\"document.title='0wned'\"><script>document.title='0wned'</script>"


@pytest.fixture(scope="module")
def web(store_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the web process, as it runs in production."""
    with serving(store_server, tmp_path_factory.mktemp("web")) as wire:
        yield f"http://127.0.0.1:{wire.port}"


@pytest.fixture
def api(web: str, store_url: str) -> Iterator[httpx.Client]:
    """It, over an empty store."""
    with httpx.Client(base_url=web, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False) as client:
        yield client


@pytest.fixture
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with tab(tmp_path_factory.mktemp("chromium")) as one:
        yield one


def ask(api: httpx.Client, event: str) -> str:
    body = {**SMALLEST, "target": {**TARGET, "mailbox": "otto@hq.example", "event": event}}
    answer = api.post("/v1/updates", json={**body, "set": {"subject": HOSTILE}}, headers={"Idempotency-Key": event})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def focused(page: Tab) -> str:
    return str(page.ask("document.activeElement.textContent.trim() || document.activeElement.name"))


def signed_in(page: Tab, api: httpx.Client) -> None:
    page.visit(f"{api.base_url}/console/")
    page.type(KEY)
    page.press("Enter")
    page.until("location.pathname === '/console/' && document.readyState === 'complete'")


def reach(page: Tab, wanted: str, at_most: int = 40) -> None:
    """Tab until it has the focus."""
    for _ in range(at_most):
        page.press("Tab")
        if focused(page) == wanted:
            return
    raise AssertionError(f"{wanted} is out of the keyboard's reach")


def test_a_dead_letter_is_found_and_brought_back_by_keyboard_alone(page: Tab, api: httpx.Client, store: Store) -> None:
    update_id = ask(api, "a")
    store.settle(claimed(store, update_id), an_attempt(1, "refused"), Dead(failure("refused", HOSTILE, HOSTILE)))
    signed_in(page, api)
    reach(page, "Dead letters")
    page.press("Enter")
    page.until("location.pathname.endsWith('/dead-letters') && document.readyState === 'complete'")
    reach(page, "Replay")
    assert page.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus is seen"
    page.press("Enter")
    page.until("document.querySelector('[role=status]')?.textContent.includes('1 dead letter replayed')")
    job = store.update(update_id)
    assert job is not None and job.state == "queued"


def test_no_page_is_wider_than_a_narrow_screen(page: Tab, api: httpx.Client, store: Store) -> None:
    ids = [ask(api, "a"), ask(api, "b")]
    done = Succeeded(Result("v" * 80, False, {"subject": {"before": "x" * 300, "after": HOSTILE}}, "sendToNone"))
    store.settle(claimed(store, ids[0]), an_attempt(), done)
    store.settle(claimed(store, ids[1]), an_attempt(1, "refused"), Dead(failure("refused", "E" * 60, HOSTILE)))
    signed_in(page, api)
    page.resize(360, 800)
    for path in ("", "updates", "dead-letters", "subscriptions", *(f"updates/{one}" for one in ids)):
        page.visit(f"{api.base_url}/console/{path}")
        assert page.ask("document.documentElement.scrollWidth") <= 360, path


def test_the_pages_break_no_rule_of_their_own_and_ask_nobody_else(page: Tab, api: httpx.Client, store: Store) -> None:
    update_id = ask(api, "a")
    store.settle(claimed(store, update_id), an_attempt(1, "refused"), Dead(failure("refused", HOSTILE, HOSTILE)))
    signed_in(page, api)
    for path in ("", "updates", "dead-letters", "subscriptions", f"updates/{update_id}"):
        page.visit(f"{api.base_url}/console/{path}")
        assert page.ask("document.title") != "0wned"
        assert page.ask("document.styleSheets[0].cssRules.length") > 20, "the style sheet was taken"
    said = [event for event in page.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")]
    assert [one for one in said if one["params"].get("entry", {}).get("level") not in ("verbose", "info")] == []
    asked = [event["params"]["request"]["url"] for event in page.events
             if event["method"] == "Network.requestWillBeSent"]  # fmt: skip
    assert asked
    ours = (str(api.base_url), "data:image/")  # the browser's own pictures of its fields
    assert [url for url in asked if not url.startswith(ours)] == []


def test_the_overview_keeps_itself_fresh(page: Tab, api: httpx.Client) -> None:
    signed_in(page, api)
    page.ask("window.same = true")
    ask(api, "a")
    page.until("document.querySelector('.figures dd').textContent === '1'")
    assert page.ask("window.same"), "without loading the page again"


def verdict(page: Tab) -> str:
    return str(page.ask("document.querySelector('.verdict').innerText"))


def offline(page: Tab, api: httpx.Client, redis: Redis) -> Callable[[], object]:
    """No web process answers; the result makes it answer again."""
    conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.call("Network.emulateNetworkConditions", offline=True, **conditions)
    return lambda: page.call("Network.emulateNetworkConditions", offline=False, **conditions)


def failing(page: Tab, api: httpx.Client, redis: Redis) -> Callable[[], object]:
    """It answers that it cannot."""
    redis.set("rdv:states", "spoilt")
    assert page.ask("fetch('/console/').then((answer) => answer.status)") >= 500
    return lambda: redis.delete("rdv:states")


@pytest.mark.parametrize("fails", [offline, failing])
def test_an_overview_that_cannot_be_read_again_says_since_when_and_no_longer_that_all_is_well(
    page: Tab, api: httpx.Client, store: Store, redis: Redis, fails: Callable[..., Callable[[], object]]
) -> None:
    list(store.sweep())
    signed_in(page, api)
    assert verdict(page) == "All is well."
    mended = fails(page, api, redis)
    page.until("document.querySelector('.verdict').innerText.startsWith('Not read since 20')")
    page.ask("refresh()")
    assert "All is well" not in verdict(page)
    mended()
    page.ask("refresh()")
    assert verdict(page) == "All is well."


@pytest.mark.parametrize("used", ["querySelector('details').open = true", "querySelector('.figures a').focus()"])
def test_an_overview_that_is_in_use_stays_as_it_is_but_still_says_whether_all_is_well(
    page: Tab, api: httpx.Client, store: Store, redis: Redis, used: str
) -> None:
    list(store.sweep())
    signed_in(page, api)
    page.ask(f"document.{used}")
    ask(api, "a")
    redis.decrby("rdv:swept", 90_000)
    page.ask("refresh()")
    assert verdict(page).startswith("beat has not swept since")
    assert page.ask("document.querySelector('.figures dd').textContent") == "0"
    assert page.ask("document.querySelector('details').open || document.activeElement.textContent === 'queued'")


def test_letting_go_is_asked_about(page: Tab, api: httpx.Client, store: Store) -> None:
    update_id = ask(api, "a")
    store.settle(claimed(store, update_id), an_attempt(1, "refused"), Dead(failure("refused", "X", "x")))
    signed_in(page, api)
    page.visit(f"{api.base_url}/console/dead-letters")
    page.ask("window.asked = []; window.confirm = (said) => { window.asked.push(said); return false; }")
    reach(page, "Discard")
    page.press("Enter")
    page.until("window.asked.length === 1")
    assert store.dead_letter(update_id) is not None
