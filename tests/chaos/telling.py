"""Whether a subscriber was told the truth: what Exchange wrote down of some events, against the callbacks that came.
Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.chaos.judge import Verdict, disorder


@dataclass(frozen=True, slots=True)
class Told:
    """A callback that was caught and answered with 2xx: under which ``webhook-id``, of which event, and between which
    two subjects."""

    webhook_id: str
    body: bytes
    event: str
    before: str | None
    after: str | None


def judge_told(history: Mapping[str, Sequence[str]], told: Sequence[Told]) -> Verdict:
    """``history``: event → all its subjects, each another, beginning with the one before the subscription; ``told``: in
    order of arrival. Several changes in a row may be told as one; the last one has to be told, and none twice."""
    bodies: dict[str, set[bytes]] = defaultdict(set)
    first: dict[str, Told] = {}
    for one in told:
        bodies[one.webhook_id].add(one.body)
        first.setdefault(one.webhook_id, one)
    verdict = Verdict(callbacks_doubled=sum(len(variants) - 1 for variants in bodies.values()))
    for event, subjects in history.items():
        verdict += _judge_event(subjects, [one for one in first.values() if one.event == event])
    return verdict


def _judge_event(subjects: Sequence[str], told: Sequence[Told]) -> Verdict:
    known = [subjects[0], *(one.after for one in told)]
    return Verdict(
        lost=int(known[-1] != subjects[-1] and subjects[-1] not in known),
        doubled=len(known) - len(set(known)),
        out_of_order=disorder([subjects.index(subject) for subject in known if subject in subjects]),
        misreported=sum(
            one.before != before or after not in subjects
            for (before, after), one in zip(pairwise(known), told, strict=True)
        ),
    )
