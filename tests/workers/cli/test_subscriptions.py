"""``rendezvous subscriptions``."""

from __future__ import annotations

import json

import pytest

from tests.workers.cli.conftest import Run
from workers.settings import Settings
from workers.store import Store

URL = "https://hooks.example.com/x"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"public_url": "https://rendezvous.example.com"})


def added(hr: Run, mailbox: str = "anna@contoso.com", *more: str) -> str:
    result = hr("--json", "subscriptions", "add", mailbox, URL, *more)
    assert result.exit_code == 0, result.output
    return str(json.loads(result.stdout)["id"])


def test_one_is_added_listed_shown_and_removed(hr: Run) -> None:
    told = hr("subscriptions", "add", "anna@contoso.com", URL, "--property", "subject", "--property", "start").stdout
    one = added(hr, "anna@contoso.com", "--property", "start", "--property", "subject")  # the same again
    assert one in told
    for output in (hr("subscriptions", "list").stdout, hr("subscriptions", "show", one).stdout):
        for expected in (one, "starting", "anna@contoso.com", URL):
            assert expected in output
    assert "subject, start" in hr("subscriptions", "show", one).stdout
    assert hr("subscriptions", "remove", one).stdout == f"{one} has ended.\n"
    assert hr("subscriptions", "list").stdout == "No subscriptions.\n"
    assert hr("subscriptions", "remove", one).exit_code == 1


def test_the_list_can_be_narrowed_to_a_mailbox_and_to_what_fails(hr: Run, store: Store) -> None:
    anna, otto = added(hr), added(hr, "otto@hq.example", "--backend", "hq")

    def listed(*options: str) -> list[str]:
        return [one["id"] for one in json.loads(hr("subscriptions", "list", "--json", *options).stdout)["items"]]

    assert listed() == [otto, anna]
    assert listed("--mailbox", "Anna@contoso.com") == [anna]
    assert listed("--failing") == []
    watch = next(one for one in store.all_watches() if one.backend == "hq")
    store.keep(watch, {"problem": "403 \x1b[31mno", "heard": store.time()}, began=store.time())
    assert listed("--failing") == [otto]
    shown = hr("subscriptions", "show", otto).stdout
    assert "failing" in shown and "403 \N{REPLACEMENT CHARACTER}[31mno" in shown and "last heard" in shown


def test_what_is_refused_is_said_with_its_place(hr: Run) -> None:
    result = hr("subscriptions", "add", "anna@contoso.com", URL, "--property", "colour")
    assert result.exit_code == 1
    assert "/properties/0" in result.output
