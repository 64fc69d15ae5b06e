"""Whether two clocks agree: signatures, tokens and deadlines depend on it."""

from __future__ import annotations

from datetime import datetime

from workers.cli.doctor.finding import Finding

DOUBTFUL = 5.0
WRONG = 60.0
"""Seconds. A callback's signature is good for 300, and so is a token that is issued in the future."""


def compare(name: str, ours: datetime, theirs: datetime) -> Finding:
    """``ours``: this machine's time at the moment at which ``theirs`` was told."""
    apart = (theirs - ours).total_seconds()
    if abs(apart) <= DOUBTFUL:
        return Finding.good(name, "agrees with this machine's")
    said = f"{abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} this machine's"
    remedy = "Let NTP set the clocks: signatures and tokens are good for minutes only."
    return Finding.wrong(name, said, remedy) if abs(apart) > WRONG else Finding.doubtful(name, said, remedy)
