"""How much each scenario hurts: a handful of times, or as often as the long run asks for and its time allows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.trial import Scenario

WITHOUT_TARGET = 25.0
"""Seconds that a scenario takes that has no target, about."""
AROUND = 8.0
"""Seconds that one with a target takes beside its hurts: until it has begun, and until all is at rest."""
LEAST = 5.0
"""Seconds of hurting, even where there is no time."""


@dataclass(frozen=True, slots=True)
class Share:
    """At most so many hurts, in at most so many seconds."""

    hurts: int
    seconds: float = math.inf


def plans(chosen: Sequence[Scenario], kills: int, minutes: float | None = None) -> Mapping[str, Share]:
    """Each scenario's share by its name. With ``minutes``: those with a target share what the others leave, each as
    much as its target takes of all of them."""
    if minutes is None:
        return {one.name: Share(kills) for one in chosen}
    aiming = [one for one in chosen if one.target]
    needed = sum(one.target * one.each for one in aiming)
    left = minutes * 60 - WITHOUT_TARGET * (len(chosen) - len(aiming)) - AROUND * len(aiming)
    return {
        one.name: Share(one.target, max(LEAST, left * one.target * one.each / needed)) if one.target else Share(kills)
        for one in chosen
    }


def dealt(chosen: Sequence[Scenario], plans: Mapping[str, Share], many: int) -> list[list[Scenario]]:
    """The scenarios dealt to so many who work side by side, so that all have about as much to do; in their order."""
    hands: list[list[Scenario]] = [[] for _ in range(max(1, min(many, len(chosen))))]
    for one in sorted(chosen, key=lambda one: -_seconds(plans[one.name])):
        min(hands, key=lambda hand: sum(_seconds(plans[had.name]) for had in hand)).append(one)
    return [[one for one in chosen if one in hand] for hand in hands]


def _seconds(share: Share) -> float:
    return share.seconds + AROUND if math.isfinite(share.seconds) else WITHOUT_TARGET
