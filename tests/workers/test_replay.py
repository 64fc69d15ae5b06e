"""Which dead letters come back, and in which order."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from redis import Redis

from tests.workers.given import NOW, accepted, an_attempt, an_update, claimed
from workers.callbacks.callback import Delivery
from workers.job import failure
from workers.outcome import Dead, Succeeded
from workers.replay import TOGETHER, Hindrance, Undelivered, bring_back, hindrance, matching, undelivered
from workers.settings import Settings
from workers.store import Callback, DeadLetter, Search, Store
from workers.update import Update

GONE = Dead(failure("notFound", "X", "No."))


def a_dead(store: Store, update: Update) -> DeadLetter:
    accepted(store, update)
    return died(store, update.id)


def died(store: Store, job_id: str) -> DeadLetter:
    store.settle(claimed(store, job_id), an_attempt(), GONE)
    letter = store.dead_letter(job_id)
    assert letter is not None
    return letter


def a_dead_callback(store: Store, body: str) -> DeadLetter:
    update = an_update()
    accepted(store, update)
    made = Callback("msg_1", body, "hr", "anna@contoso.com", "line", "callback/x", 10, "x")
    store.settle(claimed(store, update.id), an_attempt(), Succeeded(None), made)
    return died(store, "msg_1")


def test_the_oldest_come_back_first_also_where_one_request_does_not_take_them_all(
    store: Store, settings: Settings
) -> None:
    ids = [a_dead(store, an_update(event=f"event-{number}")).id for number in range(5)]
    first, every = matching(store, settings, "hr", Search(), at_most=2), matching(store, settings, "hr", Search())
    assert ([letter.id for letter in first], [letter.id for letter in every]) == (ids[:2], ids)


def test_many_come_back_in_their_order_and_what_was_taken_meanwhile_is_told(store: Store, redis: Redis) -> None:
    letters = [a_dead(store, an_update()) for _ in range(TOGETHER + 5)]
    assert store.discard(letters[1].id)
    came = list(bring_back(store, letters, NOW))
    assert [done for done, _ in came] == [letter is not letters[1] for letter in letters]
    assert [ring.id for _, rings in came for ring in rings] == [letters[0].id]
    assert redis.lrange(redis.keys("rdv:line:*")[0], 0, -1) == [one.id for one in letters if one is not letters[1]]


def test_one_that_was_replayed_in_vain_comes_back_before_those_that_were_accepted_after_it(
    store: Store, settings: Settings
) -> None:
    ids = [a_dead(store, an_update()).id for _ in range(3)]
    assert store.replay(ids[0])[0]
    died(store, ids[0])
    assert [letter.id for letter in matching(store, settings, "hr", Search())] == ids


def test_an_update_has_as_long_again_as_at_first_however_often_it_is_replayed(store: Store) -> None:
    letter = a_dead(store, an_update())
    for days in (2, 5, 9):
        now = NOW + timedelta(days=days)
        assert next(bring_back(store, [letter], now))[0]
        job = store.update(letter.id)
        assert job is not None
        assert (job.update.created_at, job.update.deadline) == (NOW, now + timedelta(days=1))
        letter = died(store, letter.id)


def test_those_that_cannot_come_back_do_not_keep_the_others(store: Store, settings: Settings, redis: Redis) -> None:
    spoilt, forbidden, fine = (
        a_dead(store, an_update(event=mailbox, mailbox=mailbox))
        for mailbox in ("a@contoso.com", "x@elsewhere.example", "c@contoso.com")
    )
    redis.hset(f"rdv:job:{spoilt.id}", "body", "{")
    assert [letter.id for letter in matching(store, settings, "hr", Search(), at_most=1)] == [fine.id]
    assert hindrance(forbidden, settings) is Hindrance.FORBIDDEN
    strange = settings.model_copy(update={"client": settings.client[1:]})
    strange.__dict__.pop("clients", None)
    assert hindrance(fine, strange) is Hindrance.FORBIDDEN


def test_a_callback_that_was_given_up_can_come_back(store: Store, settings: Settings) -> None:
    body = Delivery("hr", "https://x.example", '{"type": "calendar.update.dead", "data": {"id": "upd_1"}}').to_json()
    letter = a_dead_callback(store, body)
    assert undelivered(letter) == Undelivered("calendar.update.dead", "upd_1", None, "https://x.example")
    assert hindrance(letter, settings) is None


def test_of_which_event_a_lost_change_was_is_known(store: Store) -> None:
    event = {"mailbox": "anna@contoso.com", "event": "E=", "backend": "cloud"}
    text = json.dumps({"type": "calendar.event.changed", "data": {"id": "chg_1", "target": event}})
    letter = a_dead_callback(store, Delivery("hr", "https://x.example", text).to_json())
    assert undelivered(letter) == Undelivered("calendar.event.changed", None, event, "https://x.example")


TO = {"client": "hr", "url": "https://x.example"}


@pytest.mark.parametrize(
    "body",
    ["{", "null", "[]", "{}", json.dumps(TO), json.dumps({**TO, "text": "{"}), json.dumps({**TO, "text": "[]"}),
     json.dumps({**TO, "text": '{"type": "calendar.update.dead"}'})],
)  # fmt: skip
def test_a_callback_whose_stored_form_is_spoilt_is_none_that_could_be_delivered(
    store: Store, settings: Settings, body: str
) -> None:
    letter = a_dead_callback(store, body)
    assert undelivered(letter) is None
    assert hindrance(letter, settings) is Hindrance.SPOILT
