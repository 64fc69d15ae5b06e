"""Do two clocks agree? Signatures, tokens and deadlines depend on it."""

from __future__ import annotations

from datetime import datetime

from workers.cli.doctor.finding import Finding

DOUBTFUL = 5.0
WRONG = 60.0
"""Seconds. Receivers accept a callback's signature, and backends a token from the future, within 300."""


def compare(name: str, ours: datetime, theirs: datetime) -> Finding:
    """``ours``: this machine's time when we heard ``theirs``."""
    apart = (theirs - ours).total_seconds()
    if abs(apart) <= DOUBTFUL:
        return Finding.good(name, "agrees with this machine's")
    said = f"{abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} this machine's"
    remedy = "Let NTP set the clocks: signatures and tokens are good for minutes only."
    return Finding.wrong(name, said, remedy) if abs(apart) > WRONG else Finding.doubtful(name, said, remedy)
