"""Whether the promises were kept: what Exchange wrote down, the mails it sent and the callbacks that came, against the
202s that callers hold. Pure; what Rendezvous says of an update (``said``) is judged here, too, and never believed."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from itertools import pairwise

from tests.chaos.callers import Promise

POISONED, UNKNOWN = "poisoned", "unknown"
"""Given up with the code Poisoned: nothing was written, or whether it was is not known and is told so. An honest end
among thousands of kills, of whatever its leases had ended."""
ENDED = ("succeeded", "dead", "cancelled", POISONED, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Write:
    """One write that Exchange applied: by whom, to what, when (seconds since 1970), and how many mails it cost."""

    event: str
    update: str
    """The newest id in the marker that was written; empty where there was none."""
    subject: str | None
    at: float
    mails: int

    @classmethod
    def read(cls, line: Mapping[str, object]) -> Write | None:
        """A line of the journal file; None: a person or Exchange itself wrote."""
        entry, mails = line["entry"], line["invitations"]
        assert isinstance(entry, dict) and isinstance(mails, list)
        if entry["author"] not in ("graph", "ews"):
            return None
        marker = next((value for name, value in entry["extended"].items() if "rendezvous-updates" in name), None)
        subject = entry["changed"].get("subject", {}).get("after")
        at = datetime.fromisoformat(entry["at"]).timestamp()
        return cls(entry["event"], (marker or "").partition(" ")[0], subject, at, len(mails))


@dataclass(frozen=True, slots=True)
class Delivered:
    """A callback that was caught: about which update, under which ``webhook-id``, with which body."""

    update: str
    webhook_id: str
    body: bytes
    status: int
    at: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """How often each promise was broken. All of these have to be 0."""

    lost: int = 0
    """202 seen, and neither applied nor honestly given up, nor still waiting."""
    doubled: int = 0
    """Applied again, or a write that belongs to no 202."""
    mails_wrong: int = 0
    """Mails to the one guest of an event beyond the one that each change costs, and those that did not come."""
    out_of_order: int = 0
    stuck: int = 0
    """Not at its end although nothing was hurt any more for a long time."""
    misreported: int = 0
    """Called succeeded and never applied, or given up and applied all the same."""
    callbacks_lost: int = 0
    """No callback that was answered with 2xx."""
    callbacks_doubled: int = 0
    """Two webhook-ids, or two bodies, about one update."""

    @property
    def sound(self) -> bool:
        return not any(getattr(self, one.name) for one in fields(self))

    def without(self, names: Collection[str]) -> Verdict:
        """The same, not looking at these."""
        return replace(self, **dict.fromkeys(names, 0))

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the judge looks at. ``said``: update → the state that Rendezvous reports at the end."""

    promises: Sequence[Promise]
    writes: Sequence[Write]
    delivered: Sequence[Delivered] = ()
    said: Mapping[str, str] = field(default_factory=dict)
    expected_dead: frozenset[str] = frozenset()
    """Updates that have to be given up: poison, garbage."""


def judge(evidence: Evidence) -> Verdict:
    """The verdict on one scenario."""
    writes = attributed(evidence)
    applied = Counter(write.update for write in writes)
    promised = {promise.update for promise in evidence.promises}
    told = {post.update for post in evidence.delivered if 200 <= post.status < 300}
    return Verdict(
        lost=sum(_lost(promise.update, evidence, applied) for promise in evidence.promises),
        doubled=sum(times - 1 for times in applied.values()) + sum(update not in promised for update in applied),
        mails_wrong=sum(abs(mails - 1) for mails in _mails(writes).values()),
        out_of_order=sum(map(disorder, _steps(evidence.promises, writes).values())),
        stuck=sum(_said(update, evidence) not in (*ENDED, "unheard of") for update in promised),
        misreported=sum(_misreported(update, evidence, applied) for update in promised),
        callbacks_lost=sum(_callback_lost(promise, evidence, told) for promise in evidence.promises),
        callbacks_doubled=_unstable(evidence.delivered),
    )


def attributed(evidence: Evidence) -> list[Write]:
    """The writes by the update that they belong to: told by what they made of the event's subject, which no two
    updates of an event share, and only where they changed nothing by our own marker."""
    owner = {(promise.event, promise.subject): promise.update for promise in evidence.promises}
    return [
        replace(write, update=owner.get((write.event, write.subject or ""), write.update)) for write in evidence.writes
    ]


def recovery(hurts: Iterable[float], evidence: Evidence, *, alone: bool = False) -> list[float]:
    """For each hurt and each event that had work waiting then: seconds until something of it was done again, that is
    its caller called back, or where nobody is called the event written. ``alone``: only where nothing else was hurt
    before that."""
    written = {write.update: write.at for write in attributed(evidence)}
    told = {post.update: post.at for post in reversed(evidence.delivered) if 200 <= post.status < 300}
    waits = []
    for hurt, following in pairwise([*sorted(hurts), math.inf]):
        waiting = defaultdict(list)
        for promise in evidence.promises:
            done = (told if promise.callback else written).get(promise.update, 0.0)
            if promise.at <= hurt < done:
                waiting[promise.event].append(done)
        waits += [min(moments) - hurt for moments in waiting.values() if not alone or min(moments) <= following]
    return sorted(waits)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Of sorted values; None of none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else None


def _said(update: str, evidence: Evidence) -> str:
    return evidence.said.get(update, "nothing")


def _lost(update: str, evidence: Evidence, applied: Mapping[str, int]) -> bool:
    if update in applied or update in evidence.expected_dead:
        return _said(update, evidence) == "unheard of"
    return _said(update, evidence) in ("unheard of", "succeeded", "dead", "cancelled")


def _misreported(update: str, evidence: Evidence, applied: Mapping[str, int]) -> bool:
    said = _said(update, evidence)
    if update in evidence.expected_dead:
        return said == "succeeded" or update in applied
    return (said == "succeeded" and update not in applied) or (
        said in ("dead", "cancelled", POISONED) and update in applied
    )


def _mails(writes: Iterable[Write]) -> Mapping[str, int]:
    mails: Counter[str] = Counter()
    for write in writes:
        mails[write.update] += write.mails
    return mails


def _steps(promises: Iterable[Promise], writes: Iterable[Write]) -> Mapping[str, list[int]]:
    """Event → the steps in the order in which Exchange saw them first."""
    steps = {promise.update: promise.step for promise in promises}
    seen: dict[str, dict[int, None]] = defaultdict(dict)
    for write in writes:
        if write.update in steps:
            seen[write.event].setdefault(steps[write.update])
    return {event: list(order) for event, order in seen.items()}


def disorder(steps: Sequence[int]) -> int:
    """How often a step comes right after a later one."""
    return sum(later < earlier for earlier, later in pairwise(steps))


def _callback_lost(promise: Promise, evidence: Evidence, told: Collection[str]) -> bool:
    return promise.callback and promise.update not in told and _said(promise.update, evidence) in ENDED


def _unstable(delivered: Iterable[Delivered]) -> int:
    versions: dict[str, set[tuple[str, bytes]]] = defaultdict(set)
    for post in delivered:
        versions[post.update].add((post.webhook_id, post.body))
    return sum(len(variants) - 1 for variants in versions.values())
