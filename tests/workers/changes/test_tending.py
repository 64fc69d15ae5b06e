"""Watches are tended: what goes wrong at Exchange, and how it heals - with a real store."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

import pytest
from redis import Redis

from tests.workers.given import Bells, an_attempt, claimed
from tests.workers.store.test_watching import MIRROR, a_subscription
from workers.celery.bell import Bell
from workers.changes.event_change import Snapshot, gone
from workers.changes.feed import CursorLost, Item, Round, Subscribed
from workers.changes.notification import FIRST_SIGHT, MIRRORED, Notification
from workers.changes.subscription import FORBIDDEN, Mirror, Watcher
from workers.changes.tending import Tender
from workers.changes.watch import NEW_WINDOW, Watch
from workers.exchange import AccessDenied, Away, ExchangeError, MailboxNotFound, NotFound, Throttled, Unknown
from workers.outcome import Outcome, Retry, Succeeded
from workers.settings import Settings
from workers.store import Store
from workers.update import Target


@dataclass
class FakeGraph:
    """A mailbox's feed and push, failing as a test wants it: the next call by its name."""

    items: tuple[Item, ...] = ()
    faults: dict[str, Exception] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    windows: list[datetime] = field(default_factory=list)
    rounds: list[tuple[Item, ...]] = field(default_factory=list)
    """What the next rounds find, where it is not ``items``."""
    life: timedelta = timedelta(days=6)
    terms: str = "open"
    between: Callable[[], None] = lambda: None

    def changes(self, watch: Watch, cursor: str | None, now: datetime) -> Round:
        self._called("catch up" if cursor else "walk")
        self.windows.append(now)
        items, self.items = self.items, ()
        items = self.rounds.pop(0) if self.rounds else items
        return Round(items, f"cursor {len(self.calls)}")

    def spelled(self, event: Target) -> str:
        return f"immutable {event.event.removeprefix('immutable ')}"

    def create(self, watch: Watch, now: datetime) -> Subscribed:
        self._called("create" if watch.asked is None else "create in doubt")
        return Subscribed(f"g-{len(self.calls)}", now + self.life)

    def renew(self, watch: Watch, now: datetime) -> Subscribed:
        self._called("renew")
        return Subscribed(watch.graph_id or "", now + self.life)

    def delete(self, watch: Watch) -> None:
        self._called("delete")

    def _called(self, name: str) -> None:
        self.calls.append(name)
        self.between()
        if (fault := self.faults.pop(name, None)) is not None:
            raise fault


@dataclass
class Bench:
    tender: Tender
    store: Store
    graph: FakeGraph
    bells: Bells
    watch_id: str

    @property
    def watch(self) -> Watch:
        found = self.store.watch(self.watch_id)
        assert found is not None
        return found

    def tend(self) -> Outcome:
        """The watch is looked at, by a job that is run to its end."""
        self.store.lifecycle(self.watch_id, "nothing in particular")
        rings = [ring for rings in self.store.wake() for ring in rings if ring.label == self.watch.mailbox]
        grant = claimed(self.store, rings[0].id)
        time.sleep(0.002)  # a wish of the same millisecond may have come too late for this look
        outcome = self.tender.tend(grant)
        self.store.settle(grant, an_attempt(), outcome if isinstance(outcome, Succeeded) else Succeeded(None))
        return outcome

    def heard(self) -> list[tuple[str, str]]:
        """The notifications that were made, each handled: change and event."""
        grants = [claimed(self.store, ring.id) for ring in self.bells.rung if ring.kind == "notification"]
        self.bells.rung.clear()
        for grant in grants:
            self.store.settle(grant, an_attempt(), Succeeded(None))
        return [(one.change, one.event) for one in (Notification.from_json(grant.body) for grant in grants)]

    def set(self, **moments: datetime | str | None) -> None:
        self.store.keep(self.watch, moments, began=self.store.time())


@pytest.fixture
def bench(settings: Settings, store: Store) -> Bench:
    graph, bells = FakeGraph(), Bells()
    store.begin(a_subscription())
    tender = Tender(settings, store, cast(Bell, bells), {"cloud": graph}, {"cloud": graph}, lambda: 0.0)
    return Bench(tender, store, graph, bells, a_subscription().watch)


def test_a_wish_that_comes_while_the_watch_is_read_is_not_lost(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def removed(watch_id: str) -> tuple[Watcher, ...]:
        monkeypatch.undo()
        bench.store.lifecycle(watch_id, "subscriptionRemoved")
        return bench.store.watchers(watch_id)

    bench.tend()
    monkeypatch.setattr(bench.store, "watchers", removed)
    bench.tend()
    assert [ring.kind for rings in bench.store.wake() for ring in rings] == ["watch"]


def test_a_new_watch_is_set_up_in_order_and_then_well(bench: Bench) -> None:
    assert bench.tend() == Succeeded(None, "walk, create, catch up")
    watch = bench.watch
    assert (watch.graph_id, watch.cursor, watch.problem) == ("g-2", "cursor 3", None)
    assert watch.tended is not None
    assert bench.tend() == Succeeded(None, "nothing to do")


def test_what_came_with_its_properties_is_not_read_again(bench: Bench) -> None:
    bench.graph.items = (Item("A", "v1", {"subject": "S"}), Item("B", "v1"), Item("C", deleted=True))
    bench.tend()
    known = bench.store.snapshot(bench.watch, "A")
    assert known is not None and (known.version, known.properties, known.marker) == ("v1", {"subject": "S"}, None)
    assert bench.heard() == [(FIRST_SIGHT, "B")]


def test_what_a_subscription_asks_for_besides_the_usual_is_learnt_of_every_event_before_it_changes(
    bench: Bench,
) -> None:
    with_body = replace(a_subscription(2), properties=("subject", "body"))
    bench.graph.items = (Item("A", "v1", {"subject": "S"}), Item("B", "v1", {"subject": "S", "body": None}))
    bench.tend()
    assert bench.heard() == []
    bench.store.begin(with_body)
    bench.tend()
    assert bench.heard() == [(FIRST_SIGHT, "A")]
    bench.tend()
    assert (bench.heard(), bench.watch.learnt) == ([], ("body",))


def test_what_nobody_asks_for_any_more_is_learnt_anew_when_somebody_does_again(bench: Bench) -> None:
    bench.graph.items = (Item("A", "v1", {"subject": "S"}),)
    bench.tend()
    for number in (2, 3):
        with_body = replace(a_subscription(number), properties=("body",))
        bench.store.begin(with_body)
        bench.tend()
        assert (bench.heard(), bench.watch.learnt) == ([(FIRST_SIGHT, "A")], ("body",))
        bench.store.end(with_body)
        bench.tend()
        assert (bench.heard(), bench.watch.learnt) == ([], ())


def test_what_a_subscription_asks_for_from_the_beginning_is_learnt_by_the_first_walk(bench: Bench) -> None:
    bench.store.begin(replace(a_subscription(2), properties=("body",)))
    bench.graph.items = (Item("A", "v1", {"subject": "S"}), Item("B", "v1", {"subject": "S", "body": None}))
    bench.tend()
    assert bench.heard() == [(FIRST_SIGHT, "A")]
    assert bench.store.seen_events(bench.watch) == {"B"}


def test_what_is_found_and_not_known_is_handled(bench: Bench) -> None:
    bench.graph.items = (Item("A", "v1", {"subject": "S"}), Item("B", "v1", {"subject": "S"}))
    bench.tend()
    bench.graph.items = (Item("A", "v2"), Item("B", "v1"), Item("N", "v1"), Item("X", deleted=True))
    bench.set(missed=bench.store.time())
    bench.tend()
    assert sorted(bench.heard()) == [("created", "N"), ("updated", "A")]


def test_a_series_that_is_told_without_a_version_is_heard_of_in_each_round_and_once_in_a_repeated_one(
    bench: Bench,
) -> None:
    bench.graph.items = (Item("S", "v1", {"subject": "S"}),)
    bench.tend()
    cursor = bench.watch.cursor
    bench.graph.rounds = [(Item("S"),), (Item("S"),), (Item("S"),)]
    bench.set(missed=bench.store.time())
    bench.tend()
    assert bench.heard() == [("updated", "S")]
    bench.set(missed=bench.store.time(), cursor=cursor)  # as who died before the end of the round leaves it
    bench.tend()
    assert bench.heard() == []
    bench.set(missed=bench.store.time())
    bench.tend()
    assert bench.heard() == [("updated", "S")]


def remember(bench: Bench, event: str, snapshot: Snapshot) -> None:
    """As it is when the event was told so."""
    bench.store.unlearn(bench.watch, [event])
    bench.store.first_seen(bench.watch, {event: snapshot})


def test_an_event_that_is_deleted_comes_back_and_is_deleted_again_is_heard_of_each_time(bench: Bench) -> None:
    bench.graph.items = (Item("A", "v1", {"subject": "S"}),)
    bench.tend()
    deleted, back = (Item("A", deleted=True), gone("")), (Item("A", "v2"), Snapshot("v2", {}, (), ""))
    heard = []
    for item, known in (deleted, back, deleted):
        bench.graph.items = (item,)
        bench.set(missed=bench.store.time())
        bench.tend()
        heard += bench.heard()
        remember(bench, "A", known)
    assert heard == [("deleted", "A"), ("updated", "A"), ("deleted", "A")]


def test_an_event_that_a_mirror_met_first_is_found_as_created_and_not_where_the_window_comes_to_it(
    bench: Bench,
) -> None:
    bench.tend()
    for event in ("new", "far"):
        remember(bench, event, Snapshot("v1", {}, (), "", told=False))
    bench.graph.items = (Item("new", "v1"),)
    bench.set(missed=bench.store.time())
    bench.tend()
    assert bench.heard() == [("created", "new")]
    bench.set(walked=bench.store.time() - NEW_WINDOW)
    bench.graph.rounds = [(), (Item("far", "v1"),)]
    assert bench.tend() == Succeeded(None, "catch up, move on")
    assert bench.heard() == []


def test_the_source_of_a_mirror_that_was_deleted_stays_deleted_for_whoever_asks(bench: Bench) -> None:
    bench.store.begin(MIRROR)
    bench.tend()
    for event in ("immutable E", "other"):
        remember(bench, event, gone(""))
    bench.graph.rounds = [(Item("immutable E", deleted=True),), (), ()]
    bench.set(missed=bench.store.time())
    bench.tend()
    assert bench.store.seen_events(bench.watch) == {"immutable E", "other"}
    bench.set(walked=bench.store.time() - NEW_WINDOW)
    assert bench.tend() == Succeeded(None, "catch up, move on")
    assert bench.store.seen_events(bench.watch) == {"immutable E"}


def late(bench: Bench) -> int:
    return sum(one.count for one in bench.store.totals() if one.what == "late")


def test_what_graph_should_have_told_is_counted_and_what_it_could_not_is_not(bench: Bench) -> None:
    bench.graph.items = (Item("A", "v1", {"subject": "S"}),)
    bench.tend()
    bench.graph.items = (Item("A", "v2"), Item("N", "v1"))
    bench.set(caught_up=bench.store.time() - timedelta(days=1))
    bench.tend()
    assert late(bench) == 2
    bench.graph.items = (Item("A", "v3"), Item("M", "v1"))
    bench.set(expires=bench.store.time())
    bench.tend()
    assert bench.graph.calls[-2:] == ["create", "catch up"]
    assert late(bench) == 2


def test_what_is_there_no_more_when_all_is_gone_through_is_looked_at(bench: Bench) -> None:
    bench.graph.items = (Item("A", "v1", {"subject": "S"}), Item("B", "v1", {"subject": "S"}))
    bench.tend()
    bench.graph.faults["catch up"] = CursorLost("410")
    bench.graph.items = (Item("A", "v1"),)
    bench.set(missed=bench.store.time())
    bench.tend()
    assert bench.heard() == [("deleted", "B")]
    assert bench.graph.calls[-2:] == ["catch up", "walk"]


def test_what_comes_into_the_window_as_it_moves_on_is_not_new_and_what_is_long_over_is_forgotten(bench: Bench) -> None:
    ended = {"end": {"dateTime": "2020-01-01T10:00:00", "timeZone": "UTC"}}
    bench.graph.items = (Item("A", "v1", {"subject": "S"}), Item("past", "v1", ended), Item("old", "v1", ended))
    bench.tend()
    bench.set(walked=bench.store.time() - NEW_WINDOW)
    bench.graph.rounds = [
        (),
        (Item("A", "v2"), Item("new", "v1", {"subject": "S"}), Item("N", "v1"), Item("old", "v1")),
    ]
    assert bench.tend() == Succeeded(None, "catch up, move on")
    assert sorted(bench.heard()) == [(FIRST_SIGHT, "N"), ("updated", "A")]
    assert bench.store.seen_events(bench.watch) == {"A", "new", "old"}


def test_where_nobody_pushes_what_is_deleted_just_before_all_is_gone_through_anew_is_heard_of(bench: Bench) -> None:
    bench.tender = replace(bench.tender, pushes={})
    bench.graph.items = (Item("A", "v1", {"subject": "S"}), Item("B", "v1", {"subject": "S"}))
    bench.tend()
    bench.set(walked=bench.store.time() - NEW_WINDOW)
    bench.graph.rounds = [(), (Item("B", "v1"),)]
    assert bench.tend() == Succeeded(None, "catch up, move on")
    assert bench.heard() == [("deleted", "A")]


def test_an_event_created_just_before_the_window_moves_on_is_left_to_the_notification_of_it(bench: Bench) -> None:
    bench.tend()
    bench.set(walked=bench.store.time() - NEW_WINDOW)
    new, told = Item("new", "v1", {"subject": "S"}), Item("told", "v1", {"subject": "S"})
    _, rings = bench.store.hear([Notification(bench.watch_id, "told", "created", "v1").heard(bench.watch)], how="told")
    bench.bells.ring(*rings)
    bench.graph.rounds = [(new,), (new, told, Item("old", "v1", {"subject": "S"}))]
    assert bench.tend() == Succeeded(None, "catch up, move on")
    assert bench.store.seen_events(bench.watch) == {"old"}
    assert bench.heard() == [("created", "told"), ("created", "new")]


def test_a_lost_cursor_is_found_again_in_the_same_window(bench: Bench) -> None:
    bench.tend()
    walked = bench.store.time() - timedelta(days=20)
    bench.set(walked=walked, missed=bench.store.time())
    bench.graph.faults["catch up"] = CursorLost("410")
    bench.tend()
    assert abs(bench.graph.windows[-1] - walked) < timedelta(seconds=1)
    assert bench.watch.walked == bench.graph.windows[-1]


@pytest.mark.parametrize("gone", [NotFound("404", "gone"), MailboxNotFound("ResourceNotFound", "gone")])
def test_a_subscription_that_is_gone_at_its_renewal_is_made_anew_and_the_gap_closed(
    bench: Bench, gone: NotFound
) -> None:
    bench.tend()
    bench.set(reauthorize=bench.store.time())
    bench.graph.faults["renew"] = gone
    bench.tend()
    assert bench.graph.calls[3:] == ["renew", "create", "catch up"]


def test_a_subscription_that_was_made_on_other_terms_makes_place_for_one_on_ours(bench: Bench) -> None:
    bench.tend()
    bench.graph.terms = "sealed"
    bench.graph.faults["create"] = AccessDenied("400", "we were not reached")
    bench.tend()
    bench.graph.faults["delete"] = AccessDenied("403", "another application made it")
    assert bench.tend() == Succeeded(None, "create, catch up")
    assert bench.graph.calls[3:] == ["delete", "create", "catch up", "delete", "create", "catch up"]
    assert bench.watch.terms == "sealed"
    assert bench.tend() == Succeeded(None, "nothing to do")


def test_that_a_subscription_may_have_been_made_is_remembered_until_one_is_known(bench: Bench) -> None:
    bench.graph.faults["create"] = Unknown("ReadTimeout", "no answer")
    bench.tend()
    bench.graph.faults["create in doubt"] = AccessDenied("403", "no")
    bench.tend()
    bench.tend()
    assert [call for call in bench.graph.calls if call.startswith("create")] == ["create", *["create in doubt"] * 2]
    assert bench.watch.asked is None


def test_that_a_subscription_was_refused_leaves_nothing_in_doubt(bench: Bench) -> None:
    bench.graph.faults["create"] = AccessDenied("403", "no")
    bench.tend()
    assert bench.watch.asked is None


def test_a_worker_that_dies_while_it_subscribes_leaves_it_in_doubt(bench: Bench) -> None:
    bench.graph.faults["create"] = MemoryError()
    with pytest.raises(MemoryError):
        bench.tend()
    assert bench.watch.asked is not None


def test_reauthorization_is_a_renewal(bench: Bench) -> None:
    bench.tend()
    bench.set(reauthorize=bench.store.time())
    assert bench.tend() == Succeeded(None, "renew")


def test_after_a_day_without_anybody_everything_heals(bench: Bench) -> None:
    bench.tend()
    day = timedelta(days=1)
    now = bench.store.time()
    bench.set(expires=now - day, renewed=now - 7 * day, caught_up=now - day)
    bench.graph.items = (Item("A", "v1"),)
    bench.tend()
    assert bench.graph.calls[3:] == ["create", "catch up"]
    assert bench.heard() == [("created", "A")]


def test_what_was_done_before_a_failure_is_not_done_again(bench: Bench) -> None:
    bench.graph.faults["catch up"] = Unknown("ReadTimeout", "no answer")
    assert isinstance(bench.tend(), Retry)
    bench.tend()
    assert bench.graph.calls == ["walk", "create", "catch up", "catch up"]
    assert bench.watch.problem is None


@pytest.mark.parametrize(
    "error", [AccessDenied("403", "no"), NotFound("404", "no"), Unknown("ReadTimeout", "no"), Throttled("429", "no")]
)
def test_a_failure_is_shown_and_never_given_up(bench: Bench, error: ExchangeError) -> None:
    bench.graph.faults["create"] = error
    outcome = bench.tend()
    assert isinstance(outcome, Retry)
    assert not outcome.in_doubt
    assert bench.watch.problem == str(error)
    assert bench.watch.tended is None


@pytest.mark.parametrize("step", ["create", "renew"])
@pytest.mark.parametrize(
    "error", [AccessDenied("400", "we were not reached"), Throttled("429", "too many", retry_after=7)]
)
def test_what_changes_is_found_and_a_mirror_begins_while_graph_cannot_be_had_to_tell(
    bench: Bench, step: str, error: ExchangeError
) -> None:
    bench.tend()
    bench.set(graph_id=None if step == "create" else "g-2", renewed=bench.store.time() - timedelta(days=7))
    bench.set(caught_up=None)
    bench.store.begin(MIRROR)
    bench.graph.items = (Item("G", "v1"),)
    bench.graph.faults[step] = error
    assert isinstance(bench.tend(), Retry)
    assert bench.heard() == [("created", "G"), (MIRRORED, "immutable E")]
    assert bench.watch.problem == str(error)


@pytest.mark.parametrize("step", ["walk", "create"])
def test_who_is_sent_away_leaves_the_whole_mailbox_alone(bench: Bench, step: str) -> None:
    bench.graph.faults[step] = Throttled("429", "no", retry_after=7)
    outcome = bench.tend()
    assert isinstance(outcome, Retry)
    assert outcome.pause == timedelta(seconds=7)


def test_a_mirror_has_its_event_looked_at_once_under_the_id_that_graph_tells(bench: Bench) -> None:
    bench.store.begin(MIRROR)
    bench.tend()
    bench.tend()
    assert bench.heard() == [(MIRRORED, "immutable E")]
    assert bench.watch.spelled == {"mir_1": "immutable E"}
    assert bench.watch.leads == {"mir_1": "F"}, "of a mailbox whose feed spells it so"


def test_a_mirror_into_a_groups_calendar_begins_although_nobody_tells_of_its_changes(bench: Bench) -> None:
    bench.store.begin(replace(MIRROR, to=Target("cloud", "F", group="team")))
    bench.tend()
    assert bench.heard() == [(MIRRORED, "immutable E")]
    assert bench.watch.leads == {"mir_1": "F"}, "nobody spells it otherwise"


@dataclass
class NobodyThere(FakeGraph):
    asked: int = 0

    def spelled(self, event: Target) -> str:
        self.asked += 1
        raise Away("ConnectError", "nobody there", request_id="r-1")


def test_a_mirror_whose_other_backend_is_away_waits_and_holds_up_nobody_else(bench: Bench) -> None:
    away = NobodyThere()
    bench.tender = replace(bench.tender, feeds={"cloud": bench.graph, "dead": away})
    to = Target("dead", "F", mailbox="x@dead.example")
    waiting = [replace(MIRROR, id=f"mir_{name}", client="rooms", to=replace(to, mailbox=name)) for name in "ab"]
    # One that leads there from another event of the healthy mirror's target holds that up as little.
    elsewhere = replace(MIRROR, id="mir_0", source=replace(MIRROR.to, event="G"), to=to)
    for one in (*waiting, elsewhere, MIRROR):
        bench.store.begin(one)
    assert isinstance(bench.tend(), Succeeded)
    watch = bench.watch
    assert (watch.problem, watch.leads, bench.heard()) == (None, {"mir_1": "F"}, [(MIRRORED, "immutable E")])
    assert watch.waits == {"mir_a": "ConnectError: nobody there", "mir_b": "ConnectError: nobody there"}
    assert away.asked == 1, "who does not answer is not asked for each"
    bench.tender = replace(bench.tender, feeds={"cloud": bench.graph, "dead": bench.graph})
    bench.tend()
    assert bench.watch.leads.keys() == {"mir_1", "mir_a", "mir_b"} and bench.watch.waits == {}


@pytest.mark.parametrize("theirs", ["mir_0", "mir_2"])
def test_a_mirror_does_not_wait_for_another_that_leads_on_from_its_event_to_a_backend_that_is_away(
    bench: Bench, theirs: str
) -> None:
    bench.tender = replace(bench.tender, feeds={"cloud": bench.graph, "dead": NobodyThere()})
    to = Target("dead", "X", mailbox="x@dead.example")
    bench.store.begin(replace(MIRROR, id=theirs, client="rooms", source=MIRROR.to, to=to))
    bench.store.begin(MIRROR)
    assert isinstance(bench.tend(), Succeeded)
    assert (bench.watch.leads, bench.watch.waits) == ({"mir_1": "F"}, {})


def test_a_mirror_waits_for_its_own_mailbox_to_say_whether_another_leads_straight_back(bench: Bench) -> None:
    class Once(FakeGraph):
        def spelled(self, event: Target) -> str:
            if event.event == "spelled otherwise":
                raise Throttled("429", "busy", retry_after=7)
            return super().spelled(event)

    bench.tender = replace(bench.tender, feeds={"cloud": Once()})
    back = replace(MIRROR.source, event="spelled otherwise")
    bench.store.begin(replace(MIRROR, id="mir_0", source=MIRROR.to, to=back))
    bench.store.begin(MIRROR)
    assert isinstance(bench.tend(), Retry)
    assert bench.watch.leads == {}


def test_a_mirror_into_a_busy_mailbox_of_the_same_backend_holds_up_nobody_else(bench: Bench) -> None:
    class Busy(FakeGraph):
        def spelled(self, event: Target) -> str:
            if event.mailbox == "busy@contoso.com":
                raise Throttled("429", "busy", retry_after=600)
            return super().spelled(event)

    bench.tender = replace(bench.tender, feeds={"cloud": Busy()})
    bench.store.begin(replace(MIRROR, id="mir_0", to=Target("cloud", "F", mailbox="busy@contoso.com")))
    bench.store.begin(MIRROR)
    assert isinstance(bench.tend(), Succeeded), "this mailbox is not left alone because of that one"
    assert (bench.watch.problem, set(bench.watch.leads)) == (None, {"mir_1"})
    assert bench.watch.waits == {"mir_0": "429: busy"}


def test_a_mirror_that_waits_for_another_backend_is_looked_at_again_soon(bench: Bench, redis: Redis) -> None:
    def in_seconds() -> float:
        due = cast("float", redis.zscore("rdv:watches", bench.watch_id))
        return due / 1000 - bench.store.time().timestamp()

    bench.tend()
    assert in_seconds() > bench.tender.settings.engine.poll
    bench.tender = replace(bench.tender, feeds={"cloud": bench.graph, "hq": NobodyThere()})
    bench.store.begin(MIRROR)
    bench.tend()
    assert in_seconds() <= bench.tender.settings.engine.poll


def test_the_younger_of_two_that_mirror_each_other_knows_it_however_the_ids_are_spelled_and_whose_they_are(
    bench: Bench,
) -> None:
    a, b = (Target("cloud", event, mailbox=f"{event}@contoso.com") for event in "AB")
    bench.store.begin(Mirror("mir_1", "rooms", b, a, ("subject",), None, ""))
    its_source, its_end = (replace(end, event=f"immutable {end.event}") for end in (a, b))
    younger = Mirror("mir_2", "hr", its_source, its_end, ("subject",), None, "")
    bench.store.begin(younger)
    bench.watch_id = younger.watch
    bench.tend()
    assert bench.watch.circles == {"mir_2": ("mir_1",)}


def test_what_was_noted_of_a_mirror_goes_when_it_ends(bench: Bench, redis: Redis) -> None:
    def noted() -> set[str]:
        fields = cast("dict[str, str]", redis.hgetall(f"rdv:watch:{bench.watch_id}"))
        return {name for name in fields if ":" in name}

    bench.store.begin(MIRROR)
    bench.tend()
    assert noted() == {"spelled:mir_1", "leads:mir_1"}
    bench.store.end(MIRROR)
    bench.tend()
    assert noted() == set()


def test_when_nobody_wants_to_know_graph_is_told_and_all_is_forgotten(bench: Bench) -> None:
    bench.tend()
    bench.store.end(a_subscription())
    assert bench.tend() == Succeeded(None, "let go")
    assert bench.graph.calls[-1] == "delete"
    assert bench.store.watch(bench.watch_id) is None


def test_a_watch_that_nobody_wants_is_let_go_although_its_backend_is_no_longer_configured(bench: Bench) -> None:
    bench.tend()
    bench.store.end(a_subscription())
    bench.tender = replace(bench.tender, feeds={}, pushes={})
    assert bench.tend() == Succeeded(None, "let go")
    assert bench.store.watch(bench.watch_id) is None


def test_a_mailbox_that_nobody_may_touch_any_more_is_left_alone_until_somebody_may_and_then_caught_up_with(
    bench: Bench,
) -> None:
    bench.graph.items = (Item("A", "v1", {"subject": "S"}),)
    bench.tend()
    tender, calls, (hr, rooms) = bench.tender, list(bench.graph.calls), bench.tender.settings.client
    elsewhere = hr.model_copy(update={"mailboxes": ("b@contoso.com",)})
    narrowed = tender.settings.model_copy(update={"client": (elsewhere, rooms)})
    bench.tender = replace(tender, settings=Settings.model_validate(narrowed.model_dump()))
    bench.set(missed=bench.store.time())
    bench.graph.items = (Item("A", "v2"),)
    assert bench.tend() == Succeeded(None, FORBIDDEN)
    assert (bench.graph.calls, bench.watch.problem) == (calls, FORBIDDEN)
    bench.tender = tender
    assert bench.tend() == Succeeded(None, "catch up")
    assert (bench.heard(), bench.watch.problem) == ([("updated", "A")], None)


def test_a_subscription_that_graph_refuses_to_end_holds_its_watch_until_it_expires(bench: Bench) -> None:
    bench.tend()
    bench.store.end(a_subscription())
    bench.graph.faults["delete"] = AccessDenied("403", "consent was withdrawn")
    assert isinstance(bench.tend(), Retry)
    bench.set(expires=bench.store.time())
    bench.graph.faults["delete"] = AccessDenied("403", "consent was withdrawn")
    assert bench.tend() == Succeeded(None, "let go")
    assert bench.store.watch(bench.watch_id) is None


def test_who_begins_while_the_watch_is_let_go_is_heard_for(bench: Bench) -> None:
    bench.tend()
    bench.store.end(a_subscription())

    def begin() -> None:
        bench.graph.between = lambda: None
        bench.store.begin(a_subscription(2))

    bench.graph.between = begin
    assert bench.tend() == Succeeded(None, "wanted again")
    bench.tend()
    assert bench.graph.calls[-2:] == ["create", "catch up"]
