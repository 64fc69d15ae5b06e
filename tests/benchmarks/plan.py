"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """``rounds``: how often the sides take turns; ``seconds``: how long one load of callers lasts; ``updates``: how
    many are measured at a time; ``kept``: so many finished ones in the store; ``crowd``: so many wait in one mailbox;
    ``idle``: seconds of doing nothing."""

    rounds: int = 5
    seconds: float = 5.0
    updates: int = 400
    kept: int = 1_000_000
    crowd: int = 10_000
    idle: float = 60.0


SHORT = Plan(rounds=2, seconds=3.0, updates=150, kept=100_000, crowd=1_000, idle=10.0)
