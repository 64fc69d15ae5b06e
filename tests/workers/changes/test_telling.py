"""A notification is handled: the event read, compared, told - with a real store and an Exchange in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from tests.workers.events import an_event
from tests.workers.fake_exchange import FakeExchange
from tests.workers.given import NOW, Bells, accepted, an_attempt, an_update, claimed
from tests.workers.store.test_watching import MIRROR, a_subscription
from workers.callbacks.callback import Delivery
from workers.celery.bell import Bell
from workers.changes import mirror
from workers.changes.event_change import Change, Snapshot
from workers.changes.notification import FIRST_SIGHT, FOUND, MIRRORED, Notification
from workers.changes.subscription import Mirror
from workers.changes.telling import Teller
from workers.changes.watch import Watch
from workers.event import patch
from workers.event.patch import Changes
from workers.exchange import AccessDenied, Event, ExchangeError, MailboxNotFound, NotFound, Refused, Throttled, Unknown
from workers.graph.proof import Prover
from workers.graph.rich_notification import NotGenuine
from workers.job import Failure, Result
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.settings import Settings
from workers.store import Ring, Store
from workers.update import Intent, Json


@dataclass
class Bench:
    """A mailbox with one event, watched for a subscription."""

    teller: Teller
    store: Store
    exchange: FakeExchange
    bells: Bells
    watch: Watch
    versions: int = 0

    def notify(self, change: str = "updated", event: str = "E", etag: str | None = None) -> Outcome:
        """Graph tells, and the job is run to its end."""
        self.versions += 1
        what = Notification(self.watch.id, event, change, etag or f"etag {self.versions}")
        _, rings = self.store.hear([what.heard(self.watch)], how="told")
        grant = claimed(self.store, rings[0].id)
        outcome = self.teller.tell(grant)
        self.store.settle(grant, an_attempt(), outcome)
        return outcome

    def told(self) -> list[dict[str, Json]]:
        """What the callbacks say, in order."""
        rung = [ring for ring in self.bells.rung if ring.kind == "callback"]
        bodies = [self._delivered(ring) for ring in rung]
        self.bells.rung.clear()
        return [json.loads(Delivery.from_json(body).text) for body in bodies]

    def _delivered(self, ring: Ring) -> str:
        """The next one to the same receiver may go only when this one has arrived."""
        grant = claimed(self.store, ring.id)
        self.store.settle(grant, an_attempt(), Succeeded(None))
        return grant.body


def walked(store: Store) -> Watch:
    """The watch, its calendar gone through as a whole."""
    watch = store.watch(a_subscription().watch)
    assert watch is not None
    now = store.time()
    store.keep(watch, {"walked": now}, began=now)
    return replace(watch, walked=now)


@pytest.fixture
def bench(settings: Settings, store: Store) -> Bench:
    exchange, bells = FakeExchange(an_event()), Bells()
    store.begin(a_subscription())
    watch = walked(store)
    teller = Teller(settings, store, cast(Bell, bells), {"cloud": exchange}, lambda: NOW, lambda: 0.0)
    bench = Bench(teller, store, exchange, bells, watch)
    bench.notify(FIRST_SIGHT)
    return bench


def edit(bench: Bench, **properties: Any) -> None:
    bench.exchange.properties.update(properties)
    bench.exchange.number += 1


def test_at_first_sight_nobody_is_told(bench: Bench) -> None:
    assert (bench.told(), bench.store.seen_events(bench.watch)) == ([], frozenset("E"))


def test_a_change_is_told_as_the_contract_has_it(bench: Bench) -> None:
    edit(bench, subject="After")
    bench.notify()
    (told,) = bench.told()
    assert (told["type"], told["timestamp"]) == ("calendar.event.changed", "2026-11-21T09:00:00.000Z")
    assert told["data"].pop("id").startswith("chg_")
    assert told["data"] == {
        "subscription": "sub_1",
        "target": {"mailbox": "anna@contoso.com", "event": "E", "backend": "cloud"},
        "change": "updated",
        "origin": "exchange",
        "updates": [],
        "version": "v2",
        "changed": {"subject": {"before": "Team building", "after": "After"}},
    }


def test_the_same_change_is_told_once(bench: Bench) -> None:
    edit(bench, subject="After")
    bench.notify()
    bench.told()
    bench.notify()
    assert bench.told() == []


def test_a_version_that_moves_by_itself_is_told_to_nobody(bench: Bench) -> None:
    edit(bench)
    assert bench.notify() == Succeeded(None, "no change that anybody asked for")
    assert bench.told() == []


def test_a_property_that_was_not_asked_for_is_told_to_nobody(bench: Bench) -> None:
    edit(bench, location={"displayName": "Elsewhere"})
    bench.notify()
    assert bench.told() == []


def test_the_first_change_of_a_property_that_was_learnt_for_a_new_subscription_is_told(bench: Bench) -> None:
    bench.store.begin(replace(a_subscription(2), properties=("body",)))
    bench.notify(FIRST_SIGHT, etag="with body")
    assert bench.told() == []
    edit(bench, body={"contentType": "text", "content": "After"})
    bench.notify()
    (told,) = bench.told()
    assert told["data"]["changed"]["body"]["after"]["content"] == "After"


def test_a_change_from_before_anybody_asked_for_the_property_again_is_told_to_nobody(bench: Bench) -> None:
    with_body = replace(a_subscription(2), properties=("body",))
    bench.store.begin(with_body)
    edit(bench, body={"contentType": "text", "content": "Before"})
    bench.notify(FIRST_SIGHT, etag="with body")
    bench.store.end(with_body)
    edit(bench, body={"contentType": "text", "content": "Meanwhile"})
    bench.notify()
    bench.store.begin(with_body)
    edit(bench, subject="After")
    bench.notify()
    assert [told["data"]["subscription"] for told in bench.told()] == ["sub_1"]


def test_everybody_who_wants_to_know_is_told(bench: Bench) -> None:
    bench.store.begin(a_subscription(2))
    edit(bench, subject="After")
    bench.notify()
    assert sorted(told["data"]["subscription"] for told in bench.told()) == ["sub_1", "sub_2"]


@pytest.mark.parametrize("settled", [True, False])
def test_an_echo_of_our_own_write_is_told_as_ours_also_while_the_update_runs(bench: Bench, settled: bool) -> None:
    update = an_update(intent=Intent(set={"subject": "Ours"}))
    accepted(bench.store, update)
    grant = claimed(bench.store, update.id)
    intent = {"base": {}, "before": {}, "after": {"subject": "Ours"}, "invitations": "sendToNone"}
    bench.store.intend(grant, json.dumps(intent))
    if settled:
        result = Result("v2", noop=False, changed={"subject": {"before": "Team building", "after": "Ours"}})
        bench.store.settle(grant, an_attempt(), Succeeded(result))
    bench.exchange.marker = (update.id,)
    edit(bench, subject="Ours")
    bench.notify()
    (told,) = bench.told()
    assert (told["data"]["origin"], told["data"]["updates"]) == ("rendezvous", [update.id])
    edit(bench, subject="Theirs")
    bench.notify()
    assert [one["data"]["origin"] for one in bench.told()] == ["exchange"]


def vanish(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> Any:
        raise NotFound("ErrorItemNotFound", "gone")

    monkeypatch.setattr(bench.exchange, "read", gone)


def test_a_deletion_is_told_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    vanish(bench, monkeypatch)
    bench.notify("updated")
    bench.notify("deleted")
    (told,) = bench.told()
    assert (told["data"]["change"], told["data"]["version"], told["data"]["changed"]) == ("deleted", None, {})


def test_a_deletion_is_told_though_the_event_can_be_read_and_so_is_that_it_came_back(bench: Bench) -> None:
    edit(bench)
    bench.notify("deleted", etag="v1")
    bench.notify("deleted")
    bench.notify("updated", etag="of before it was deleted")
    assert [told["data"]["change"] for told in bench.told()] == ["deleted"]
    edit(bench)
    bench.notify("updated")
    assert [told["data"]["change"] for told in bench.told()] == ["created"]


def test_what_we_miss_ourselves_and_can_read_is_not_told_as_deleted(bench: Bench) -> None:
    bench.notify("deleted", etag=f"{FOUND}1")
    assert bench.told() == []


def test_a_deletion_that_names_the_version_that_was_told_last_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    vanish(bench, monkeypatch)
    bench.notify("deleted", etag="v1")
    assert [told["data"]["change"] for told in bench.told()] == ["deleted"]


def test_an_event_that_came_back_is_told_though_it_is_told_without_a_version(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        vanish(bench, away)
        bench.notify("deleted")
    bench.told()
    what = Notification(bench.watch.id, "E", "updated", "")
    bench.teller.tell(claimed(bench.store, bench.store.hear([what.heard(bench.watch)], how="told")[1][0].id))
    assert [told["data"]["change"] for told in bench.told()] == ["created"]


def test_the_deletion_of_an_event_never_seen_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    vanish(bench, monkeypatch)
    bench.notify("updated", "F")
    assert bench.told() == []
    bench.notify("deleted", "F")
    assert [told["data"]["change"] for told in bench.told()] == ["deleted"]


def test_an_event_never_seen_is_told_whole(bench: Bench) -> None:
    bench.notify("created", "F")
    bench.notify("updated", "G")
    told = [one["data"] for one in bench.told()]
    assert [one["change"] for one in told] == ["created", "updated"]
    assert told[0]["changed"] == {"subject": {"before": None, "after": "Team building"}}


def test_a_new_event_is_told_as_created_once_though_an_edit_of_it_is_told_first(bench: Bench) -> None:
    assert bench.watch.walked is not None
    bench.exchange.created = bench.watch.walked + timedelta(seconds=1)
    bench.notify("updated", "F")
    bench.notify("created", "F")
    assert [told["data"]["change"] for told in bench.told()] == ["created"]


def test_an_event_from_before_the_watch_that_it_did_not_meet_is_told_as_updated(bench: Bench) -> None:
    assert bench.watch.walked is not None
    bench.exchange.created = bench.watch.walked - timedelta(seconds=1)
    bench.notify("updated", "F")
    assert [told["data"]["change"] for told in bench.told()] == ["updated"]


def test_a_new_event_that_a_beginning_mirror_meets_first_is_told_as_created_when_graph_tells_of_it(
    bench: Bench,
) -> None:
    bench.store.unlearn(bench.watch, ["E"])
    assert bench.watch.walked is not None
    bench.exchange.created = bench.watch.walked + timedelta(seconds=1)
    bench.store.begin(MIRROR)
    bench.notify(MIRRORED, etag=MIRROR.id)
    assert bench.told() == []
    bench.notify("created")
    assert [told["data"]["change"] for told in bench.told()] == ["created"]


def test_a_copy_of_an_event_that_we_wrote_is_told_as_somebody_elses(bench: Bench) -> None:
    update = an_update(intent=Intent(set={"subject": "Ours"}))
    accepted(bench.store, update)
    grant = claimed(bench.store, update.id)
    result = Result("v2", noop=False, changed={"subject": {"before": "Team building", "after": "Ours"}})
    bench.store.settle(grant, an_attempt(), Succeeded(result))
    bench.exchange.marker = (update.id,)
    edit(bench, subject="Ours")
    bench.notify("created", "F")
    (told,) = bench.told()
    assert (told["data"]["origin"], told["data"]["updates"]) == ("exchange", [])


def test_a_busy_exchange_is_asked_again(bench: Bench) -> None:
    bench.exchange.read_faults.append(Throttled("429", "Too many requests.", retry_after=10))
    outcome = bench.notify()
    assert isinstance(outcome, Retry)
    assert outcome.pause is not None and outcome.pause.total_seconds() == 10


def test_who_died_between_telling_and_the_end_tells_nothing_twice(bench: Bench) -> None:
    edit(bench, subject="After")
    what = Notification(bench.watch.id, "E", "updated", "told late")
    _, rings = bench.store.hear([what.heard(bench.watch)], how="told")
    grant = claimed(bench.store, rings[0].id)
    bench.teller.tell(grant)
    assert bench.teller.tell(grant) == Succeeded(None, "nothing changed")
    assert len(bench.told()) == 1


def test_when_nobody_wants_to_know_exchange_is_not_asked(bench: Bench) -> None:
    reads = bench.exchange.reads
    bench.store.end(a_subscription())
    bench.notify()
    assert bench.exchange.reads == reads


def test_what_waited_until_its_watch_began_anew_tells_nobody_who_asked_later(bench: Bench) -> None:
    _, rings = bench.store.hear([Notification(bench.watch.id, "E", "updated", "v2").heard(bench.watch)], how="told")
    bench.store.end(a_subscription())
    bench.store.forget(bench.watch)
    bench.store.begin(a_subscription(2))
    grant = claimed(bench.store, rings[0].id)
    bench.store.settle(grant, an_attempt(), bench.teller.tell(grant))
    assert bench.told() == []
    bench.watch = walked(bench.store)
    bench.notify(FIRST_SIGHT)
    edit(bench, subject="After")
    bench.notify()
    assert [told["data"]["subscription"] for told in bench.told()] == ["sub_2"]


def test_what_was_told_already_needs_no_look(bench: Bench) -> None:
    reads = bench.exchange.reads
    assert bench.notify(etag="v1") == Succeeded(None, "nothing new")
    assert bench.exchange.reads == reads


def test_who_may_no_longer_touch_the_mailbox_is_told_nothing(bench: Bench) -> None:
    (hr, rooms), edited = bench.teller.settings.client, bench.teller.settings
    narrowed = edited.model_copy(update={"client": (hr.model_copy(update={"mailboxes": ("b@contoso.com",)}), rooms)})
    bench.teller = replace(bench.teller, settings=Settings.model_validate(narrowed.model_dump()))
    edit(bench, subject="After")
    assert bench.notify() == Succeeded(None, "nobody wants to know any more")


def let(bench: Bench, **mailboxes: tuple[str, ...]) -> None:
    """The configuration is read anew: which client may touch which mailboxes."""
    clients = [
        one.model_copy(update={"mailboxes": mailboxes.get(one.name, one.mailboxes)})
        for one in bench.teller.settings.client
    ]
    settings = bench.teller.settings.model_copy(update={"client": tuple(clients)})
    bench.teller = replace(bench.teller, settings=Settings.model_validate(settings.model_dump()))


def test_what_only_they_asked_for_is_compared_anew_once_they_may_touch_the_mailbox_again(bench: Bench) -> None:
    bench.store.begin(replace(a_subscription(2), client="rooms", properties=("body",)))
    let(bench, rooms=("*@contoso.com",))
    bench.notify(FIRST_SIGHT, etag="with body")
    let(bench, rooms=())
    edit(bench, subject="Meanwhile")
    bench.notify()
    bench.told()
    let(bench, rooms=("*@contoso.com",))
    edit(bench, body={"contentType": "text", "content": "After"})
    bench.notify()
    (told,) = bench.told()
    assert (told["data"]["subscription"], set(told["data"]["changed"])) == ("sub_2", {"body"})


def test_a_mirror_writes_nowhere_where_its_client_may_no_longer(bench: Bench) -> None:
    (hr, rooms), edited = bench.teller.settings.client, bench.teller.settings
    source_only = hr.model_copy(update={"mailboxes": ("*@contoso.com",)})
    narrowed = edited.model_copy(update={"client": (source_only, rooms)})
    bench.teller = replace(bench.teller, settings=Settings.model_validate(narrowed.model_dump()))
    bench.store.begin(MIRROR)
    edit(bench, subject="After")
    bench.notify()
    assert mirrored(bench) == []


def failing(bench: Bench, monkeypatch: pytest.MonkeyPatch, error: ExchangeError) -> Outcome:
    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(bench.exchange, "read", fail)
    return bench.notify()


@pytest.mark.parametrize("error", [AccessDenied("403", "no"), Unknown("ReadTimeout", "no")])
def test_a_change_that_cannot_be_read_today_is_not_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: ExchangeError
) -> None:
    outcome = failing(bench, monkeypatch, error)
    assert isinstance(outcome, Retry)
    assert not outcome.in_doubt


def test_a_change_that_exchange_will_never_show_is_given_up_and_counted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(failing(bench, monkeypatch, Refused("400", "no")), Dead)
    dead = [(one.kind, one.ended) for one in bench.store.totals() if one.what == "dead"]
    assert dead == [("notification", "succeeded")]  # an_attempt() says so
    assert bench.store.standings() == ()


def test_an_event_is_not_told_as_deleted_because_its_mailbox_is_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(failing(bench, monkeypatch, MailboxNotFound("MailboxNotEnabledForRESTAPI", "moving")), Retry)
    known = bench.store.snapshot(bench.watch, "E")
    assert known is not None and not known.gone
    assert bench.told() == []


class Doubter:
    """Believes nothing."""

    def check(self, event: str, proof: str) -> None:
        raise NotGenuine("content", "it was changed on its way")


def test_what_is_not_proved_is_not_believed_and_stands_for_nothing_else(bench: Bench) -> None:
    bench.teller = replace(bench.teller, provers={"cloud": cast(Prover, Doubter())})
    edit(bench, subject="After")
    forged, genuine = (Notification(bench.watch.id, "E", "updated", "v2", proof) for proof in ("{}", None))
    jobs = [bench.store.hear([one.heard(bench.watch)], how="told") for one in (forged, genuine)]
    assert [new for new, _ in jobs] == [1, 1]
    outcome = bench.teller.tell(claimed(bench.store, jobs[0][1][0].id))
    assert outcome == Succeeded(None, "not believed: it was changed on its way")
    doubted = [one for one in bench.store.totals() if one.what == "doubted"]
    assert [(one.ended, one.place, one.count) for one in doubted] == [("content", "cloud", 1)]
    assert bench.told() == []


def mirrored(bench: Bench) -> list[str]:
    """The updates that mirrors asked for."""
    return [ring.id for ring in bench.bells.rung if ring.kind == "update"]


def test_a_mirrored_change_becomes_an_update_of_the_other_event_once(bench: Bench) -> None:
    bench.store.begin(MIRROR)
    edit(bench, subject="After")
    bench.notify()
    bench.notify(MIRRORED, etag=MIRROR.id)
    (update_id,) = mirrored(bench)
    job = bench.store.update(update_id)
    assert job is not None
    assert (job.update.target, job.update.intent.set) == (MIRROR.to, {"subject": "After"})


def test_a_mirror_begins_with_the_event_as_it_stands(bench: Bench) -> None:
    bench.store.begin(MIRROR)
    bench.store.begin(replace(MIRROR, id="mir_2", to=replace(MIRROR.to, event="G")))
    bench.notify(MIRRORED, etag=MIRROR.id)
    assert len(mirrored(bench)) == 1, "the other one has begun, or begins, by itself"


@pytest.mark.parametrize(("next_told", "told"), [("created", ["created"]), ("updated", [])])
def test_that_an_event_begins_to_be_mirrored_is_told_to_nobody_and_that_it_was_created_all_the_same(
    bench: Bench, next_told: str, told: list[str]
) -> None:
    bench.store.unlearn(bench.watch, ["E"])
    bench.store.begin(MIRROR)
    bench.notify(MIRRORED, etag=MIRROR.id)
    assert len(mirrored(bench)) == 1 and bench.told() == []
    bench.notify(next_told, etag=bench.exchange.version)
    assert [one["data"]["change"] for one in bench.told()] == told
    edit(bench, subject="After")
    bench.notify()
    assert list(bench.told()[-1]["data"]["changed"]) == ["subject"]


def test_an_edit_that_the_beginning_of_a_younger_mirror_sees_is_mirrored_back(bench: Bench) -> None:
    bench.store.begin(Mirror("mir_0", "hr", MIRROR.to, MIRROR.source, MIRROR.properties, None, ""))
    bench.store.begin(MIRROR)
    bench.store.keep(bench.watch, {"circles": {MIRROR.id: ("mir_0",)}}, began=bench.store.time())
    edit(bench, subject="After")
    bench.notify(MIRRORED, etag=MIRROR.id)
    (update_id,) = mirrored(bench)
    job = bench.store.update(update_id)
    assert job is not None
    assert (job.update.intent.set, job.update.intent.only_where) == ({"subject": "After"}, {"subject": "Team building"})


def mirror_both_ways(bench: Bench) -> None:
    """MIRROR is the younger of two that lead to and fro."""
    bench.store.begin(Mirror("mir_0", "hr", MIRROR.to, MIRROR.source, MIRROR.properties, None, ""))
    bench.store.begin(MIRROR)
    bench.store.keep(
        bench.watch,
        {"circles": {MIRROR.id: ("mir_0",)}, "leads": {MIRROR.id: MIRROR.to.event}},
        began=bench.store.time(),
    )


def test_an_edit_before_it_is_told_that_a_mirrored_event_was_created_is_mirrored_back(bench: Bench) -> None:
    bench.store.unlearn(bench.watch, ["E"])
    mirror_both_ways(bench)
    bench.notify(MIRRORED, etag=MIRROR.id)
    edit(bench, subject="After")
    bench.notify("created")
    (update_id,) = mirrored(bench)
    (told,) = (one["data"] for one in bench.told())
    assert (told["change"], told["changed"]["subject"]) == ("created", {"before": None, "after": "After"})
    job = bench.store.update(update_id)
    assert job is not None
    planned = patch.plan(job.update.intent, {"subject": "Team building"}, None, "alwaysOverwrite")
    assert planned == Changes({"subject": "After"})


@pytest.mark.parametrize("ends", ["before the next edit", "after it"])
def test_an_edit_after_an_update_that_exchange_refused_is_mirrored_back(bench: Bench, ends: str) -> None:
    mirror_both_ways(bench)
    edit(bench, subject="Refused")
    bench.notify()
    (refused,) = mirrored(bench)
    grant, outcome = claimed(bench.store, refused), Dead(Failure("refused", "ErrorX", "Refused", ""))
    if ends == "before the next edit":
        bench.store.settle(grant, an_attempt(), outcome)
    edit(bench, importance="high")
    bench.notify()
    edit(bench, subject="After")
    bench.notify()
    if ends == "after it":
        bench.bells.ring(*bench.store.settle(grant, an_attempt(), outcome)[1])
    job = bench.store.update(mirrored(bench)[-1])
    assert job is not None
    planned = patch.plan(job.update.intent, {"subject": "Team building"}, None, "alwaysOverwrite")
    assert planned == Changes({"subject": "After"})


@pytest.mark.parametrize("given_up", [True, False])
def test_an_edit_after_an_update_of_the_older_mirror_that_was_given_up_is_mirrored_back(
    bench: Bench, given_up: bool
) -> None:
    mirror_both_ways(bench)
    elder = bench.store.watcher(Mirror, "mir_0")
    there = bench.store.watch(elder.watch) if elder else None
    assert elder is not None and there is not None
    update = accepted(bench.store, an_update("E", intent=Intent(set={"subject": "Refused"})))
    outcome = Dead(Failure("refused", "ErrorX", "Refused", "")) if given_up else Succeeded(Result("v2", noop=False))
    bench.store.settle(claimed(bench.store, update.id), an_attempt(), outcome)
    told = Snapshot("v1", {"subject": "Refused"}, (), "", sent={elder.id: {"subject": update.id}})
    bench.store.first_seen(there, {elder.source.event: told})
    edit(bench, subject="After")
    bench.notify()
    job = bench.store.update(mirrored(bench)[-1])
    assert job is not None
    planned = patch.plan(job.update.intent, {"subject": "Refused"}, None, "alwaysOverwrite")
    assert planned == Changes({"subject": "After"} if given_up else {})


def test_an_edit_after_an_update_that_arrived_touches_only_what_that_left(bench: Bench) -> None:
    mirror_both_ways(bench)
    edit(bench, subject="Arrived")
    bench.notify()
    (arrived,) = mirrored(bench)
    bench.store.settle(claimed(bench.store, arrived), an_attempt(), Succeeded(Result("v2", noop=False)))
    edit(bench, subject="After")
    bench.notify()
    job = bench.store.update(mirrored(bench)[-1])
    assert job is not None
    assert (job.update.intent.only_where, job.update.intent.or_where) == ({"subject": "Arrived"}, {})


@pytest.mark.parametrize(("begun", "common"), [(False, {"subject": "Team building"}), (True, {})])
def test_a_mirror_that_has_not_begun_yet_overwrites_nothing_for_it_may_be_the_youngest_of_a_circle(
    bench: Bench, begun: bool, common: dict[str, str]
) -> None:
    bench.store.begin(MIRROR)
    if begun:
        bench.store.keep(bench.watch, {"leads": {MIRROR.id: MIRROR.to.event}}, began=bench.store.time())
    edit(bench, subject="After")
    bench.notify()
    (update_id,) = mirrored(bench)
    job = bench.store.update(update_id)
    assert job is not None
    assert (job.update.intent.set, job.update.intent.only_where) == ({"subject": "After"}, common)
    known = bench.store.snapshot(bench.watch, "E")
    assert known is not None and known.sent == {MIRROR.id: {"subject": job.update.id}}, "for the other mirror to see"


def test_what_a_mirrors_update_brought_does_not_go_back(bench: Bench) -> None:
    back = replace(MIRROR, id="mir_2", client="rooms", source=MIRROR.to, to=MIRROR.source)
    bench.store.begin(MIRROR)
    event = Event("F", "v2", True, (), {"subject": "Brought"})
    change = Change("updated", {"subject": {"before": None, "after": "Brought"}}, {})
    update = mirror.update_for(back, mirror.way(back, "F", "E"), change, event, NOW)
    assert update is not None
    accepted(bench.store, update)
    intent = {"base": {}, "before": {}, "after": {"subject": "Brought"}, "invitations": "sendToNone"}
    bench.store.intend(claimed(bench.store, update.id), json.dumps(intent))
    bench.exchange.marker = (update.id,)
    edit(bench, subject="Brought")
    bench.notify()
    assert mirrored(bench) == []
    edit(bench, subject="Edited")
    bench.notify()
    assert len(mirrored(bench)) == 1


def test_that_an_event_was_created_of_which_subscriptions_know_is_told_as_what_changed(bench: Bench) -> None:
    edit(bench, subject="After")
    bench.notify("created")
    assert [(one["data"]["change"], list(one["data"]["changed"])) for one in bench.told()] == [("updated", ["subject"])]


def test_that_a_mirrored_event_was_created_which_is_gone_by_now_is_not_told_before_its_deletion(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.store.unlearn(bench.watch, ["E"])
    bench.store.begin(replace(MIRROR, callback_url="https://hooks.example.com/m"))
    bench.notify(MIRRORED, etag=MIRROR.id)
    vanish(bench, monkeypatch)
    bench.notify("created")
    assert bench.told() == []
    bench.notify("deleted")
    assert [one["data"]["change"] for one in bench.told()] == ["deleted", "deleted"]


def test_a_deletion_that_a_beginning_mirror_found_first_is_told_to_everybody_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.store.unlearn(bench.watch, ["E"])
    bench.store.begin(replace(MIRROR, callback_url="https://hooks.example.com/m"))
    vanish(bench, monkeypatch)
    bench.notify(MIRRORED, etag=MIRROR.id)
    assert [one["data"].get("mirror") for one in bench.told()] == [MIRROR.id]
    bench.notify("deleted")
    assert [(one["data"]["subscription"], one["data"]["change"]) for one in bench.told()] == [("sub_1", "deleted")]
    bench.notify("deleted")
    assert bench.told() == []


def test_the_deletion_of_a_mirrored_event_is_told_to_who_wants_to_know(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.store.end(a_subscription())
    told_to = Mirror("mir_2", "hr", MIRROR.source, MIRROR.to, ("subject",), "https://hooks.example.com/m", "")
    bench.store.begin(told_to)
    vanish(bench, monkeypatch)
    bench.notify("deleted")
    (told,) = bench.told()
    assert (told["data"]["mirror"], told["data"]["change"]) == ("mir_2", "deleted")
    snapshot = bench.store.snapshot(bench.watch, "E")
    assert snapshot is not None and snapshot.gone
