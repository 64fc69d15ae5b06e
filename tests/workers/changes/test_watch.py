"""What is due for a watch, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workers.changes.watch import NEW_WINDOW, Step, Watch, new_secret, next_look, quiet, steps, watch_id, watch_of

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
EVERY = timedelta(minutes=5)
NEW = Watch("wch_1", "cloud", "anna@contoso.com", "s")
WELL = replace(
    NEW, graph_id="g", renewed=NOW - timedelta(hours=1), expires=NOW + timedelta(days=6), cursor="c", walked=NOW,
    caught_up=NOW,
)  # fmt: skip


def due(watch: Watch, *, pushed: bool = True) -> tuple[Step, ...]:
    return steps(watch, NOW, pushed=pushed, every=EVERY)


def test_a_new_watch_knows_the_calendar_before_it_subscribes_and_closes_the_gap_afterwards() -> None:
    assert due(NEW) == (Step.WALK, Step.CREATE, Step.CATCH_UP)


def test_where_nobody_pushes_nothing_is_created() -> None:
    assert due(NEW, pushed=False) == (Step.WALK,)


def test_a_subscription_is_made_anew_where_a_renewal_would_not_bring_in_the_terms_of_now() -> None:
    ours = replace(WELL, terms="open")
    assert [steps(ours, NOW, pushed=True, every=EVERY, terms=terms) for terms in ("open", "sealed")] == [
        (),
        (Step.CREATE, Step.CATCH_UP),
    ]


def test_a_watch_that_is_well_is_left_alone() -> None:
    assert due(WELL) == ()


@pytest.mark.parametrize(
    ("change", "steps"),
    [
        ({"expires": NOW}, (Step.CREATE, Step.CATCH_UP)),
        ({"graph_id": None}, (Step.CREATE, Step.CATCH_UP)),
        ({"renewed": NOW - timedelta(days=4), "expires": NOW + timedelta(days=3)}, (Step.RENEW,)),
        ({"renewed": None}, (Step.RENEW,)),
        ({"reauthorize": NOW - timedelta(minutes=1)}, (Step.RENEW,)),
        ({"missed": NOW, "caught_up": NOW - timedelta(seconds=1)}, (Step.CATCH_UP,)),
        ({"caught_up": NOW - EVERY}, (Step.CATCH_UP,)),
        ({"walked": NOW - NEW_WINDOW}, (Step.CATCH_UP, Step.MOVE_ON)),
        ({"cursor": None}, (Step.WALK,)),
    ],
)
def test_what_is_wrong_decides_what_is_done(change: dict[str, Any], steps: tuple[Step, ...]) -> None:
    assert due(replace(WELL, **change)) == steps


@pytest.mark.parametrize(
    "change",
    [
        {"reauthorize": NOW - timedelta(hours=2)},
        {"missed": NOW - timedelta(seconds=1)},
        {"renewed": NOW - timedelta(days=2), "expires": NOW + timedelta(days=3)},
    ],
)
def test_what_was_dealt_with_is_not_due_again(change: dict[str, Any]) -> None:
    assert due(replace(WELL, **change)) == ()


def test_a_day_of_outage_leaves_everything_due_at_once() -> None:
    late = replace(WELL, expires=NOW - timedelta(days=1), caught_up=NOW - timedelta(days=8))
    assert due(late) == (Step.CREATE, Step.CATCH_UP)


def test_the_next_look_is_the_catch_up_or_the_renewal_whichever_is_sooner() -> None:
    assert next_look(WELL, NOW, pushed=True, every=EVERY) == NOW + EVERY
    assert next_look(replace(WELL, caught_up=None, renewed=None), NOW, pushed=True, every=EVERY) == NOW + EVERY
    short = replace(WELL, renewed=NOW, expires=NOW + timedelta(minutes=2))
    assert next_look(short, NOW, pushed=True, every=EVERY) == NOW + timedelta(minutes=1)
    assert next_look(short, NOW, pushed=False, every=EVERY) == NOW + EVERY


def test_the_next_look_is_never_at_once() -> None:
    assert next_look(replace(WELL, caught_up=NOW - EVERY * 2), NOW, pushed=True, every=EVERY) > NOW


def test_a_mailbox_has_one_watch_however_it_is_spelled() -> None:
    assert watch_id("cloud", "Anna@Contoso.com") == watch_id("cloud", "anna@contoso.com")
    assert watch_id("cloud", "anna@contoso.com") != watch_id("hq", "anna@contoso.com")


def test_a_secret_tells_its_watch_and_fits_into_graphs_128_characters() -> None:
    one, other = (new_secret(watch_id("cloud", "anna@contoso.com")) for _ in range(2))
    assert watch_of(one) == watch_of(other) == watch_id("cloud", "anna@contoso.com")
    assert one != other
    assert len(one) <= 128


@pytest.mark.parametrize(
    ("change", "is_quiet"),
    [
        ({}, False),
        ({"heard": NOW - timedelta(days=9)}, False),
        ({"heard": NOW - timedelta(hours=25), "usual": timedelta(hours=12)}, True),
        ({"heard": NOW - timedelta(hours=23), "usual": timedelta(hours=12)}, False),
        ({"heard": NOW - timedelta(hours=1), "usual": timedelta(seconds=5)}, False),
        ({"heard": NOW - timedelta(hours=3), "usual": timedelta(seconds=5)}, True),
        ({"heard": NOW - timedelta(hours=3), "usual": timedelta(seconds=5), "expires": NOW}, False),
        ({"heard": NOW - timedelta(hours=3), "usual": timedelta(seconds=5), "expires": None}, False),
    ],
)
def test_quiet_is_twice_the_longest_silence_of_a_subscription_that_lives(
    change: dict[str, Any], is_quiet: bool
) -> None:
    assert quiet(replace(WELL, **change), NOW) is is_quiet
