"""A seeded world in which everything goes wrong that can: lost, late and silent writes, properties that Exchange
ignores, throttling, crashes, versions that move by themselves, people who edit the event meanwhile, dead letters that
are replayed, some after so many other updates that the event has forgotten ours. The executor, the attempt and the
merge are ours and real; the clock, the dice, the store and Exchange are simulated, in one thread, so that a seed
replays.

    python -m tests.workers.simulation --seeds 1000000 --jobs 0 --report ops/PROOF.md
    python -m tests.workers.simulation --first 4711 --seeds 1 --tell

The judge is the fake Exchange's journal, never our own records:
doubled       the update changed the event, or mailed about it, more than once
trampled      in autoResolve or neverOverwrite a person's edit, made since our first read that was not followed by a
              crash (in neverOverwrite since the version that the caller saw, where one is given), was overwritten
misreported   dead with a class that denies it, though it was applied; succeeded, though it was not, or though it was
              to be seen that a part of it was not; noop, though it was
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter, deque
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import structlog.testing

from tests.proof import machine, put, today
from tests.workers.events import an_event, at, attendee
from tests.workers.fake_exchange import Entry, FakeExchange, Fault
from tests.workers.given import NOW, an_update
from workers.callbacks.callback import Deliverer
from workers.event.agreement import agrees
from workers.event.html_body import canonical_html
from workers.event.properties import WATCHED, group_of, members
from workers.event.versions import Wrote
from workers.exchange import MARKER_LENGTH, AccessDenied, Patch, Unavailable
from workers.executor import Executor
from workers.job import Attempt, Result
from workers.leases import Leases
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.replay import renewed
from workers.settings import Client, EwsBackend, Settings
from workers.store import Grant, Store, StoreUnavailable
from workers.update import Intent, Json, Target, Update

FAULTS = ((Fault.LOST_AFTER, 6), (Fault.LOST_BEFORE, 6), (Fault.LATE, 6), (Fault.THROTTLED, 3), (Fault.UNAVAILABLE, 3),
          (Fault.SILENT, 1), (Fault.BROKEN, 1), (Fault.UNSEEN, 2), (Fault.TWICE, 1), (Fault.REFUSED, 1),
          (Fault.CENSORED, 1), (Fault.BARRED, 1), (Fault.NONE, 68))  # fmt: skip
"""What becomes of a write, in per cent."""
HUMAN, BUMP, CRASH, BLINK, IGNORED, UNREAD, PAUSED = 0.15, 0.1, 0.02, 0.01, 0.03, 0.03, 0.03
"""How likely at each step: a person edits, the version moves by itself, the worker dies, the store is away, a property
that is written is not changed, the next read after a write fails, the mailbox has been paused before the write."""
REPLAYED = 0.5
"""How likely a dead letter is replayed, each time."""
LEASE = 15.0
HEAD = """\
## Worlds

Made by `make simulate ARGS="--seeds 1000000 --report ops/PROOF.md"`; do not edit. One update in each: lost, late and
silent writes, refusals in Exchange's place, ignored properties, throttling, crashes, versions that move by themselves,
people who edit the event meanwhile, dead letters that are replayed. The attempt and the merge are the product's, clock,
dice, store and Exchange are simulated, so that each seed replays. The judge is the simulated Exchange's journal.
*doubled*: the event changed, or people were mailed, more than once. *trampled*: a person's edit was overwritten that
the mode protects. *misreported*: called dead and applied, or succeeded and not.
"""
BATCH = 1000
"""Seeds that one process lives through at a time."""

SETTINGS = Settings(
    backend=(
        EwsBackend.model_validate(
            {"name": "cloud", "kind": "ews", "url": "https://127.0.0.1:9/", "auth": "basic", "username": "u",
             "password": "p", "mailboxes": ["*"]}
        ),
    ),
    client=(Client(name="hr"),),
    store_url="redis://127.0.0.1:9",
    broker_url="redis://127.0.0.1:9",
)  # fmt: skip


class Crash(BaseException):
    """The worker dies here."""


class Silence:
    def ring(self, *rings: object) -> None:
        pass


@dataclass
class Verdict:
    """What the journal says about one seed; ``faults``: the promises that were broken."""

    outcome: Outcome | None
    faults: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        match self.outcome:
            case Succeeded(result=result):
                return "noop" if result and result.noop else "succeeded"
            case Dead(failure=failure):
                return f"dead: {failure.error_class}"
        return "not ended"


class World:
    """One update, from acceptance to its end. Its ``claim``, ``intend``, ``settle`` and ``update`` are the store's."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.time = 0.0
        self.exchange = FakeExchange(an_event(), now=lambda: self.time, spend=self.spend)
        self.exchange.lateness = self.random.choice((0.5, 5.0, 60.0))
        self.exchange.ignores = self.ignored
        self.update_ = self.an_update()
        self.wait = 0.0
        self.intent: str | None = None
        self.doubt = False
        self.intended_at = 0.0
        self.attempts = self.claims = self.fence = 0
        self.outcome: Outcome | None = None
        self.denied = False
        """Whether a death that was replayed was misreported."""
        self.first_read: tuple[int, dict[str, Json]] | None = None
        if self.update_.target.version is not None:
            self.first_read = (0, dict(self.exchange.properties))
        self.past: list[Attempt] = []
        self.story: list[str] = []

    # The world outside.

    def spend(self, seconds: float) -> None:
        self.time += seconds
        if self.random.random() < HUMAN:
            self.edit()
        if self.random.random() < BUMP:
            self.exchange.bump()
        if self.random.random() < CRASH:
            raise Crash

    def edit(self) -> None:
        ours = self.random.random() < 0.3
        name = self.random.choice(self.update_.intent.touched if ours else tuple(EDITS))
        value = self.random.choice(EDITS.get(name, EDITS["subject"]))
        self.exchange.human(**{name: value(self.exchange.properties)})

    def ignored(self, patch: Patch) -> list[str]:
        return [self.random.choice(sorted(patch.changes))] if self.random.random() < IGNORED else []

    def others(self, number: int) -> None:
        """So many other updates change nothing that matters here."""
        ids = (f"upd_{self.random.random()}" for _ in range(number))
        self.exchange.marker = (*ids, *self.exchange.marker)[:MARKER_LENGTH]
        self.exchange.bump()

    def an_update(self) -> Update:
        deadline = self.random.choice((20.0, 120.0, 86400.0, 86400.0, 86400.0))
        return an_update(
            target=Target("cloud", "E", mailbox="a@b", version="v1" if self.random.random() < 0.2 else None),
            intent=self.random.choice(INTENTS),
            conflict_resolution=self.random.choice(("autoResolve", "neverOverwrite", "alwaysOverwrite")),
            deadline=NOW + timedelta(seconds=deadline),
        )

    # The store.

    def claim(self, job_id: str) -> Grant:
        self.claims += 1
        self.fence += 1
        self.exchange.last_read = {}
        return Grant(
            id=job_id,
            fence=self.fence,
            kind="update",
            body=self.update_.to_json(),
            claims=self.claims,
            attempts=self.attempts,
            tries=self.attempts,
            intent=self.intent,
            in_doubt=self.doubt,
            intended_ago=timedelta(seconds=self.time - self.intended_at),
        )

    def intend(self, grant: Grant, intent: str) -> timedelta:
        if self.random.random() < CRASH:
            raise Crash
        if self.random.random() < PAUSED:
            return timedelta(seconds=self.random.choice((1, 30, 300)))
        self.read()
        self.intent, self.doubt, self.intended_at = intent, True, self.time
        self.exchange.write_faults = deque(self.random.choices(*zip(*FAULTS, strict=True)))
        if self.random.random() < UNREAD:
            self.exchange.read_faults.append(self.random.choice((Unavailable, AccessDenied))("HTTP", "Not now."))
        if self.random.random() < BLINK:
            raise StoreUnavailable("the answer of the store was lost")
        return timedelta()

    def read(self) -> None:
        """From what we read in this attempt on, the edits of others count."""
        if self.intent is None and (self.first_read is None or self.update_.conflict_resolution != "neverOverwrite"):
            self.first_read = (self.exchange.read_after, dict(self.exchange.last_read))

    def settle(self, grant: Grant, attempt: Attempt, outcome: Outcome, callback: object) -> tuple[bool, tuple[()]]:
        if self.random.random() < CRASH:
            raise Crash
        self.attempts, self.claims = self.attempts + 1, 0
        self.past.append(attempt)
        self.story.append(f"{self.time:8.1f} {attempt.outcome}: {attempt.detail}")
        match outcome:
            case Retry():
                self.doubt = outcome.in_doubt
                if self.exchange.last_read:
                    self.read()
                self.intent = outcome.intent or self.intent
                self.wait = outcome.after.total_seconds()
            case Succeeded() | Dead():
                self.doubt = isinstance(outcome, Dead) and outcome.failure.error_class == "unknownOutcome"
                self.outcome = outcome
        return True, ()

    def replay(self) -> None:
        self.update_ = renewed(self.update_, NOW + timedelta(seconds=self.time))
        self.outcome, self.attempts, self.past = None, 0, []
        if self.intent is None and self.update_.target.version is None:
            self.first_read = None

    def wrote(self, line: str) -> list[Wrote]:
        """We never wrote this event before."""
        return []

    def history(self, job_id: str) -> tuple[Attempt, ...]:
        return tuple(self.past)

    def update(self, job_id: str) -> None:
        """No callback is composed here."""

    # The life of the update.

    def live(self) -> Verdict:
        executor = Executor(
            settings=SETTINGS,
            store=cast(Store, self),
            bell=cast(Any, Silence()),
            leases=Leases(cast(Store, self), timedelta(seconds=LEASE)),
            exchanges={"cloud": self.exchange},
            deliverer=cast(Deliverer, None),
            clock=lambda: NOW + timedelta(seconds=self.time),
            dice=self.random.random,
            sleep=self.sleep,
        )
        self.run(executor)
        while isinstance(self.outcome, Dead) and self.random.random() < REPLAYED:
            self.denied |= self.misreported()
            self.others(self.random.choice((0, 3, MARKER_LENGTH)))
            self.replay()
            self.run(executor)
        self.time += 1e6
        self.exchange.arrive()
        return self.verdict()

    def run(self, executor: Executor) -> None:
        for _ in range(500):
            if self.outcome is not None:
                break
            self.sleep(self.wait)
            self.wait = 0.0
            try:
                executor.run(self.update_.id)
            except (Crash, StoreUnavailable) as error:
                self.story.append(f"{self.time:8.1f} lost: {error!r}")
                self.attempts += 1
                self.time += LEASE

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    # The judge.

    def verdict(self) -> Verdict:
        verdict = Verdict(self.outcome)
        ours = self.exchange.by(self.update_.id)
        if len(ours) > 1:
            verdict.faults.append("doubled")
        if self.update_.conflict_resolution != "alwaysOverwrite" and any(self.tramples(entry) for entry in ours):
            verdict.faults.append("trampled")
        if self.denied or self.misreported():
            verdict.faults.append("misreported")
        if self.outcome is None:
            verdict.faults.append("not ended")
        return verdict

    def misreported(self) -> bool:
        ours = self.exchange.by(self.update_.id)
        match self.outcome:
            case Succeeded(result=Result() as result):
                return result.noop == bool(ours) or any(self.glosses_over(entry, result) for entry in ours)
            case Dead(failure=failure):
                return bool(ours) and failure.error_class != "unknownOutcome"
        return False

    def glosses_over(self, entry: Entry, result: Result) -> bool:
        """Whether this success calls verified what Exchange ignored, or we saw that it still stands as before."""
        looked, stands = self.exchange.read_after > self.exchange.journal.index(entry), self.exchange.last_read
        return any(
            result.verified or (looked and same(name, stands[name], entry.before[name]))
            for name, value in entry.ignored.items()
            if not agrees(name, stands[name], value)
        )

    def tramples(self, entry: Entry) -> bool:
        """Whether what a person changed since our first read was overwritten by this write of ours."""
        if self.first_read is None:
            return True
        start, base = self.first_read
        journal = self.exchange.journal
        since = [other for other in journal[start : journal.index(entry)] if other.by == "human"]
        edited = {
            name for other in since for name in other.changes if not same(name, base.get(name), entry.before[name])
        }
        if self.update_.conflict_resolution == "neverOverwrite":
            return bool(edited & WATCHED)
        written = {name for name in entry.changes if not agrees(name, entry.before[name], entry.changes[name])}
        return any(self.overwrites(name, entry) for name in written if group_of(name) & edited)

    def overwrites(self, name: str, entry: Entry) -> bool:
        intent = self.update_.intent
        if name in intent.set or name not in {*intent.append, *intent.remove}:
            return True
        stood, stands = entry.before[name], entry.after[name]
        if name == "subject":
            return not str(stands).startswith(str(stood))
        if name == "body":
            before = canonical_html((stood or {}).get("content") or "")
            return canonical_html(stands["content"])[: len(before)] != before
        gone = {str(key).lower() for key in intent.remove.get(name, ())}
        return not members(name, stood).keys() - gone <= members(name, stands).keys()


def same(name: str, one: Json, other: Json) -> bool:
    return agrees(name, one, other) and agrees(name, other, one)


INTENTS = (
    Intent(set={"subject": "Moved"}),
    Intent(set={"subject": "Moved", "importance": "high"}),
    Intent(set={"body": {"contentType": "html", "content": "<p>New</p>"}}),
    Intent(set={"location": {"displayName": "Room 1"}}),
    Intent(set={"location": None, "categories": None}),
    Intent(set={"start": at(14), "end": at(15)}),
    Intent(set={"attendees": [attendee("Ann"), attendee("Cleo")]}),
    Intent(append={"subject": "!"}),
    Intent(append={"body": "<p>more</p>"}),
    Intent(append={"attendees": [attendee("Cleo"), attendee("Beamer", "resource")]}),
    Intent(append={"categories": ["Green"]}, remove={"attendees": ["ben@contoso.com"]}),
    Intent(remove={"categories": ["red"]}),
    Intent(shift={"start": "PT1H", "end": "PT1H"}),
    Intent(shift={"end": "PT30M"}, set={"showAs": "oof"}),
    Intent(set={"importance": "high"}, expect={"subject": "Team building"}),
)

EDITS: dict[str, tuple[Any, ...]] = {
    "subject": (lambda _: "Moved", lambda _: "Team building", lambda now: f"{now['subject'] or ''}?"),
    "body": (
        lambda _: {"contentType": "html", "content": "<p>New</p>"},
        lambda _: {"contentType": "text", "content": "x"},
    ),
    "location": (lambda _: {"displayName": "Room 1"}, lambda _: {"displayName": "Roof"}, lambda _: {"displayName": ""}),
    "start": (lambda _: at(8), lambda _: at(9), lambda _: at(14)),
    "end": (lambda _: at(10), lambda _: at(11), lambda _: at(15)),
    "attendees": (
        lambda now: [*now["attendees"], attendee("Dora")],
        lambda now: now["attendees"][1:],
        lambda now: [{**one, "status": {"response": "declined"}} for one in now["attendees"]],
    ),
    "categories": (lambda now: [*(now["categories"] or []), "Urgent"], lambda _: ["Blue"], lambda _: []),
    "importance": (lambda _: "low", lambda _: "high", lambda _: "normal"),
    "showAs": (lambda _: "free", lambda _: "busy"),
}
"""Property → what a person may make of it, given the event."""


def judged(seed: int) -> tuple[World, Verdict]:
    """One world, lived to its end."""
    with structlog.testing.capture_logs():
        world = World(seed)
        return world, world.live()


def broken(seeds: Iterable[int]) -> tuple[Counter[str], list[tuple[int, str]]]:
    """How the updates ended, and every seed in which a promise was broken."""
    ends: Counter[str] = Counter()
    faults = []
    for seed in seeds:
        _, verdict = judged(seed)
        ends[verdict.name] += 1
        faults += [(seed, fault) for fault in verdict.faults]
    return ends, faults


def broken_among(seeds: range, jobs: int) -> tuple[Counter[str], list[tuple[int, str]]]:
    """The same, in so many processes."""
    if jobs == 1:
        return broken(seeds)
    ends, faults = Counter[str](), list[tuple[int, str]]()
    with ProcessPoolExecutor(jobs) as pool:
        for some_ends, some_faults in pool.map(broken, (seeds[at : at + BATCH] for at in range(0, len(seeds), BATCH))):
            ends += some_ends
            faults += some_faults
    return ends, faults


def main() -> int:
    parser = argparse.ArgumentParser(description="Look for a world in which a promise is broken.")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=1, help="processes; 0: as many as there are cores")
    parser.add_argument("--tell", action="store_true", help="tell the story of each seed")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the page's section")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    if options.tell:
        for seed in seeds:
            tell(seed)
    ends, faults = broken_among(seeds, options.jobs or os.cpu_count() or 1)
    for name, count in ends.most_common():
        print(f"{count:8} {name}")
    for seed, fault in faults[:50]:
        print(f"seed {seed}: {fault}")
    print(f"{len(seeds)} seeds, {dict(Counter(fault for _, fault in faults))} broken")
    if options.report is not None:
        put(options.report, "worlds", page(seeds, ends, faults))
    return 1 if faults else 0


def page(seeds: range, ends: Counter[str], faults: list[tuple[int, str]]) -> str:
    """Markdown: what was tried, how it ended and what was broken."""
    many = Counter(fault for _, fault in faults)
    return "\n".join(
        (
            HEAD,
            f"{today()}, seeds {seeds.start:,} to {seeds.stop - 1:,}; {machine()}.",
            "",
            f"In all: **{len(seeds):,} worlds**: "
            + ", ".join(f"{many[name]} {name}" for name in ("doubled", "trampled", "misreported")) + ".",
            "",
            "| how the update ended | worlds |",
            "|---|--:|",
            *(f"| {name} | {count:,} |" for name, count in ends.most_common()),
        )
    )  # fmt: skip


def tell(seed: int) -> None:
    world, verdict = judged(seed)
    update = replace(world.update_, metadata={})
    print(f"seed {seed}: {update.conflict_resolution} {update.intent}")
    print(*world.story, sep="\n")
    for entry in world.exchange.journal:
        print(f"  {entry.by}: {entry.changes}")
    print(verdict)


if __name__ == "__main__":
    sys.exit(main())
