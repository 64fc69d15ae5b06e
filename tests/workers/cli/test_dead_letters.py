"""``rendezvous dead-letters``."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from redis import Redis

from tests.workers.cli.conftest import UPDATE, Life, Run
from tests.workers.given import an_attempt, claimed, ids_of
from workers.cli.dead_letters import since
from workers.job import failure
from workers.outcome import Dead

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def of(event: str) -> dict[str, str]:
    return {**UPDATE["target"], "event": event}


def test_the_list_tells_what_was_given_up_and_why(hr: Run, life: Life) -> None:
    dead, alive = life.died(), life.asked(target=of("B="))
    listed = hr("dead-letters", "list").stdout
    assert dead in listed and alive not in listed
    for expected in ("update", "anna@contoso.com", "notFound ErrorItemNotFound"):
        assert expected in listed


def test_filters_reach_the_api(hr: Run, life: Life) -> None:
    lost = life.died("notFound")
    busy = life.died("expired", target=of("B="))
    chosen = json.loads(hr("dead-letters", "list", "--class", "expired", "--kind", "update", "--json").stdout)
    assert [entry["id"] for entry in chosen["items"]] == [busy]
    assert lost in hr("dead-letters", "list", "--since", "1h").stdout
    assert hr("dead-letters", "list", "--since", "2099-01-01T00:00:00Z").stdout == "No dead letters.\n"
    assert hr("dead-letters", "list", "--mailbox", "nobody@contoso.com").stdout == "No dead letters.\n"


def test_a_dead_callback_is_shown_with_its_address(hr: Run, life: Life, redis: Redis) -> None:
    update_id = life.died(callbackUrl="https://127.0.0.1:9/hook")
    [callback] = ids_of(redis, "msg")
    life.store.settle(claimed(life.store, callback), an_attempt(), Dead(failure("unavailable", "Exhausted", "x")))
    assert "https://127.0.0.1:9/hook" in hr("dead-letters", "list", "--kind", "callback").stdout
    shown = hr("dead-letters", "show", callback).stdout
    for expected in (callback, update_id, "anna@contoso.com", "https://127.0.0.1:9/hook", "Attempts", "unavailable"):
        assert expected in shown
    assert hr("dead-letters", "replay", callback).stdout == f"{callback} is queued again.\n"


def test_one_is_replayed_under_its_own_id(hr: Run, life: Life) -> None:
    dead = life.died()
    assert hr("dead-letters", "replay", dead).stdout == f"{dead} is queued again.\n"
    job = life.store.update(dead)
    assert job is not None and job.state == "queued"
    assert hr("dead-letters", "replay", dead).exit_code == 1


def test_what_one_call_does_not_take_is_told(hr: Run, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.replay.matching.__defaults__", (1,))
    monkeypatch.setattr("workers.replay.AT_ONCE", 1)
    life.died(), life.died(target=of("B="))
    told = hr("dead-letters", "replay", "--all", "--yes").stdout
    assert (
        told == "1 of 1 are queued again.\n"
        "1 still match: one call takes the oldest 10,000. Repeat the command for the rest.\n"
    )


def test_one_that_is_given_up_again_is_not_said_to_have_been_left_out(
    hr: Run, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.replay.matching.__defaults__", (1,))  # the second died after the first was taken
    life.died(), life.died(target=of("B="))
    told = hr("dead-letters", "replay", "--all", "--yes").stdout
    assert told.endswith("1 match now: given up again, or new since then. See `rendezvous dead-letters list`.\n")


@pytest.mark.parametrize("chosen", [(), ("--yes",), ("--dry-run",)])
def test_where_nothing_can_be_replayed_nobody_is_asked(hr: Run, chosen: tuple[str, ...]) -> None:
    came = hr("dead-letters", "replay", "--all", *chosen)
    assert (came.exit_code, came.output) == (0, "No dead letter matches.\n")


def test_a_dry_run_counts_and_changes_nothing(hr: Run, life: Life) -> None:
    dead = life.died()
    assert hr("dead-letters", "replay", "--all", "--dry-run").stdout == "1 would be replayed.\n"
    job = life.store.update(dead)
    assert job is not None and job.state == "dead"


def test_many_are_replayed_after_a_yes_and_only_those_of_the_filters(hr: Run, life: Life) -> None:
    lost, busy = life.died("notFound"), life.died("expired", target=of("B="))
    refused = hr("dead-letters", "replay", "--all", "--class", "expired", text="n\n")
    assert (refused.exit_code, "Replay 1 dead letter(s)?" in refused.stderr) == (1, True)
    assert _state(life, busy) == "dead"
    agreed = hr("dead-letters", "replay", "--all", "--class", "expired", text="y\n")
    assert agreed.stdout.endswith("1 of 1 are queued again.\n")
    assert (_state(life, busy), _state(life, lost)) == ("queued", "dead")
    assert hr("dead-letters", "replay", "--all", "--yes", "--json").exit_code == 0
    assert _state(life, lost) == "queued"


def test_where_nobody_can_be_asked_it_is_said_how_to_answer(hr: Run, life: Life) -> None:
    dead = life.died()
    unasked = hr("dead-letters", "replay", "--all", text="")
    assert (unasked.exit_code, "give --yes" in unasked.stderr) == (1, True)
    assert _state(life, dead) == "dead"


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("upd_1", "--all"),
        ("upd_1", "--dry-run"),
        ("upd_1", "--class", "expired"),
        ("--all", "--since", "x"),
        ("--all", "--since", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_replay_that_could_mean_two_things_is_a_usage_error(hr: Run, wrong: tuple[str, ...]) -> None:
    assert hr("dead-letters", "replay", *wrong).exit_code == 2


def test_a_discarded_one_is_off_the_list(hr: Run, life: Life) -> None:
    dead = life.died()
    assert hr("dead-letters", "discard", dead).stdout == f"{dead} is discarded.\n"
    assert hr("dead-letters", "list").stdout == "No dead letters.\n"
    assert "404" in hr("dead-letters", "discard", dead).stderr


def test_a_program_that_discards_reads_nothing(hr: Run, life: Life) -> None:
    discarded = hr("dead-letters", "discard", life.died(), "--json")
    assert (discarded.exit_code, discarded.output) == (0, "")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", "2026-11-21T07:30:00.000Z"),
        ("7d", "2026-11-14T09:00:00.000Z"),
        ("2026-11-21T10:00:00+02:00", "2026-11-21T08:00:00.000Z"),
        ("2026-11-21T10:00:00", None),
        ("999999999w", None),
        ("-1h", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
    ],
)
def test_a_moment_is_rfc_3339_or_how_long_ago(text: str, moment: str | None) -> None:
    assert since(text, NOW) == moment


def _state(life: Life, update_id: str) -> str:
    job = life.store.update(update_id)
    assert job is not None
    return job.state.value
