"""``rendezvous updates``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from tests.until import until
from tests.workers.cli.conftest import UPDATE, Life, Run
from tests.workers.given import accepted, an_attempt, an_update, claimed
from workers.outcome import Retry, Succeeded
from workers.store import Search, Store, searching

Write = Callable[[Any], str]


def test_an_update_is_sent_from_a_file_and_its_id_is_printed(hr: Run, store: Store, file: Write) -> None:
    result = hr("updates", "send", file(UPDATE))
    assert result.exit_code == 0, result.output
    update_id = result.stdout.split()[0]
    assert result.stdout == f"{update_id} queued. `rendezvous updates show {update_id}` tells more.\n"
    job = store.update(update_id)
    assert job is not None and dict(job.update.intent.set) == {"subject": "Moved"}


def test_the_same_idempotency_key_is_the_same_update(hr: Run, file: Write) -> None:
    once, again = (
        json.loads(hr("updates", "send", file(UPDATE), "--idempotency-key", "k1", "--json").stdout) for _ in range(2)
    )
    other = json.loads(hr("updates", "send", file(UPDATE), "--json").stdout)
    assert once["id"] == again["id"] != other["id"]


def test_every_field_that_is_wrong_is_told_with_its_pointer(hr: Run, file: Write) -> None:
    result = hr("updates", "send", file({**UPDATE, "set": {"start": 5, "nonsense": 1}}))
    assert result.exit_code == 1
    assert "422 What was sent is not valid" in result.stderr
    assert "\n  /set/start: " in result.stderr
    assert "\n  /set/nonsense: " in result.stderr
    assert result.stdout == ""


def test_a_single_field_that_is_wrong_is_told_once(hr: Run, file: Write) -> None:
    result = hr("updates", "send", file({**UPDATE, "set": {"nonsense": 1}}))
    assert result.stderr.count("/set/nonsense: ") == 1


def test_a_program_gets_the_problem_as_json(hr: Run, file: Write) -> None:
    result = hr("--json", "updates", "send", file({**UPDATE, "set": {"nonsense": 1}}))
    problem = json.loads(result.stdout)
    assert (result.exit_code, problem["status"], problem["errors"][0]["pointer"]) == (1, 422, "/set/nonsense")


def test_what_is_not_json_is_told_with_line_and_column_before_anything_is_sent(hr: Run) -> None:
    result = hr("updates", "send", "-", text='{"target":\n  nonsense}')
    assert result.exit_code == 1
    assert "not JSON: line 2, column 3" in result.stderr


@pytest.mark.parametrize(
    ("text", "said"), [(f'{{"set": {"9" * 5000}}}', "too many digits"), ("[" * 100_000, "nested too deeply")]
)
def test_what_cannot_be_read_as_json_is_told_before_anything_is_sent(hr: Run, text: str, said: str) -> None:
    result = hr("updates", "send", "-", text=text)
    assert (result.exit_code, said in result.stderr) == (1, True), result.output


def test_waiting_ends_with_the_update_and_tells_its_steps(hr: Run, store: Store, file: Write) -> None:
    worker = Thread(target=_retry_then_succeed, args=(store,), daemon=True)
    worker.start()
    result = hr("updates", "send", file(UPDATE), "--wait", "--timeout", "20")
    worker.join(20)
    assert result.exit_code == 0, result.output
    assert " queued\n" in result.stderr
    assert "succeeded" in result.stderr.splitlines()[-1]
    assert "throttled" in result.stdout


def test_waiting_for_an_update_that_dies_is_a_failure(hr: Run, life: Life) -> None:
    update_id = life.died(key="k1")
    result = hr("updates", "send", "-", "--wait", "--idempotency-key", "k1", text=json.dumps(UPDATE))
    assert result.exit_code == 1
    assert update_id in result.stdout and "ErrorItemNotFound" in result.stdout


def test_waiting_too_long_says_that_the_update_goes_on(hr: Run, file: Write) -> None:
    result = hr("updates", "send", file(UPDATE), "--wait", "--timeout", "0")
    assert result.exit_code == 1
    assert "has not ended within 0 s; it goes on" in result.stderr


def test_the_list_shows_newest_first_and_filters_by_state(hr: Run, life: Life) -> None:
    old, new = life.died(), life.asked(target={**UPDATE["target"], "event": "BBB="})
    every = hr("updates", "list").stdout
    assert every.index(new) < every.index(old)
    assert "notFound: ErrorItemNotFound" in every
    dead = hr("updates", "list", "--state", "dead").stdout
    assert old in dead and new not in dead


def test_a_list_longer_than_a_page_is_fetched_page_after_page(hr: Run, store: Store) -> None:
    for number in range(103):
        accepted(store, an_update(f"E{number}="))
    newest = store.search_updates(("hr",), Search(), 102).ids
    page = json.loads(hr("updates", "list", "--limit", "102", "--json").stdout)
    assert [update["id"] for update in page["items"]] == list(newest)
    assert page["nextCursor"] is not None
    assert "There are more" in hr("updates", "list", "--limit", "2").stdout


def test_a_list_goes_on_over_pages_that_hold_nothing(hr: Run, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = life.died()
    for number in range(5):
        life.asked(target={**UPDATE["target"], "event": f"E{number}="})
    monkeypatch.setattr(searching, "LOOKED_AT", 2)
    page = json.loads(hr("updates", "list", "--state", "dead", "--json").stdout)
    assert ([update["id"] for update in page["items"]], page["nextCursor"]) == ([dead], None)


def test_the_list_tells_when_a_retry_is_due(hr: Run, life: Life) -> None:
    update_id = life.asked()
    again = Retry("throttled", "429", timedelta(hours=1))
    life.store.settle(claimed(life.store, update_id), an_attempt(1, "throttled"), again)
    assert "attempt 1: throttled, again at 20" in hr("updates", "list").stdout


def test_an_empty_list_says_so(hr: Run) -> None:
    assert hr("updates", "list", "--mailbox", "nobody@contoso.com").stdout == "No updates.\n"


def test_one_update_is_told_with_its_attempts_and_what_changed(hr: Run, life: Life) -> None:
    shown = hr("updates", "show", life.succeeded(callbackUrl="https://hooks.example.com/x"))
    assert shown.exit_code == 0, shown.output
    for expected in ("succeeded", "anna@contoso.com on cloud", "Attempts", "1.00 s", "subject", "sendToNone",
                     "the event was read back and is as asked", "https://hooks.example.com/x"):  # fmt: skip
        assert expected in shown.stdout


def test_text_from_outside_is_neither_markup_nor_a_control_sequence(hr: Run, life: Life) -> None:
    shown = hr("updates", "show", life.succeeded()).stdout
    assert "Team [bold]building[/bold]" in shown
    assert "Moved \N{REPLACEMENT CHARACTER}[31mhere" in shown
    assert "\x1b" not in shown


def test_json_is_what_the_api_gives(hr: Run, life: Life) -> None:
    update = json.loads(hr("updates", "show", life.succeeded(), "--json").stdout)
    assert update["result"]["changed"]["subject"]["after"] == "Moved \x1b[31mhere"


def test_an_id_that_is_none_is_not_found_whatever_it_holds(hr: Run) -> None:
    for wrong in ("upd_1", "../x", "a/b?c#d", "%2e%2e", "é"):
        result = hr("updates", "show", wrong)
        assert result.exit_code == 1, wrong
        assert "404" in result.stderr, result.stderr
        assert "Check the id" in result.stderr


def test_a_waiting_update_is_cancelled_and_one_that_ended_is_not(hr: Run, life: Life) -> None:
    update_id = life.asked()
    assert hr("updates", "cancel", update_id).stdout == f"{update_id} is cancelled.\n"
    result = hr("updates", "cancel", life.succeeded())
    assert (result.exit_code, "409 It is too late to cancel" in result.stderr) == (1, True)


def test_all_that_wait_are_cancelled_after_a_yes(hr: Run, life: Life, store: Store) -> None:
    first, second = life.asked(), life.asked()
    other = life.asked(target={"mailbox": "bert@contoso.com", "event": "B="})
    retrying = life.asked(target={"mailbox": "anna@contoso.com", "event": "C="})
    store.settle(
        claimed(store, retrying), an_attempt(1, "unavailable"), Retry("unavailable", "503", timedelta(hours=1))
    )
    claimed(store, first)
    assert hr("updates", "cancel", "--all", "--dry-run").stdout == "3 would be cancelled.\n"
    assert hr("updates", "cancel", "--all", text="n\n").exit_code == 1
    assert _states(store, first, second, other, retrying) == ["running", "queued", "queued", "retrying"]
    agreed = hr("updates", "cancel", "--all", "--mailbox", "anna@contoso.com", text="y\n")
    assert "Cancel 2 update(s)?" in agreed.stderr and agreed.stdout.endswith("2 of 2 are cancelled.\n")
    assert _states(store, first, second, other, retrying) == ["running", "cancelled", "queued", "cancelled"]
    said = hr("--json", "updates", "cancel", "--all", "--yes")
    assert json.loads(said.stdout) == {"matched": 1, "cancelled": 1, "dryRun": False}
    assert hr("updates", "cancel", "--all").stdout == "No update waits.\n"


def test_of_one_event_the_newest_is_cancelled_first_so_that_none_behind_it_begins(
    hr: Run, life: Life, store: Store
) -> None:
    ids = [life.asked() for _ in range(3)]
    assert hr("updates", "cancel", "--all", "--yes").exit_code == 0
    ended = [job.finished_at for update_id in ids if (job := store.update(update_id)) and job.finished_at]
    assert len(ended) == 3 and ended == sorted(ended, reverse=True)


def test_more_than_one_call_takes_back_are_left_for_the_next(
    hr: Run, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["workers.cli.updates"], "_AT_ONCE", 2)  # the name leads to the command of that name
    for _ in range(3):
        life.asked()
    told = hr("updates", "cancel", "--all", "--yes").stdout
    assert told == "2 of 2 are cancelled.\nRepeat the command for the rest.\n"
    assert hr("updates", "cancel", "--all", "--yes").stdout == "1 of 1 are cancelled.\n"


def test_one_whose_last_write_may_have_been_applied_is_left_and_counted(hr: Run, life: Life, store: Store) -> None:
    in_doubt, waiting = life.asked(), life.asked(target={"mailbox": "anna@contoso.com", "event": "B="})
    grant = claimed(store, in_doubt)
    assert store.intend(grant, "{}") == timedelta()
    store.settle(
        grant, an_attempt(1, "unknownOutcome"), Retry("unknownOutcome", "lost", timedelta(hours=1), in_doubt=True)
    )
    said = hr("updates", "cancel", "--all", "--yes").stdout.splitlines()
    assert said[0] == "1 of 2 are cancelled." and said[1].startswith("1 wait: ")
    assert _states(store, in_doubt, waiting) == ["retrying", "cancelled"]


@pytest.mark.parametrize("wrong", [(), ("upd_1", "--all"), ("upd_1", "--dry-run"), ("upd_1", "--mailbox", "a@b.c")])
def test_a_cancel_that_could_mean_two_things_is_a_usage_error(hr: Run, wrong: tuple[str, ...]) -> None:
    assert hr("updates", "cancel", *wrong).exit_code == 2


def _retry_then_succeed(store: Store) -> None:
    def ids() -> tuple[str, ...]:
        return tuple(store.search_updates(("hr",), Search(), 1).ids)

    assert until(lambda: bool(ids()), 20)
    (update_id,) = ids()
    store.settle(claimed(store, update_id), an_attempt(1, "throttled"), Retry("throttled", "429", timedelta()))
    store.settle(claimed(store, update_id), an_attempt(2), Succeeded(None))


def _states(store: Store, *ids: str) -> list[str]:
    return [str(job.state) for update_id in ids if (job := store.update(update_id))]
