"""/metrics tells of the whole system, whichever process did it; dashboard and alerts ask for what is there."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from tests.webhooks.conftest import Caller
from tests.webhooks.given import SMALLEST
from tests.webhooks.wire import get, serving
from tests.workers.given import an_attempt, claimed
from webhooks import create_app
from workers.callbacks.callback import for_update
from workers.changes.notification import Notification
from workers.changes.subscription import Subscription
from workers.job import Result, failure
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.settings import Settings
from workers.store import Store

GRAFANA = Path(__file__).resolve().parents[2] / "ops" / "grafana"


def scraped(text: str) -> dict[str, float]:
    """``name{label="…"}`` with sorted labels → value."""
    return {
        sample.name + "{" + ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items())) + "}": value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for value in [sample.value]
    }


def settle(store: Store, update_id: str, end: Succeeded | Retry | Dead, outcome: str) -> None:
    job = store.update(update_id)
    assert job is not None
    grant = claimed(store, update_id)
    callback = None if isinstance(end, Retry) else for_update(job)
    store.settle(grant, an_attempt(grant.attempts + 1, outcome), end, callback)


def a_full_life(hr: Caller, store: Store) -> None:
    """One update that succeeds and calls back, one that is dead, one that is cancelled, one that pauses its mailbox,
    and a callback whose host is left alone."""
    ids = [
        str(hr.ask({**SMALLEST, "target": {**SMALLEST["target"], "event": f"e{number}"},
                    "callbackUrl": "https://hooks.example.com/x"}).get_json()["id"])
        for number in range(4)
    ]  # fmt: skip
    settle(store, ids[0], Succeeded(Result(None, noop=False)), "succeeded")
    settle(store, ids[1], Dead(failure("refused", "ErrorX", "x")), "refused")
    hr.post(f"/v1/updates/{ids[2]}/cancel")
    settle(store, ids[3], Retry("throttled", "429", timedelta(), pause=timedelta(seconds=60)), "throttled")


def test_what_other_processes_did_is_told(hr: Caller, store: Store) -> None:
    a_full_life(hr, store)
    said = scraped(hr.get("/metrics").text)
    cloud = 'backend="cloud",client="hr",kind="update"'
    for series, value in {
        f"rendezvous_jobs_accepted_total{{{cloud}}}": 4,
        'rendezvous_jobs_accepted_total{backend="callback",client="hr",kind="callback"}': 3,
        f"rendezvous_jobs_cancelled_total{{{cloud}}}": 1,
        f'rendezvous_attempts_total{{{cloud},outcome="succeeded",result="succeeded"}}': 1,
        f'rendezvous_attempts_total{{{cloud},outcome="refused",result="dead"}}': 1,
        f'rendezvous_attempts_total{{{cloud},outcome="throttled",result="retried"}}': 1,
        f"rendezvous_time_to_done_seconds_count{{{cloud}}}": 2,
        'rendezvous_jobs{client="hr",kind="update",state="retrying"}': 1,
        'rendezvous_jobs{client="hr",kind="callback",state="queued"}': 3,
        'rendezvous_jobs{client="rooms",kind="update",state="queued"}': 0,
        'rendezvous_dead_letters{client="hr"}': 1,
        'rendezvous_lanes_paused{backend="cloud"}': 1,
        'rendezvous_lanes_paused{backend="callback"}': 0,
        "rendezvous_store_up{}": 1,
        "rendezvous_store_durable{}": 1,
    }.items():
        assert said.get(series) == value, series
    assert said["rendezvous_store_memory_bytes{}"] > 0


def test_dead_letters_of_a_client_that_is_no_longer_configured_are_counted_too(
    hr: Caller, store: Store, settings: Settings
) -> None:
    update_id = str(hr.ask().get_json()["id"])
    settle(store, update_id, Dead(failure("refused", "ErrorX", "x")), "refused")
    others = settings.model_copy(update={"client": settings.client[1:]})
    others.__dict__.pop("clients", None)
    said = scraped(create_app(others).test_client().get("/metrics").text)
    assert said['rendezvous_dead_letters{client="hr"}'] == 1
    assert said['rendezvous_dead_letters{client="rooms"}'] == 0


def test_late_work_and_a_beat_that_stopped_are_seen(hr: Caller, store: Store, redis: Redis) -> None:
    list(store.sweep())
    redis.incrby("rdv:swept", -90_000)
    update_id = hr.ask().get_json()["id"]
    redis.zincrby("rdv:due", -600_000, update_id)
    said = scraped(hr.get("/metrics").text)
    assert 89 < said["rendezvous_sweep_age_seconds{}"] < 100
    assert 590 < said["rendezvous_oldest_due_age_seconds{}"] < 610
    assert (said["rendezvous_due_entries{}"], said["rendezvous_overdue_entries{}"]) == (1, 1)


def test_a_callback_host_that_is_left_alone_is_named_however_many_mailboxes_are(
    hr: Caller, redis: Redis, store: Store
) -> None:
    until = store.time().timestamp() * 1000 + 60_000
    redis.zadd("rdv:pauses", {f"cloud/{number}@contoso.com": until - 1 for number in range(300)})
    redis.zadd("rdv:pauses", {f"callback/{client}@hooks.example.com": until for client in ("hr", "rooms")})
    said = scraped(hr.get("/metrics").text)
    assert said['rendezvous_lanes_paused{backend="cloud"}'] == 300
    assert said['rendezvous_callback_breaker_open{host="hooks.example.com"}'] == 1
    assert said['rendezvous_lanes_paused{backend="callback"}'] == 2


def subscribed(store: Store, redis: Redis) -> None:
    """A mailbox is listened to; Graph has promised that for an hour."""
    one = Subscription("sub_1", "hr", "cloud", "anna@contoso.com", "https://hooks.example.com/", ("subject",), "2026Z")
    store.begin(one)
    redis.hset(f"rdv:watch:{one.watch}", "expires", round(store.time().timestamp() * 1000) + 3_600_000)


def test_when_a_subscription_runs_out_is_told(hr: Caller, store: Store, redis: Redis) -> None:
    subscribed(store, redis)
    said = scraped(hr.get("/metrics").text)
    assert said['rendezvous_watches{backend="cloud",state="starting"}'] == 1
    assert 3590 < said['rendezvous_subscription_expiry_seconds{backend="cloud"}'] <= 3600


def test_changes_that_graph_did_not_tell_and_notifications_that_were_doubted_are_counted(
    hr: Caller, store: Store, redis: Redis
) -> None:
    subscribed(store, redis)
    series = 'rendezvous_changes_found_late_total{backend="cloud"}'
    assert scraped(hr.get("/metrics").text)[series] == 0
    (watch,) = store.all_watches()
    store.hear([Notification(watch.id, "E", "updated", "v1").heard(watch)], how="late")
    store.doubt(watch, "audience")
    said = scraped(hr.get("/metrics").text)
    assert said[series] == 1
    assert said['rendezvous_notifications_doubted_total{backend="cloud",reason="audience"}'] == 1


def test_a_live_subscription_that_is_silent_for_too_long_is_counted(hr: Caller, store: Store, redis: Redis) -> None:
    subscribed(store, redis)
    series = 'rendezvous_subscriptions_quiet{backend="cloud"}'
    assert scraped(hr.get("/metrics").text)[series] == 0
    (watch,) = store.all_watches()
    now = round(store.time().timestamp() * 1000)
    redis.hset(f"rdv:watch:{watch.id}", mapping={"heard": now - 9 * 3_600_000, "usual": 4 * 3_600_000})
    assert scraped(hr.get("/metrics").text)[series] == 1


def test_the_buckets_add_up_as_prometheus_wants_them(hr: Caller, store: Store, redis: Redis) -> None:
    for earlier in (0, 1_000_000, 100_000_000):
        update_id = hr.ask({**SMALLEST, "target": {**SMALLEST["target"], "event": f"e{earlier}"}}).get_json()["id"]
        redis.hincrby(f"rdv:job:{update_id}", "since", -earlier)
        settle(store, update_id, Succeeded(Result(None, noop=True)), "noop")
    said = scraped(hr.get("/metrics").text)
    name, where = "rendezvous_time_to_done_seconds", 'backend="cloud",client="hr",kind="update"'
    counts = {bound: said[f'{name}_bucket{{{where},le="{bound}"}}'] for bound in ("1800.0", "+Inf")}
    assert counts == {"1800.0": 2, "+Inf": 3}
    assert said[f"{name}_count{{{where}}}"] == 3
    assert said[f"{name}_sum{{{where}}}"] > 100_000


def test_the_buckets_are_there_before_anything_has_fallen_into_them(hr: Caller) -> None:
    said = scraped(hr.get("/metrics").text)
    name, where = "rendezvous_time_to_done_seconds", 'backend="cloud",client="hr",kind="update"'
    assert [said[f'{name}_bucket{{{where},le="{bound}"}}'] for bound in ("0.1", "86400.0", "+Inf")] == [0, 0, 0]
    assert said[f"{name}_sum{{{where}}}"] == 0


def test_a_scrape_without_the_store_says_that_and_no_more(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"store_url": "redis://127.0.0.1:9/0"}))
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200
    said = scraped(answer.text)
    assert said["rendezvous_store_up{}"] == 0
    assert not [series for series in said if series.startswith("rendezvous_jobs")]


def test_nobodys_mailbox_event_or_key_is_in_a_metric(hr: Caller, store: Store) -> None:
    a_full_life(hr, store)
    text = hr.get("/metrics").text
    for secret in ("anna", "contoso", "AAMk", hr.api_key, "Moved"):
        assert secret not in text


def test_both_web_processes_tell_of_both(store_url: str, tmp_path: Path) -> None:
    with serving(store_url, tmp_path) as wire:
        for _ in range(30):
            wire.say(get("/livez", Connection="close"))
        told = [
            re.search(rb'rendezvous_http_requests_total\{[^}]*route="/livez"[^}]*\} (\S+)', wire.say(
                get("/metrics", Connection="close")))
            for _ in range(8)
        ]  # fmt: skip
    counts = {float(match[1]) for match in told if match}
    assert len(counts) == 1
    assert min(counts) >= 30


def test_a_web_process_leaves_nothing_behind_not_even_one_that_was_killed(store_url: str, tmp_path: Path) -> None:
    def folders(pid: int) -> list[Path]:
        place = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())  # noqa: S108
        return list(place.glob(f"rendezvous-metrics-{pid}-*"))

    with serving(store_url, tmp_path) as first:
        assert len(folders(first.pid)) == 1
        os.kill(first.pid, signal.SIGKILL)
    assert len(folders(first.pid)) == 1
    with serving(store_url, tmp_path) as second:
        assert folders(first.pid) == []
        assert len(folders(second.pid)) == 1
    assert folders(second.pid) == []


def test_a_folder_that_was_tidied_away_costs_the_http_metrics_only(
    http: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "gone"))
    assert scraped(http.get("/metrics").text)["rendezvous_store_up{}"] == 1


def names_on(hr: Caller) -> set[str]:
    return set(re.findall(r"^(rendezvous_\w+?)(?:\{| )", hr.get("/metrics").text, re.MULTILINE))


def expressions(document: Any) -> list[str]:
    """Every ``expr`` in it."""
    if isinstance(document, dict):
        own = [value for key, value in document.items() if key == "expr"]
        return own + [found for value in document.values() for found in expressions(value)]
    return [found for value in document for found in expressions(value)] if isinstance(document, list) else []


@pytest.mark.parametrize("name", ["dashboard.json", "alerts.yml"])
def test_dashboard_and_alerts_ask_only_for_metrics_that_are_there(
    hr: Caller, store: Store, redis: Redis, name: str
) -> None:
    a_full_life(hr, store)
    hr.ask({})
    subscribed(store, redis)
    list(store.sweep())
    redis.zadd("rdv:pauses", {"callback/hooks.example.com": store.time().timestamp() * 1000 + 60_000})
    text = (GRAFANA / name).read_text(encoding="utf-8")
    asked = expressions(json.loads(text)) if name.endswith(".json") else [text]
    wanted = {found for expression in asked for found in re.findall(r"\brendezvous_\w+", expression)}
    assert len(wanted) > 8
    assert wanted <= names_on(hr), wanted - names_on(hr)


def test_the_alerts_are_rules_that_prometheus_takes() -> None:
    [group] = yaml.safe_load((GRAFANA / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"] and rule["annotations"]["description"]
        assert rule["expr"].count("(") == rule["expr"].count(")")
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"])


PROMTOOL = shutil.which("promtool")


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
@pytest.mark.parametrize("asked", [("check", "alerts.yml"), ("test", "alerts.test.yml")])
def test_each_alert_is_raised_when_it_should_be_and_only_then(asked: tuple[str, str]) -> None:
    done = subprocess.run(
        [str(PROMTOOL), asked[0], "rules", asked[1]], cwd=GRAFANA, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_tried_and_leads_to_an_entry_of_a_page_that_is_there() -> None:
    rules = (GRAFANA / "alerts.yml").read_text(encoding="utf-8")
    names = re.findall(r"- alert: (\w+)", rules)
    leads = re.findall(r"runbook: (ops/\w+\.md)#(\S+)", rules)
    assert len(names) == len(leads) > 10
    tried = (GRAFANA / "alerts.test.yml").read_text(encoding="utf-8")
    assert [name for name in names if name not in tried] == []
    for page, anchor in set(leads):
        headings = re.findall(r"^#+ (.*)$", (GRAFANA.parents[1] / page).read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert anchor in anchors, (page, anchor)


def test_every_panel_has_its_place_and_a_question() -> None:
    panels = json.loads((GRAFANA / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    places: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & places, panel["title"]
        assert at["x"] + at["w"] <= 24
        places |= cells
        assert panel["targets"] and all(target["expr"] for target in panel["targets"])


def test_a_scrape_needs_no_key(http: FlaskClient) -> None:
    assert http.get("/metrics").status_code == 200


@pytest.mark.parametrize(
    ("end", "result", "outcome"),
    [
        (Dead(failure("unknownOutcome", "X", "Nobody knows.")), "dead", "unknownOutcome"),
        (Succeeded(Result(None, noop=False)), "succeeded", "succeeded"),
        (Succeeded(Result(None, noop=True)), "succeeded", "noop"),
        (Retry("unavailable", "503", timedelta()), "retried", "unavailable"),
    ],
)
def test_what_has_not_happened_yet_is_told_as_0_so_that_its_first_time_is_an_increase(
    hr: Caller, store: Store, end: Outcome, result: str, outcome: str
) -> None:
    of_update = 'backend="cloud",client="hr",kind="update"'
    counters = (f"jobs_accepted_total{{{of_update}}}",
                f'attempts_total{{{of_update},outcome="{outcome}",result="{result}"}}')  # fmt: skip
    before = scraped(hr.get("/metrics").text)
    settle(store, hr.ask(SMALLEST).get_json()["id"], end, outcome)
    after = scraped(hr.get("/metrics").text)
    for counter in counters:
        assert (before[f"rendezvous_{counter}"], after[f"rendezvous_{counter}"]) == (0, 1)
    of_watches = 'backend="watch",client="",kind="notification",outcome="internal",result="dead"'
    assert after[f"rendezvous_attempts_total{{{of_watches}}}"] == 0
