"""What a subscriber was told wrongly is seen, each in its column."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.judge import Verdict
from tests.chaos.telling import Told, judge_told

HISTORY = {"event": ("Before", "Step 0", "Step 1", "Step 2")}
FIRST = Told("msg_1", b"1", "event", "Before", "Step 0")
SECOND = Told("msg_2", b"2", "event", "Step 0", "Step 2")


@pytest.mark.parametrize("told", [(FIRST, SECOND), (FIRST, FIRST, SECOND, FIRST), (replace(FIRST, after="Step 2"),)])
def test_changes_may_be_told_as_one_and_a_callback_may_come_again(told: tuple[Told, ...]) -> None:
    assert judge_told(HISTORY, told) == Verdict()


def test_an_event_that_nobody_changed_need_not_be_told_of() -> None:
    assert judge_told({"event": ("Before",)}, ()) == Verdict()


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ((), Verdict(lost=1)),
        ((FIRST,), Verdict(lost=1)),
        ((FIRST, replace(SECOND, event="another")), Verdict(lost=1)),
        ((FIRST, SECOND, replace(SECOND, webhook_id="msg_3", before="Step 2")), Verdict(doubled=1)),
        ((FIRST, replace(FIRST, body=b"3"), SECOND), Verdict(callbacks_doubled=1)),
        ((FIRST, replace(SECOND, before="Before")), Verdict(misreported=1)),
        ((FIRST, replace(SECOND, after="Never"), replace(SECOND, webhook_id="msg_3", before="Never")),
         Verdict(misreported=1)),
        ((replace(FIRST, after="Step 2"), replace(SECOND, before="Step 2", after="Step 1")), Verdict(out_of_order=1)),
    ],
)  # fmt: skip
def test_each_broken_promise_is_seen(told: tuple[Told, ...], verdict: Verdict) -> None:
    assert judge_told(HISTORY, told) == verdict
