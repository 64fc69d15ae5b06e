"""What the store keeps of watches, on a real store."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis

from tests.workers.given import accepted, an_attempt, an_update, claimed
from workers.changes.event_change import Snapshot
from workers.changes.notification import FIRST_SIGHT, FOUND, MIRRORED, Notification
from workers.changes.subscription import Mirror, Subscription
from workers.changes.watch import Watch
from workers.job import failure
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.store import Callback, Ring, Store
from workers.update import Target

AT = "2026-11-21T09:00:00.000Z"
SNAPSHOT = Snapshot("v1", {"subject": "S"}, (), AT)
MIRROR = Mirror("mir_1", "hr", Target("cloud", "E", mailbox="anna@contoso.com"),
                Target("hq", "F", mailbox="o@hq.example"), ("subject",), None, AT)  # fmt: skip


def a_subscription(number: int = 1, mailbox: str = "anna@contoso.com") -> Subscription:
    url = f"https://hooks.example.com/{number}"
    return Subscription(f"sub_{number}", "hr", "cloud", mailbox, url, ("subject",), AT)


@pytest.fixture
def watch(store: Store) -> Watch:
    store.begin(a_subscription())
    found = store.watch(a_subscription().watch)
    assert found is not None
    return found


def notification(watch: Watch, event: str = "E", etag: str = "v1", change: str = "updated") -> Notification:
    return Notification(watch.id, event, change, etag)


def heard(store: Store, watch: Watch, *what: Notification) -> list[str]:
    """The ids of the jobs whose bells have to ring."""
    return [ring.id for ring in store.hear([one.heard(watch) for one in what], how="told")[1]]


def rung(store: Store) -> list[Ring]:
    return [ring for rings in store.wake() for ring in rings]


def test_a_mailbox_is_watched_once_however_many_want_to_know(store: Store, redis: Redis, watch: Watch) -> None:
    store.begin(a_subscription(2, "Anna@contoso.com"))
    store.begin(MIRROR)
    assert redis.keys("rdv:watch:*") == [f"rdv:watch:{watch.id}"]
    assert store.watch(watch.id) == watch
    assert {one.id for one in store.watchers(watch.id)} == {"sub_1", "sub_2", "mir_1"}


def test_the_same_wish_is_kept_once(store: Store) -> None:
    assert store.begin(a_subscription()) == "sub_1"
    again = Subscription("sub_9", *[getattr(a_subscription(), name) for name in Subscription.__slots__[1:]])
    assert store.begin(again) == "sub_1"
    assert [one.id for one in store.watchers_of("hr", Subscription)] == ["sub_1"]


def test_as_many_as_may_want_to_know_of_a_mailbox_and_those_that_do_already_are_found_again(store: Store) -> None:
    first, other = a_subscription(1), a_subscription(2)
    assert [store.begin(one, most=2) for one in (first, other, MIRROR, first)] == ["sub_1", "sub_2", None, "sub_1"]
    assert store.watcher(Mirror, MIRROR.id) is None
    assert store.begin(a_subscription(3, "otto@contoso.com"), most=2) == "sub_3", "another mailbox"
    store.end(other)
    assert store.begin(MIRROR, most=2) == MIRROR.id


def test_who_has_ended_is_forgotten_and_may_begin_again(store: Store, watch: Watch) -> None:
    store.end(a_subscription())
    store.end(a_subscription())
    assert (store.watcher(Subscription, "sub_1"), store.watchers(watch.id)) == (None, ())
    assert store.begin(a_subscription()) == "sub_1"


def test_a_watch_that_nobody_wants_is_let_go_with_all_it_knew(store: Store, redis: Redis, watch: Watch) -> None:
    store.first_seen(watch, {"E": SNAPSHOT})
    assert not store.forget(watch)
    store.end(a_subscription())
    assert store.forget(watch)
    assert redis.keys("rdv:watch*") + redis.keys("rdv:s[nu]*") == []


def test_what_is_seen_of_a_watch_that_is_gone_is_not_kept(store: Store, redis: Redis, watch: Watch) -> None:
    store.end(a_subscription())
    store.forget(watch)
    store.first_seen(watch, {"E": SNAPSHOT})
    assert redis.keys("rdv:s[nu]*") == []


def test_who_looks_late_changes_nothing_of_what_a_later_job_noted(store: Store, watch: Watch) -> None:
    frozen, later = replace(watch, fence=7), replace(watch, fence=8)
    assert store.keep(later, {"graph_id": "g-2"}, began=store.time())
    assert not store.keep(frozen, {"graph_id": "g-1"}, began=store.time())
    noted = store.watch(watch.id)
    assert noted is not None and (noted.graph_id, noted.fence) == ("g-2", 8)


def test_a_watch_that_began_anew_has_everything_to_learn(store: Store, watch: Watch) -> None:
    (first,) = heard(store, watch, notification(watch, change=FIRST_SIGHT))
    store.settle(claimed(store, first), an_attempt(), Succeeded(None))
    store.end(a_subscription())
    store.forget(watch)
    store.begin(a_subscription())
    again = store.watch(watch.id)
    assert again is not None and len(heard(store, again, notification(again, change=FIRST_SIGHT))) == 1


def test_a_watch_that_is_wanted_again_while_it_is_let_go_subscribes_anew(store: Store, watch: Watch) -> None:
    now = store.time()
    store.keep(watch, {"graph_id": "g", "expires": now, "renewed": now}, began=now)
    assert not store.forget(watch)
    again = store.watch(watch.id)
    assert again is not None and (again.graph_id, again.expires, again.renewed) == (None, None, None)


def test_a_new_watch_is_looked_at_at_once_and_by_one_job(store: Store, watch: Watch) -> None:
    (ring,) = rung(store)
    assert (ring.kind, ring.label) == ("watch", "anna@contoso.com")
    assert rung(store) == []
    store.lifecycle(watch.id, "missed")
    assert rung(store) == []  # the job that waits will see to it


def test_a_watch_is_looked_at_when_it_said(store: Store, watch: Watch) -> None:
    (ring,) = rung(store)
    grant = claimed(store, ring.id)
    began = store.time()
    store.keep(watch, {"problem": None}, began=began, look=began + timedelta(hours=1))
    store.settle(grant, an_attempt(), Succeeded(None))
    assert rung(store) == []
    store.lifecycle(watch.id, "reauthorizationRequired")
    assert [one.kind for one in rung(store)] == ["watch"]


def test_of_a_look_that_fails_again_and_again_only_the_last_time_is_remembered(
    store: Store, redis: Redis, watch: Watch
) -> None:
    (ring,) = rung(store)
    for number in range(1, 4):
        grant = claimed(store, ring.id)
        assert grant.attempts == number - 1
        store.settle(grant, an_attempt(number, "accessDenied"), Retry("accessDenied", "403", timedelta()))
    history = str(redis.hget(f"rdv:job:{ring.id}", "attempts"))
    assert history.count("accessDenied") == 1 and '"number":3' in history


@pytest.mark.parametrize(
    "wish",
    [
        lambda store, watch: store.lifecycle(watch.id, "missed"),
        lambda store, watch: store.begin(a_subscription(2)),
        lambda store, watch: store.end(a_subscription()),
    ],
    ids=["Graph's", "of one more who wants to know", "of one who wants to know no more"],
)
def test_a_wish_that_comes_during_a_look_is_not_lost(
    store: Store, watch: Watch, wish: Callable[[Store, Watch], object]
) -> None:
    (ring,) = rung(store)
    grant = claimed(store, ring.id)
    time.sleep(0.002)
    began = store.time()
    wish(store, watch)
    store.keep(watch, {}, began=began, look=began + timedelta(hours=1))
    store.settle(grant, an_attempt(), Succeeded(None))
    assert [one.kind for one in rung(store)] == ["watch"]


def test_a_wish_of_the_millisecond_in_which_a_look_began_is_not_lost(store: Store, redis: Redis, watch: Watch) -> None:
    (ring,) = rung(store)
    grant, began = claimed(store, ring.id), store.time()
    redis.hset(f"rdv:watch:{watch.id}", "wanted", round(began.timestamp() * 1000))
    store.keep(watch, {}, began=began, look=began + timedelta(hours=1))
    store.settle(grant, an_attempt(), Succeeded(None))
    assert [one.kind for one in rung(store)] == ["watch"]


@pytest.mark.parametrize("wish", [
    lambda store, watch: store.lifecycle(watch.id, "missed"),
    lambda store, watch: store.begin(a_subscription(2)),
    lambda store, watch: store.end(a_subscription()),
    lambda store, watch: store.forget(watch),
])  # fmt: skip
def test_whatever_becomes_of_who_wants_to_know_the_watch_is_looked_at_at_once(
    store: Store, watch: Watch, wish: Callable[[Store, Watch], object]
) -> None:
    (ring,) = rung(store)
    grant = claimed(store, ring.id)
    time.sleep(0.002)
    store.keep(watch, {}, began=store.time(), look=store.time() + timedelta(hours=1))
    store.settle(grant, an_attempt(), Succeeded(None))
    assert rung(store) == []
    wish(store, watch)
    assert [one.kind for one in rung(store)] == ["watch"]


def test_a_watch_whose_look_came_to_nothing_is_looked_at_again_in_a_minute(
    store: Store, redis: Redis, watch: Watch
) -> None:
    rung(store)
    wait = (redis.zscore("rdv:watches", watch.id) or 0) / 1000 - store.time().timestamp()
    assert 50 < wait <= 60


def test_a_watch_that_is_gone_is_not_looked_for_again_and_again(store: Store, redis: Redis) -> None:
    redis.zadd("rdv:watches", {"wch_gone": 1})
    assert rung(store) == []
    assert redis.zrange("rdv:watches", 0, -1) == []


@pytest.mark.parametrize(
    ("event", "noted"),
    [
        ("missed", (True, False, "g")),
        ("reauthorizationRequired", (False, True, "g")),
        ("subscriptionRemoved", (True, False, None)),
    ],
)
def test_a_lifecycle_event_is_noted(
    store: Store, watch: Watch, event: str, noted: tuple[bool, bool, str | None]
) -> None:
    now = store.time()
    store.keep(watch, {"graph_id": "g", "expires": now, "renewed": now}, began=now)
    assert store.lifecycle(watch.id, event)
    kept = store.watch(watch.id)
    assert kept is not None
    assert (kept.missed is not None, kept.reauthorize is not None, kept.graph_id) == noted
    assert (kept.expires is None) == (kept.renewed is None) == (kept.graph_id is None)
    assert not store.lifecycle("wch_gone", event)


def test_the_same_notification_three_times_is_one_job(store: Store, watch: Watch) -> None:
    assert len(heard(store, watch, *[notification(watch)] * 3)) == 1
    assert heard(store, watch, notification(watch)) == []


def test_what_is_told_without_a_version_is_looked_at_every_time_and_once_for_all_that_come_meanwhile(
    store: Store, watch: Watch
) -> None:
    unversioned = notification(watch, etag="")
    for _ in range(2):
        (job,) = heard(store, watch, *[unversioned] * 3)
        store.settle(claimed(store, job), an_attempt(), Succeeded(None))


def test_a_later_change_finds_the_job_that_has_not_begun(store: Store, watch: Watch) -> None:
    (first,) = heard(store, watch, notification(watch))
    assert store.hear([notification(watch, etag="v2").heard(watch)], how="told") == (0, ())
    grant = claimed(store, first)
    assert store.hear([notification(watch, etag="v3").heard(watch)], how="told")[0] == 1
    store.settle(grant, an_attempt(), Succeeded(None))


def test_a_job_that_has_not_begun_looks_whichever_version_it_knows_once_it_stands_for_a_later_change(
    store: Store, watch: Watch
) -> None:
    (first,) = heard(store, watch, notification(watch, etag="v2"))
    heard(store, watch, notification(watch, etag="v3"))
    heard(store, watch, notification(watch, etag="v3", change="deleted"))
    waiting = Notification.from_json(claimed(store, first).body)
    assert waiting == notification(watch, etag="", change="deleted")
    assert not waiting.is_of("v2")


@pytest.mark.parametrize(
    ("changes", "stands_for"),
    [
        (("updated", "created"), "created"),
        (("created", "updated"), "created"),
        (("updated", "created", "deleted"), "deleted"),
        (("deleted", "created"), "deleted"),
    ],
)
def test_a_job_that_has_not_begun_stands_for_the_creation_also_where_a_change_overtook_it(
    store: Store, watch: Watch, changes: Sequence[str], stands_for: str
) -> None:
    jobs = [heard(store, watch, notification(watch, change=change)) for change in changes]
    assert Notification.from_json(claimed(store, jobs[0][0]).body).change == stands_for


@pytest.mark.parametrize(
    ("told", "believed"),
    [
        ([("updated", "v2"), ("deleted", "v2")], True),
        ([("deleted", "v2"), ("updated", "v2"), ("updated", "v3")], True),
        ([("deleted", "v2"), ("created", "v2"), ("updated", "v3")], False),
        ([("created", "v2"), ("deleted", "v2")], True),
        ([("deleted", f"{FOUND}v2"), ("updated", "v3")], False),
        ([("updated", "v3"), ("deleted", f"{FOUND}v2"), ("deleted", "v3")], True),
    ],
)
def test_a_deletion_is_believed_unseen_only_where_exchange_says_so_and_nothing_speaks_against_it(
    store: Store, watch: Watch, told: Sequence[tuple[str, str]], believed: bool
) -> None:
    jobs = [heard(store, watch, notification(watch, change=change, etag=etag)) for change, etag in told]
    assert Notification.from_json(claimed(store, jobs[0][0]).body).says_deleted is believed


def test_a_first_sight_never_stands_for_a_change(store: Store, watch: Watch) -> None:
    heard(store, watch, notification(watch, change=FIRST_SIGHT))
    assert store.hear([notification(watch).heard(watch)], how="told")[0] == 1


def test_two_events_are_looked_at_at_once_and_one_event_after_itself(store: Store, watch: Watch) -> None:
    one, other, third = heard(store, watch, *(notification(watch, event) for event in ("E", "F", "G")))
    assert store.claim(one) and store.claim(other)
    assert store.claim(third) is None


def test_what_comes_for_a_busy_mailbox_silences_no_bell_of_another_one(store: Store, watch: Watch) -> None:
    for job in heard(store, watch, *(notification(watch, event) for event in ("E", "F", "G"))):
        store.claim(job)
    ben = a_subscription(2, "ben@contoso.com")
    store.begin(ben)
    idle = store.watch(ben.watch)
    assert idle is not None
    first, behind = notification(idle, "A").heard(idle), notification(watch, "H").heard(watch)
    _, rings = store.hear([first, behind], how="told")
    assert [ring.id for ring in rings] == [first.id]


@pytest.mark.parametrize("end", [Succeeded(None), Dead(failure("refused", "ErrorX", "It is refused."))])
def test_what_was_heard_is_not_kept_for_longer_than_an_hour_after_it_was_looked_at(
    store: Store, redis: Redis, watch: Watch, end: Outcome
) -> None:
    [job] = heard(store, watch, notification(watch))
    store.settle(claimed(store, job), an_attempt(), end)
    assert 0 < redis.ttl(f"rdv:job:{job}") <= 3600


def test_what_is_heard_of_a_watch_that_is_gone_is_nothing(store: Store, watch: Watch) -> None:
    store.end(a_subscription())
    store.forget(watch)
    assert store.hear([notification(watch).heard(watch)], how="told") == (0, ())
    assert store.watch(watch.id) is None


def test_only_what_comes_from_outside_counts_as_heard(store: Store, watch: Watch) -> None:
    store.hear([notification(watch).heard(watch)], how="found")
    assert store.watches([watch.id])[watch.id].heard is None
    store.hear([notification(watch, "F").heard(watch)], how="told")
    assert store.watches([watch.id])[watch.id].heard is not None


def test_the_longest_silence_is_remembered_and_forgotten_over_weeks(store: Store, redis: Redis, watch: Watch) -> None:
    def silence_of(hours: float) -> float:
        now = store.time().timestamp() * 1000
        redis.hset(f"rdv:watch:{watch.id}", "heard", round(now - hours * 3_600_000))
        heard(store, watch, notification(watch, etag=f"v{hours}"))
        usual = store.watches([watch.id])[watch.id].usual
        assert usual is not None
        return usual / timedelta(hours=1)

    assert [round(silence_of(hours), 1) for hours in (1, 64, 2, 14)] == [1.0, 64.0, 63.9, 63.2]
    assert [round(silence_of(hours)) for hours in (24 * 28, 0)] == [672, 672]
    assert silence_of(24 * 7 * 9) <= 24 * 7 * 8


def test_what_graph_should_have_told_is_counted_once(store: Store, watch: Watch) -> None:
    for _ in range(2):
        store.hear([notification(watch, event).heard(watch) for event in ("E", "F")], how="late")
    store.hear([notification(watch, "G").heard(watch)], how="found")
    assert [(one.place, one.count) for one in store.totals() if one.what == "late"] == [("cloud", 2)]


def test_a_burst_rings_for_as_many_as_may_run_and_the_rest_follow(store: Store, redis: Redis, watch: Watch) -> None:
    first = heard(store, watch, *(notification(watch, f"E{number}") for number in range(3)))
    assert len(first) == 3  # nobody runs yet, and nobody knows that the lane has no room for three
    grants = [store.claim(job) for job in first]
    assert [grant is not None for grant in grants] == [True, True, False]
    assert heard(store, watch, *(notification(watch, f"F{number}") for number in range(50))) == []
    assert redis.zcard(f"rdv:waiting:{watch.lane}") == 51
    done = 0
    running = [grant for grant in grants if grant is not None]
    while running:
        grant, *running = running
        _, rings = store.settle(grant, an_attempt(), Succeeded(None))
        running += [claimed(store, ring.id) for ring in rings]
        done += 1
    assert done == 53
    assert redis.keys("rdv:line:*") + redis.keys("rdv:waiting:*") == []


def test_what_was_rung_for_a_lane_that_is_full_by_now_is_not_rung_at_every_sweep(
    store: Store, redis: Redis, watch: Watch
) -> None:
    one, other, third = heard(store, watch, *(notification(watch, event) for event in ("E", "F", "G")))
    running = [claimed(store, one), claimed(store, other)]
    redis.zadd("rdv:due", {third: 0})
    assert [ring.id for rings in store.sweep() for ring in rings] == []
    assert redis.zscore("rdv:due", third) is None
    _, rings = store.settle(running[0], an_attempt(), Succeeded(None))
    assert [ring.id for ring in rings] == [third]


def test_what_is_told_is_remembered_with_the_callbacks_in_one_step(store: Store, watch: Watch) -> None:
    (job,) = heard(store, watch, notification(watch))
    grant = claimed(store, job)
    callback = Callback("msg_1", "{}", "hr", "anna@contoso.com", "callback/l", "callback/h", 10, "label")
    for _ in range(2):  # sent twice, because the reply was lost
        done, rings = store.tell(grant, watch, "E", SNAPSHOT, [callback])
        assert done
    assert store.snapshot(watch, "E") == SNAPSHOT
    assert store.claim("msg_1") is not None
    assert [ring.id for ring in rings] == []


def test_who_lost_the_right_to_run_tells_nothing(store: Store, redis: Redis, watch: Watch) -> None:
    (job,) = heard(store, watch, notification(watch))
    grant = claimed(store, job)
    redis.hset(f"rdv:job:{job}", "fence", 999)
    assert store.tell(grant, watch, "E", SNAPSHOT, []) == (False, ())
    assert store.snapshot(watch, "E") is None


def test_of_a_watch_that_nobody_wants_any_more_nothing_is_told_and_nothing_kept(
    store: Store, redis: Redis, watch: Watch
) -> None:
    (job,) = heard(store, watch, notification(watch))
    grant = claimed(store, job)
    store.end(a_subscription())
    store.forget(watch)
    callback = Callback("msg_1", "{}", "hr", "anna@contoso.com", "callback/l", "callback/h", 10, "label")
    assert store.tell(grant, watch, "E", SNAPSHOT, [callback]) == (True, ())
    assert store.claim("msg_1") is None
    assert redis.keys("rdv:s[nu]*") == []


def test_what_was_seen_first_stays(store: Store, watch: Watch) -> None:
    store.first_seen(watch, {"E": SNAPSHOT})
    store.first_seen(watch, {"E": Snapshot("v2", {}, (), AT), "F": SNAPSHOT})
    assert store.snapshots(watch, ["E", "F", "G"]) == {"E": SNAPSHOT, "F": SNAPSHOT}
    store.unlearn(watch, ["E"])
    assert store.seen_events(watch) == {"F"}


def test_a_notification_that_has_ended_is_soon_forgotten(store: Store, redis: Redis, watch: Watch) -> None:
    (job,) = heard(store, watch, notification(watch))
    store.settle(claimed(store, job), an_attempt(), Succeeded(None))
    assert 0 < redis.ttl(f"rdv:job:{job}") <= 3600


def test_a_mirror_that_has_just_begun_is_still_named_when_it_is_heard_of_twice(
    store: Store, redis: Redis, watch: Watch
) -> None:
    begun = Notification(watch.id, "E", MIRRORED, "mir_1")
    (job,) = heard(store, watch, begun)
    redis.delete(*redis.keys("rdv:heard:*"))
    assert heard(store, watch, begun) == []
    assert Notification.from_json(claimed(store, job).body) == begun


def test_a_notification_that_waits_is_not_forgotten(store: Store, redis: Redis, watch: Watch) -> None:
    (job,) = heard(store, watch, notification(watch))
    store.settle(claimed(store, job), an_attempt(), Retry("unavailable", "later", timedelta(seconds=9)))
    assert redis.ttl(f"rdv:job:{job}") == -1


def test_a_marker_into_which_somebody_wrote_other_jobs_names_only_updates(store: Store, watch: Watch) -> None:
    job = rung(store)[0].id
    update = accepted(store, an_update()).id
    assert [one.update for one in store.ours((job, update, "nothing"))] == [update]
