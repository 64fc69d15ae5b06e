"""The broker: does it answer."""

from __future__ import annotations

from collections.abc import Iterable

from workers import celery
from workers.celery.bell import Bell, BrokerUnavailable
from workers.cli.doctor.finding import Finding
from workers.settings import Settings


def check(settings: Settings) -> Iterable[Finding]:
    """Connect to it as whoever rings a bell does."""
    try:
        Bell(celery.create(settings)).check()
    except BrokerUnavailable as error:
        return (
            Finding.wrong(
                "broker", str(error), "Start it, or correct RENDEZVOUS_BROKER_URL. Updates are kept until it is back."
            ),
        )
    return (Finding.good("broker", "answers"),)
