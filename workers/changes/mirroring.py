"""Having mirrors follow: a change of an event becomes an update of each event that is kept equal to it.

Not here: what such an update asks for (mirror), where mirrors lead (ways).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from workers.celery.bell import Bell
from workers.changes import mirror
from workers.changes.event_change import Change
from workers.changes.look import Look
from workers.changes.mirror import Way
from workers.changes.subscription import Mirror, may_write
from workers.exchange import Event
from workers.job import State, UpdateJob
from workers.settings import Settings
from workers.store import Store
from workers.update import Intent, Json


@dataclass(frozen=True, slots=True)
class Mirroring:
    """Accepts the updates that mirrors need. Thread-safe."""

    settings: Settings
    store: Store
    bell: Bell

    def follow(self, look: Look, event: Event, change: Change, now: datetime) -> Mapping[str, Mapping[str, str]]:
        """Accept the updates that mirrors of this event need, once for each of its versions. Returns what the snapshot
        has to keep as ``sent``."""
        before = look.before.sent if look.before else {}
        sent = {one.id: before.get(one.id, {}) for one in look.mirrors}
        for one in look.mirrors:
            way, last, whole = self._way(look, one), sent[one.id], one.id == look.begun
            waiting, lost = (self._waiting(last), self._lost(look, one)) if way.yields else ({}, {})
            update = mirror.update_for(one, way, change, event, now, whole=whole, waiting=waiting, lost=lost)
            backend = self.settings.backends.get(one.to.backend)
            if update is None or backend is None or not may_write(one, self.settings):
                continue
            known = mirror.key(one, event.version, whole=whole)
            accepted = self.store.accept(update, key=known, fingerprint=known, room=backend.max_concurrency)
            self.bell.ring(*accepted.rings)
            sent[one.id] = {**last, **dict.fromkeys(update.intent.set, accepted.id)}
        return {mirror_id: last for mirror_id, last in sent.items() if last}

    def _waiting(self, last: Mapping[str, str]) -> Mapping[str, Intent]:
        """What the mirror last asked for, where that has not arrived."""
        jobs = self._jobs(last)
        return {name: job.update.intent for name, job in jobs.items() if job.state is not State.SUCCEEDED}

    def _lost(self, look: Look, one: Mirror) -> Mapping[str, Json]:
        """Of two that lead to and fro: what the older one was to bring here and never does, for its update was given
        up or taken back."""
        elders = look.watch.circles.get(one.id, ())
        elder = self.store.watcher(Mirror, elders[0]) if len(elders) == 1 else None
        there = self.store.watch(elder.watch) if elder else None
        if elder is None or there is None:
            return {}
        known = self.store.snapshot(there, there.spelled.get(elder.id, elder.source.event))
        jobs = self._jobs(known.sent.get(elder.id, {}) if known else {})
        given_up = (State.DEAD, State.CANCELLED)
        return {name: job.update.intent.set[name] for name, job in jobs.items() if job.state in given_up}

    def _jobs(self, sent: Mapping[str, str]) -> Mapping[str, UpdateJob]:
        """Property → the job of this id, where there is one still."""
        jobs = {name: self.store.update(update_id) for name, update_id in sent.items()}
        return {name: job for name, job in jobs.items() if job is not None}

    def _way(self, look: Look, one: Mirror) -> Way:
        """If a change is heard of before the mirror has begun, its elders are not known: it may be the youngest of a
        circle."""
        spelled, leads = look.watch.spelled.get(one.id, look.notification.event), look.watch.leads.get(one.id)
        if leads is None and one.id != look.begun:
            return mirror.way(one, spelled, one.to.event, elders=None)
        elders = [self.store.watcher(Mirror, elder) for elder in look.watch.circles.get(one.id, ())]
        return mirror.way(one, spelled, leads or one.to.event, elders)
