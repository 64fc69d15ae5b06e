"""The broker: does it answer?"""

from __future__ import annotations

import re
from collections.abc import Iterable

from workers import celery
from workers.celery.bell import Bell, BrokerUnavailable
from workers.cli.doctor.finding import HANGS, Finding, hangs
from workers.settings import Settings


def check(settings: Settings) -> Iterable[Finding]:
    """Connect to it in the same way as the processes do to ring a bell."""
    try:
        Bell(celery.create(settings)).check()
    except BrokerUnavailable as error:
        return (unreached(error),)
    return (Finding.good("broker", "answers"),)


def unreached(error: BrokerUnavailable) -> Finding:
    """It is not there, hangs, or does not know us. Each transport words that differently."""
    if re.search("authenticat|password|access_refused", str(error), re.IGNORECASE):
        remedy = "Put its user name and password into RENDEZVOUS_BROKER_URL."
    elif hangs(error):
        remedy = HANGS
    else:
        remedy = "Start it, or correct RENDEZVOUS_BROKER_URL."
    return Finding.wrong("broker", str(error), f"{remedy} Updates are kept until it is back.")
