"""exchangelib's bare read-modify-write, as its documentation shows it: get an item, set its subject, save it.

https://ecederstrand.github.io/exchangelib/#creating-updating-deleting-sending-moving-archiving
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count

import exchangelib
from exchangelib.protocol import BaseProtocol

from tests.benchmarks.peers.loop import serve

MAILBOXES = 200
THREADS = 64
_serial = count()


@cache
def account(mailbox: int) -> exchangelib.Account:
    """One account for each mailbox, as a service that impersonates has it; they share their connections."""
    return exchangelib.Account(
        f"{mailbox:08d}@hq.example",
        config=_configuration(),
        autodiscover=False,
        access_type=exchangelib.IMPERSONATION,
        default_timezone=exchangelib.UTC,
    )


@cache
def _configuration() -> exchangelib.Configuration:
    return exchangelib.Configuration(
        service_endpoint=sys.argv[1],
        credentials=exchangelib.Credentials("benchmark", "benchmark"),
        auth_type=exchangelib.BASIC,
        version=exchangelib.Version(exchangelib.version.EXCHANGE_2016),
        max_connections=THREADS,
    )


def update(serial: int) -> None:
    """One, of an event that no other process has."""
    item = account(serial % MAILBOXES).calendar.get(id=f"AAMkE{os.getpid()}-{serial}", changekey=None)
    item.subject = f"Has moved, {serial}"
    item.save(update_fields=["subject"], send_meeting_invitations="SendToNone")


def work(number: int, threads: int) -> None:
    serials = [next(_serial) for _ in range(number)]
    if threads == 1:
        for serial in serials:
            update(serial)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(update, serials))


def look_up(mailbox: int) -> None:
    """Its calendar, which it asks for at the first use of an account: not to be counted with the updates."""
    assert account(mailbox).calendar


if __name__ == "__main__":
    BaseProtocol.SESSION_POOLSIZE = THREADS
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(look_up, range(MAILBOXES)))
    serve(work)
