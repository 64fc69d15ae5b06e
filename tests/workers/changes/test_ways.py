from __future__ import annotations

from dataclasses import dataclass, field, replace

import httpx
import pytest

from tests.workers.graph.wire import Wire, backend
from workers.changes.feed import Round
from workers.changes.subscription import Mirror
from workers.changes.ways import Ways
from workers.exchange import Away, ExchangeError, Throttled, Unavailable
from workers.graph.calendar_view_delta import GraphFeed
from workers.graph.connection import Connection
from workers.store import Store
from workers.update import Target

ANNAS = Target("cloud", "E", mailbox="anna@contoso.com")
BENS = Target("cloud", "F", mailbox="ben@contoso.com")


@dataclass
class Feed:
    """Spells every id in its own way, or is away."""

    fails: ExchangeError | None = None
    asked: list[str] = field(default_factory=list)
    mailboxes: list[str | None] = field(default_factory=list)

    def changes(self, *_: object) -> Round:
        raise NotImplementedError

    def spelled(self, event: Target) -> str:
        self.asked.append(event.event)
        self.mailboxes.append(event.mailbox)
        if self.fails is not None:
            raise self.fails
        return f"immutable {event.event}"


def test_an_event_is_asked_about_once_and_one_of_a_group_never(store: Store) -> None:
    feed = Feed()
    ways = Ways(store, {"cloud": feed})
    assert [ways.spelled(ANNAS).event for _ in range(3)] == ["immutable E"] * 3
    group = Target("cloud", "G", group="team")
    assert (ways.spelled(group), feed.asked, feed.mailboxes) == (group, ["E"], ["anna@contoso.com"])


def test_an_event_of_a_backend_that_is_no_longer_configured_is_taken_as_it_is_spelled(store: Store) -> None:
    assert Ways(store, {}).spelled(ANNAS) == ANNAS


@pytest.mark.parametrize(
    ("fails", "asked"),
    [
        (Away("ReadTimeout", "it says nothing", request_id="r-1"), ["E"]),
        (Unavailable("503", "this mailbox is moved", request_id="r-1"), ["E", "F"]),
        (Throttled("429", "this mailbox is busy"), ["E", "F"]),
    ],
)
def test_who_says_nothing_is_not_asked_again_and_who_speaks_of_one_mailbox_is_asked_about_others(
    store: Store, fails: ExchangeError, asked: list[str]
) -> None:
    feed = Feed(fails)
    ways = Ways(store, {"cloud": feed})
    for event in (ANNAS, BENS, ANNAS, BENS):
        with pytest.raises(type(fails)):
            ways.spelled(event)
    assert feed.asked == asked
    assert ways.away(ANNAS) is ways.away(BENS) is fails
    assert ways.away(Target("hq", "E", mailbox="anna@contoso.com")) is None


@pytest.mark.parametrize("fails", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
def test_a_graph_that_does_not_answer_is_not_asked_about_each_mailbox(store: Store, fails: httpx.RequestError) -> None:
    wire = Wire(*[fails] * 4)
    ways = Ways(store, {"cloud": GraphFeed(Connection(backend(), httpx.MockTransport(wire)), "https://graph.example")})
    for event in (ANNAS, BENS):
        with pytest.raises(Unavailable):
            ways.spelled(event)
    assert len(wire.seen) == 1


def test_mirrors_lead_on_from_an_event_however_it_was_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = Mirror("mir_1", "hr", ANNAS, BENS, ("subject",), None, "")
    store.begin(mirror)
    ways = Ways(store, {"cloud": Feed()})
    assert list(ways.onward(replace(ANNAS, event="immutable E"))) == [(mirror, replace(BENS, event="immutable F"))]
    monkeypatch.setattr(store, "watchers", None)  # each mailbox is asked about once
    assert list(ways.onward(replace(ANNAS, event="another"))) == []
