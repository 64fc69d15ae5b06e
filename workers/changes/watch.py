"""A watch: one mailbox whose changes we hear of, for as long as a subscription or a mirror wants to know.

Data, and the decisions about it: pure. There is one watch for each mailbox, however many want to know, because Graph
refuses a second subscription to the same (https://learn.microsoft.com/graph/api/subscription-post-subscriptions), and
one read of an event serves all. Not here: asking Exchange (feed), doing what is decided (tending).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from workers.update import Target

ROOM = 2
"""How many events of one mailbox are looked at at once; Graph allows 4 calls in all."""
WINDOW = (timedelta(days=-7), timedelta(days=180))
"""The days that a round through the calendar covers. With wider ones Graph answers 504 if series have no end."""
NEW_WINDOW = timedelta(days=30)
"""How long a window is used; then a new one begins, so that it keeps up with the calendar."""
OVER = timedelta(days=60)
"""So long after its end an event is forgotten; if it is edited later, nobody can tell what it was before."""
SHORTEST_SILENCE = timedelta(hours=1)
"""A shorter silence means nothing, whatever is usual for a mailbox."""

_STATE = re.compile(r"(wch_[0-9a-f]{32})\.")


class Step(StrEnum):
    """What is to be done about a watch, in this order."""

    WALK = "walk"
    CREATE = "create"
    RENEW = "renew"
    CATCH_UP = "catch up"
    MOVE_ON = "move on"


@dataclass(frozen=True, slots=True)
class Watch:
    """Moments are aware, UTC, by the store's clock; None: not yet.

    ``secret``: Graph's ``clientState``. ``graph_id``, ``expires``, ``renewed``: the Graph subscription; ``terms``: what
    it was made with (feed.Push); ``asked``: when we asked Graph for one and do not know what came of it. ``cursor``:
    where the next catch-up goes on, opaque outside its feed. ``walked``: when we last went through the whole calendar;
    ``caught_up``: when we last looked for changes ourselves. ``missed``: when Graph said that it had lost
    notifications; ``reauthorize``: when it asked for a new authorization; ``heard``: when it last told us of a change;
    ``usual``: its longest silence between two such moments, which is forgotten over weeks. ``tended``: when everything
    was last in order. ``problem``: why it does not work now, one line. ``fence``: of the job that looked last, or is
    looking now.
    """

    id: str
    backend: str
    mailbox: str
    secret: str
    graph_id: str | None = None
    expires: datetime | None = None
    renewed: datetime | None = None
    terms: str | None = None
    asked: datetime | None = None
    cursor: str | None = None
    walked: datetime | None = None
    caught_up: datetime | None = None
    missed: datetime | None = None
    reauthorize: datetime | None = None
    heard: datetime | None = None
    usual: timedelta | None = None
    tended: datetime | None = None
    problem: str | None = None
    fence: int = 0
    learnt: tuple[str, ...] = ()
    """The properties besides the usual ones that are known of every event, because a subscription asks for them."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """A mirror's id → the id of its source event as notifications spell it, which the caller may have spelt otherwise.
    Noted once the mirror has begun."""
    leads: Mapping[str, str] = field(default_factory=dict)
    """A mirror's id → the id of its other event in the same spelling."""
    circles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A mirror's id → the older mirrors that bring back what it writes (mirror.circle)."""
    waits: Mapping[str, str] = field(default_factory=dict)
    """The id of a mirror that cannot begin yet → why, one line."""

    @property
    def place(self) -> Target:
        """The mailbox, as a target without an event."""
        return Target(backend=self.backend, event="", mailbox=self.mailbox)

    def event(self, event_id: str) -> Target:
        return Target(backend=self.backend, event=event_id, mailbox=self.mailbox)

    @property
    def lane(self) -> str:
        """Another lane than the mailbox's own: its updates must not wait behind a thousand notifications."""
        return f"watch/{self.place.lane}"

    def line(self, event_id: str) -> str:
        return f"{self.lane}/{event_id}"


def watch_id(backend: str, mailbox: str) -> str:
    """Made from the mailbox, so that nobody has to look it up, and without telling which mailbox it is."""
    lane = Target(backend=backend, event="", mailbox=mailbox).lane
    return f"wch_{hashlib.sha256(lane.encode()).hexdigest()[:32]}"


def new_secret(of_watch: str) -> str:
    """A ``clientState`` (at most 128 characters): the watch's id, and a secret that only Graph and we know."""
    return f"{of_watch}.{secrets.token_urlsafe(32)}"


def watch_of(client_state: str) -> str | None:
    """The watch that a ``clientState`` names; None if it is none of ours."""
    ours = _STATE.match(client_state)
    return ours[1] if ours else None


def steps(watch: Watch, now: datetime, *, pushed: bool, every: timedelta, terms: str | None = None) -> tuple[Step, ...]:
    """What is due. ``pushed``: whether Exchange can tell us of changes. ``every``: how often we look for changes
    ourselves, to find what nobody told us. ``terms``: those on which we would subscribe now."""
    wanted = []
    if watch.cursor is None or watch.walked is None:
        wanted.append(Step.WALK)
    if pushed and (watch.graph_id is None or watch.expires is None or watch.expires <= now or watch.terms != terms):
        wanted.append(Step.CREATE)
    elif pushed and _renewal_due(watch, now):
        wanted.append(Step.RENEW)
    move_on = Step.WALK not in wanted and _moved_on(watch, now)
    if Step.CREATE in wanted or move_on or (Step.WALK not in wanted and _catch_up_due(watch, now, every)):
        wanted.append(Step.CATCH_UP)
    if move_on:
        wanted.append(Step.MOVE_ON)
    return tuple(wanted)


def next_look(watch: Watch, now: datetime, *, pushed: bool, every: timedelta) -> datetime:
    """When there is something to do again."""
    soonest = (watch.caught_up or now) + every
    if pushed and (renewal := _renew_at(watch)) is not None:
        soonest = min(soonest, renewal)
    return max(soonest, now + timedelta(seconds=1))


def quiet(watch: Watch, now: datetime) -> bool:
    """Whether its Graph subscription lives and yet has been silent for twice as long as usual, nights and weekends
    included. For one mailbox that may mean a holiday, for many that notifications do not reach us."""
    if watch.heard is None or watch.usual is None or watch.expires is None or watch.expires <= now:
        return False
    return now - watch.heard > 2 * max(watch.usual, SHORTEST_SILENCE)


def _moved_on(watch: Watch, now: datetime) -> bool:
    return watch.walked is not None and now - watch.walked >= NEW_WINDOW


def _renew_at(watch: Watch) -> datetime | None:
    """Half-way through its life: an outage may last for days, and Graph may grant less time than was asked."""
    if watch.renewed is None or watch.expires is None:
        return None
    return watch.renewed + (watch.expires - watch.renewed) / 2


def _renewal_due(watch: Watch, now: datetime) -> bool:
    asked = watch.reauthorize is not None and (watch.renewed is None or watch.reauthorize > watch.renewed)
    at = _renew_at(watch)
    return asked or at is None or at <= now


def _catch_up_due(watch: Watch, now: datetime, every: timedelta) -> bool:
    if watch.caught_up is None:
        return True
    missed = watch.missed is not None and watch.missed > watch.caught_up
    return missed or now - watch.caught_up >= every
