"""Thousands of worlds in which everything goes wrong that can, and no promise is broken.

The long run: make simulate ARGS="--seeds 1000000"
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from tests.workers import simulation
from tests.workers.fake_exchange import FakeExchange
from workers.event import patch
from workers.event.patch import Changes, Conflict
from workers.exchange import Patch
from workers.settings import Settings
from workers.update import ConflictResolution, Intent, Json

SEEDS = range(2000)


def broken(seeds: range = SEEDS) -> Counter[str]:
    return Counter(fault for _, fault in simulation.broken(seeds)[1])


def test_no_seed_breaks_a_promise() -> None:
    ends, faults = simulation.broken(SEEDS)
    assert faults == [], "replay with: python -m tests.workers.simulation --tell --seeds 1 --first SEED"
    assert {
        "succeeded",
        "noop",
        "dead: conflict",
        "dead: refused",
        "dead: unknownOutcome",
        "dead: expired",
    } <= ends.keys()


def test_a_seed_replays() -> None:
    (one, _), (other, _) = simulation.judged(3041), simulation.judged(3041)
    assert (one.story, one.time) == (other.story, other.time)


def test_the_page_counts_every_world_and_names_what_is_broken() -> None:
    text = simulation.page(
        range(5, 15), Counter({"succeeded": 9, "dead: conflict": 1}), [(7, "doubled"), (8, "doubled")]
    )
    assert "seeds 5 to 14" in text and "**10 worlds**: 2 doubled, 0 trampled, 0 misreported." in text
    assert "| succeeded | 9 |" in text


def test_the_judge_sees_what_happens_without_a_precondition(monkeypatch: pytest.MonkeyPatch) -> None:
    init = FakeExchange.__init__

    def careless(self: FakeExchange, *args: object, **options: object) -> None:
        init(self, *args, **options)  # type: ignore[arg-type]
        self.enforces_versions = False

    monkeypatch.setattr(FakeExchange, "__init__", careless)
    assert broken().keys() >= {"doubled", "trampled", "misreported"}


def test_where_versions_are_not_enforced_waiting_for_quiet_keeps_once_and_cannot_keep_edits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    init = FakeExchange.__init__

    def careless(self: FakeExchange, *args: object, **options: object) -> None:
        init(self, *args, **options)  # type: ignore[arg-type]
        self.enforces_versions = False

    known = simulation.SETTINGS
    lax = tuple(one.model_copy(update={"enforces_version": False}) for one in known.backend)
    patient = Settings(backend=lax, client=known.client, store_url=known.store_url, broker_url=known.broker_url)
    monkeypatch.setattr(FakeExchange, "__init__", careless)
    monkeypatch.setattr(simulation, "SETTINGS", patient)
    faults = broken()
    assert "doubled" not in faults
    assert "trampled" in faults


def test_the_judge_sees_what_happens_without_a_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    apply = FakeExchange._apply

    def forget(self: FakeExchange, sent: Patch) -> None:
        apply(self, sent)
        self.marker = ()

    monkeypatch.setattr(FakeExchange, "_apply", forget)
    assert broken().keys() >= {"doubled", "misreported"}


def test_the_judge_sees_what_happens_without_a_base(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = patch.plan

    def forgetful(
        intent: Intent, now: Mapping[str, Json], base: object, mode: ConflictResolution
    ) -> Changes | Conflict:
        return plan(intent, now, None, mode)

    monkeypatch.setattr(patch, "plan", forgetful)
    assert broken().keys() == {"trampled"}
