"""The judge sees each broken promise, and none where all were kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.callers import Promise
from tests.chaos.judge import Delivered, Evidence, Verdict, Write, judge, percentile, recovery

FIRST, SECOND = Promise("upd_1", "event", 0, at=10.0), Promise("upd_2", "event", 1, at=11.0)
WRITES = (Write("event", "upd_1", "Step 0", 12.0, 1), Write("event", "upd_2", "Step 1", 13.0, 1))
POSTS = (Delivered("upd_1", "msg_1", b"1", 204, 12.5), Delivered("upd_2", "msg_2", b"2", 204, 13.5))
SAID = {"upd_1": "succeeded", "upd_2": "succeeded"}
KEPT = Evidence((FIRST, SECOND), WRITES, POSTS, SAID)


def test_kept_promises_are_all_zeros() -> None:
    assert judge(KEPT) == Verdict() and Verdict().sound


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (replace(KEPT, said={**SAID, "upd_2": "unheard of"}), Verdict(lost=1, callbacks_lost=0)),
        (replace(KEPT, writes=WRITES[:1]), Verdict(lost=1, misreported=1)),
        (replace(KEPT, said={"upd_1": "succeeded"}), Verdict(stuck=1)),
        (replace(KEPT, said={**SAID, "upd_2": "dead"}), Verdict(misreported=1)),
        (replace(KEPT, writes=WRITES[::-1]), Verdict(out_of_order=1)),
        (replace(KEPT, writes=(WRITES[0], replace(WRITES[1], mails=2))), Verdict(mails_wrong=1)),
        (replace(KEPT, writes=(WRITES[0], replace(WRITES[1], mails=0))), Verdict(mails_wrong=1)),
        (replace(KEPT, delivered=POSTS[:1]), Verdict(callbacks_lost=1)),
        (replace(KEPT, delivered=(POSTS[0], replace(POSTS[1], status=500))), Verdict(callbacks_lost=1)),
        (replace(KEPT, delivered=(*POSTS, replace(POSTS[1], webhook_id="msg_3"))), Verdict(callbacks_doubled=1)),
        (replace(KEPT, delivered=(*POSTS, replace(POSTS[1], body=b"3"))), Verdict(callbacks_doubled=1)),
    ],
)
def test_each_broken_promise_is_seen(evidence: Evidence, verdict: Verdict) -> None:
    assert judge(evidence) == verdict and not verdict.sound


def test_a_second_write_is_doubled_although_it_changed_nothing_any_more() -> None:
    again = Write("event", "upd_2", None, 14.0, 1)
    assert judge(replace(KEPT, writes=(*WRITES, again))) == Verdict(doubled=1, mails_wrong=1)


def test_a_write_is_told_by_what_it_made_of_the_event_and_not_by_our_marker() -> None:
    lying = replace(WRITES[1], update="upd_1")
    assert judge(replace(KEPT, writes=(WRITES[0], lying))) == Verdict()


def test_a_write_without_a_promise_is_doubled() -> None:
    stranger = Write("event", "upd_3", "Step 7", 14.0, 1)
    assert judge(replace(KEPT, writes=(*WRITES, stranger))) == Verdict(doubled=1)


def test_the_same_callback_again_is_no_fault() -> None:
    assert judge(replace(KEPT, delivered=(*POSTS, replace(POSTS[1], at=15.0)))) == Verdict()


def test_what_has_to_be_given_up_is_misreported_only_when_it_was_applied() -> None:
    poisoned = replace(KEPT, writes=WRITES[:1], said={**SAID, "upd_2": "dead"}, expected_dead=frozenset({"upd_2"}))
    assert judge(poisoned) == Verdict()
    assert judge(replace(poisoned, writes=WRITES)) == Verdict(misreported=1)


def test_recovery_is_from_the_hurt_until_a_caller_that_waited_is_called_back() -> None:
    assert recovery([11.5], KEPT) == [1.0]
    assert recovery([9.0, 14.0], KEPT) == []
    assert recovery([], KEPT) == []


def test_a_recovery_in_which_something_else_was_hurt_is_told_apart() -> None:
    assert recovery([11.5, 12.0], KEPT) == [0.5, 1.0]
    assert recovery([12.0, 11.5], KEPT, alone=True) == [0.5]


def test_a_person_is_not_judged() -> None:
    entry = {"author": "human", "extended": {}, "changed": {}, "at": "2026-11-21T10:00:00+00:00", "event": "event"}
    assert Write.read({"entry": entry, "invitations": []}) is None
    ours = Write.read({"entry": {**entry, "author": "ews"}, "invitations": [{}]})
    assert ours is not None and (ours.update, ours.subject, ours.mails) == ("", None, 1)


def test_percentiles_of_nothing_are_nothing() -> None:
    assert percentile([], 0.99) is None
    assert percentile([1.0, 2.0, 3.0], 0.99) == 3.0
