"""Looking for updates over several clients: newest first, every match once, never more work than is bounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from tests.workers.given import accepted, an_attempt, an_update, claimed
from workers.job import ErrorClass, State, failure
from workers.outcome import Dead
from workers.store import BadCursor, Search, Store, searching

BOTH = ("hr", "rooms")


def given(store: Store, redis: Redis, count: int) -> list[str]:
    """Updates of both clients by turns, a second apart, newest first."""
    ids = []
    for number in range(count):
        update = an_update(event=f"event-{number}", client=BOTH[number % 2], mailbox=f"m{number % 3}@contoso.com")
        accepted(store, update)
        redis.zadd(f"rdv:updates:{update.client}", {update.id: 1_000_000 + number * 1000})
        ids.append(update.id)
    return ids[::-1]


def test_the_lists_of_several_clients_are_one_list_newest_first(store: Store, redis: Redis) -> None:
    ids = given(store, redis, 7)
    assert list(store.search_updates(BOTH, Search(), 10).ids) == ids
    assert set(store.search_updates(("hr",), Search(), 10).ids) == set(ids[::2])


def test_every_update_is_on_exactly_one_page(store: Store, redis: Redis) -> None:
    ids = given(store, redis, 7)
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = store.search_updates(BOTH, Search(), 2, cursor)
        seen += page.ids
        cursor = page.next_cursor
    assert (seen, cursor) == (ids, None)


def test_updates_of_the_same_millisecond_are_all_found(store: Store, redis: Redis) -> None:
    ids = given(store, redis, 5)
    for client in BOTH:
        for member in map(str, redis.zrange(f"rdv:updates:{client}", 0, -1)):
            redis.zadd(f"rdv:updates:{client}", {member: 1_000_000})
    first = store.search_updates(BOTH, Search(), 3)
    rest = store.search_updates(BOTH, Search(), 3, first.next_cursor)
    assert sorted([*first.ids, *rest.ids]) == sorted(ids)


def test_a_state_a_mailbox_and_a_time_choose(store: Store, redis: Redis) -> None:
    ids = given(store, redis, 6)
    claimed(store, ids[2])
    assert store.search_updates(BOTH, Search(state=State.RUNNING), 10).ids == (ids[2],)
    assert store.search_updates(BOTH, Search(mailbox="M0@contoso.com"), 10).ids == (ids[2], ids[5])
    moment = datetime.fromtimestamp(1002, UTC)
    assert store.search_updates(BOTH, Search(since=moment), 10).ids == tuple(ids[:4])
    assert store.search_updates(BOTH, Search(until=moment), 10).ids == tuple(ids[4:])
    assert store.search_updates(BOTH, Search(since=moment, until=moment + timedelta(seconds=1)), 10).ids == (ids[3],)


def test_dead_letters_are_found_by_their_class(store: Store, redis: Redis) -> None:
    ids = given(store, redis, 3)
    classes: tuple[ErrorClass, ...] = ("refused", "notFound")
    for error_class, update_id in zip(classes, ids, strict=False):
        end = Dead(failure(error_class, "X", "x"))
        store.settle(claimed(store, update_id), an_attempt(1, error_class), end)
    assert store.search_dead(BOTH, Search(error_class="notFound"), 10).ids == (ids[1],)
    assert set(store.search_dead(BOTH, Search(), 10).ids) == set(ids[:2])
    assert store.search_dead(BOTH, Search(kind="callback"), 10).ids == ()


def test_dead_letters_are_listed_last_died_first_and_replayed_first_died_first_by_the_same_filters(
    store: Store, redis: Redis
) -> None:
    ids = given(store, redis, 3)
    for died, update_id in enumerate(ids):
        store.settle(claimed(store, update_id), an_attempt(1, "refused"), Dead(failure("refused", "X", "x")))
        letter = store.dead_letter(update_id)
        assert letter is not None
        redis.zadd(f"rdv:dead:{letter.client}", {update_id: 2_000_000 + died})
    assert store.search_dead(BOTH, Search(), 10).ids == (ids[2], ids[1], ids[0])
    early = Search(until=datetime.fromtimestamp(2000.002, UTC))
    for which in (Search(), early, Search(state=State.QUEUED), Search(mailbox="M0@contoso.com"), Search(kind="update")):
        oldest_first = [job_id for piece in store.dead_from_the_oldest("hr", which) for job_id in piece]
        assert oldest_first[::-1] == list(store.search_dead(("hr",), which, 10).ids)
    assert [job_id for piece in store.dead_from_the_oldest("hr", early) for job_id in piece] == [ids[0]]


def test_a_search_that_finds_nothing_for_long_ends_its_page_and_goes_on(
    store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = given(store, redis, 6)
    monkeypatch.setattr(searching, "LOOKED_AT", 4)
    page = store.search_updates(BOTH, Search(mailbox="m0@contoso.com"), 10)
    assert page.ids == (ids[2],)
    rest = store.search_updates(BOTH, Search(mailbox="m0@contoso.com"), 10, page.next_cursor)
    assert rest.ids == (ids[5],)


def test_what_comes_and_goes_between_two_chunks_shifts_nothing(
    store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = given(store, redis, 8)
    monkeypatch.setattr(searching, "_CHUNK", 3)
    judged = store._judged

    def meanwhile(chunk: list[str], which: Search) -> list[bool]:
        wanted = judged(chunk, which)
        accepted(store, an_update(event="newer", client="hr"))
        redis.zrem("rdv:updates:rooms", *chunk)
        return wanted

    monkeypatch.setattr(store, "_judged", meanwhile)
    assert list(store.search_updates(BOTH, Search(), 10).ids) == ids


def test_a_chunk_of_one_millisecond_does_not_end_the_list(
    store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = given(store, redis, 7)
    redis.zadd("rdv:updates:hr", dict.fromkeys(map(str, redis.zrange("rdv:updates:hr", 0, -1)), 1_000_000))
    monkeypatch.setattr(searching, "_CHUNK", 2)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = store.search_updates(("hr",), Search(), 1, cursor)
        found += page.ids
        cursor = page.next_cursor
    assert found == sorted(ids[::2], reverse=True)


@pytest.mark.parametrize("cursor", ["x", "1e9.upd", "-1.x", "9" * 40 + ".x", "٣.x"])
def test_a_cursor_that_is_none_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(BadCursor):
        store.search_updates(BOTH, Search(), 10, cursor)
