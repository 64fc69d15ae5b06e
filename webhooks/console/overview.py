"""The first page: is it well, what is waiting, how fast is it, which lanes are paused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from flask import render_template

from webhooks.console.charts import Chart, chart, percentile
from webhooks.console.gate import visitor
from webhooks.console.visitor import Visitor
from webhooks.door import Door, door
from webhooks.health import queue_lengths
from workers.job import State
from workers.settings import Settings
from workers.store.figures import Minute, Pause, Tally

MINUTES = 60
PAUSES_SHOWN = 200
SWEEP_IS_LATE = timedelta(seconds=30)
WORK_IS_LATE = timedelta(minutes=2)
RECENT = 10
"""Minutes. A backend of which no update succeeded for so long, and more than ``FEW`` attempts failed, is complained
about, as by the alert RendezvousExchangeAway."""
FEW = 2
_FAULTS = {
    ("retried", "unavailable"): "does not answer",
    ("retried", "unknownOutcome"): "does not answer",
    ("dead", "accessDenied"): "does not let us in",
}
_SERIES = (("Accepted", "accepted"), ("Succeeded", "succeeded"), ("Retried", "retried"), ("Dead", "dead"))


@dataclass(frozen=True, slots=True)
class Host:
    """The last hour of one receiver of callbacks: how many were delivered, how many attempts failed, how many callbacks
    were given up."""

    name: str
    delivered: int
    failed: int
    given_up: int

    @property
    def share(self) -> int:
        """How many of the attempts went well, in per cent."""
        return round(100 * self.delivered / (self.delivered + self.failed + self.given_up))


@dataclass(frozen=True, slots=True)
class Overview:
    """``standings``: state → number of unsettled updates. ``callbacks``: number of unsettled callbacks. ``queues``:
    queue of the broker → number of bells in it; empty for a client, and if the broker does not answer. ``p50`` and
    ``p95``: seconds from acceptance to the end."""

    standings: Mapping[str, int]
    callbacks: int
    dead: int
    queues: Mapping[str, int]
    charts: tuple[Chart, ...]
    minutes: tuple[datetime, ...]
    p50: float | None
    p95: float | None
    pauses: tuple[Pause, ...]
    hosts: tuple[Host, ...]
    complaints: tuple[str, ...]
    read_at: datetime


def page() -> str:
    """The page as the visitor may see it."""
    return render_template("console/overview.html", overview=_read(door(), visitor()))


def _read(at: Door, visitor: Visitor) -> Overview:
    store = at.store
    minutes = [Minute(one.start, _own(one.tallies, visitor)) for one in store.minutes(MINUTES)]
    hour = [tally for minute in minutes for tally in minute.tallies]
    standing = Counter[tuple[str, str]]()
    for one in store.standings():
        if one.client in visitor.clients:
            standing[one.kind, one.state] += one.count
    hosts, queues, health = hosts_of(hour), queue_lengths(), store.health()
    recent = [tally for minute in minutes[-RECENT:] for tally in minute.tallies]
    return Overview(
        standings={state: standing["update", state] for state in State if not state.settled},
        callbacks=sum(count for (kind, _), count in standing.items() if kind == "callback"),
        dead=sum(map(store.dead_count, visitor.clients)),
        queues=queues or {} if visitor.client is None else {},
        charts=tuple(_chart(title, what, minutes) for title, what in _SERIES),
        minutes=tuple(minute.start for minute in minutes),
        p50=percentile(durations(hour), 0.5),
        p95=percentile(durations(hour), 0.95),
        pauses=tuple(islice(filter(_may_see(visitor, at.settings), store.pauses()), PAUSES_SHOWN)),
        hosts=hosts,
        complaints=complaints(
            store.swept_at(),
            max(store.waits().values(), default=timedelta()),
            store.time(),
            closed=health.problem,
            broker=queues is not None,
        )
        + backends_away(recent),
        read_at=store.time(),
    )


def complaints(
    swept: datetime | None, oldest: timedelta, now: datetime, *, closed: str | None, broker: bool
) -> tuple[str, ...]:
    """What is not well, in sentences; empty if all is well."""
    said = []
    if closed is not None:
        said.append(f"Nothing is accepted: {closed}.")
    if not broker:
        said.append("The broker does not answer: accepted work waits until it is back.")
    if swept is None or now - swept > SWEEP_IS_LATE:
        since = f"since {swept:%Y-%m-%d %H:%M:%SZ}" if swept else "ever"
        said.append(f"beat has not swept {since}: retries and lost bells wait until it runs.")
    if oldest > WORK_IS_LATE:
        said.append(f"Work is {round(oldest.total_seconds())} s late: is every process up, does the broker answer?")
    return tuple(said)


def backends_away(tallies: Iterable[Tally]) -> tuple[str, ...]:
    """The backends of which attempts fail and no update succeeds, in sentences. Their updates are neither late nor
    paused: they wait for their next attempt."""
    failed, well = Counter[tuple[str, str]](), set()
    for one in tallies:
        if one.kind == "update" and one.what == "succeeded":
            well.add(one.place)
        elif one.kind == "update" and (fault := _FAULTS.get((one.what, one.ended))):
            failed[one.place, fault] += one.count
    return tuple(
        f"Exchange {fault} at the backend {place}: {count} attempts failed and no update succeeded in {RECENT} minutes."
        " `rendezvous doctor` says why."
        for (place, fault), count in sorted(failed.items())
        if count > FEW and place not in well
    )


def durations(tallies: Iterable[Tally]) -> Counter[str]:
    """Upper bound in ms → how many updates ended within it, but not within the bound below."""
    counts = Counter[str]()
    for one in tallies:
        if one.what == "took" and one.kind == "update" and one.ended != "sum":
            counts[one.ended] += one.count
    return counts


def hosts_of(tallies: Iterable[Tally]) -> tuple[Host, ...]:
    """The hosts to which callbacks were sent, by name."""
    counts: dict[str, Counter[str]] = {}
    for one in tallies:
        if one.kind == "callback" and one.what in ("succeeded", "retried", "dead"):
            counts.setdefault(one.place.removeprefix("callback/").rpartition("@")[2], Counter())[one.what] += one.count
    return tuple(
        Host(name, count["succeeded"], count["retried"], count["dead"]) for name, count in sorted(counts.items())
    )


def _chart(title: str, what: str, minutes: Sequence[Minute]) -> Chart:
    counts = [
        sum(one.count for one in minute.tallies if one.kind == "update" and one.what == what) for minute in minutes
    ]
    return chart(title, what, counts)


def _own(tallies: Iterable[Tally], visitor: Visitor) -> tuple[Tally, ...]:
    return tuple(one for one in tallies if one.client in visitor.clients)


def _may_see(visitor: Visitor, settings: Settings) -> Callable[[Pause], bool]:
    """An operator may see every paused lane, a client those of its mailboxes and of its own callbacks."""

    def may(pause: Pause) -> bool:
        if visitor.client is None:
            return True
        place, _, rest = pause.lane.partition("/")
        backend = settings.backends.get(place)
        if backend is None:
            return place == "callback" and rest.partition("@")[0] == visitor.client.name
        return visitor.client.may_touch(rest, backend)

    return may
