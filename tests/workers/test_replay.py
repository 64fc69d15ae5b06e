from tests.workers.given import accepted, an_attempt, an_update, claimed
from workers.outcome import Dead
from workers.replay import matching
from workers.retry import failure
from workers.store import Search, Store


def test_the_oldest_come_back_first_also_where_one_request_does_not_take_them_all(store: Store) -> None:
    updates = [an_update(event=f"event-{number}") for number in range(5)]
    for update in updates:
        accepted(store, update)
        store.settle(claimed(store, update.id), an_attempt(), Dead(failure("notFound", "X", "No.")))
    assert [letter.id for letter in matching(store, "hr", Search(), at_most=2)] == [update.id for update in updates[:2]]
    assert [letter.id for letter in matching(store, "hr", Search())] == [update.id for update in updates]
