"""Who is mailed about a write: pure.

EWS modes: https://learn.microsoft.com/exchange/client-developer/web-service-reference/updateitem#attributes. "Changed"
is read as the attendees that the write added or removed. Graph has no modes: a write of attendees alone mails those
that were added or removed, every other write mails everybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from ops.sandbox.call import Json

Mode = Literal["SendToNone", "SendOnlyToAll", "SendOnlyToChanged", "SendToAllAndSaveCopy", "SendToChangedAndSaveCopy"]
MODES: tuple[Mode, ...] = (
    "SendToNone",
    "SendOnlyToAll",
    "SendOnlyToChanged",
    "SendToAllAndSaveCopy",
    "SendToChangedAndSaveCopy",
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail: ``request`` to somebody new, ``update`` to somebody who knows, ``cancellation`` to one left out."""

    attendee: str
    kind: Literal["request", "update", "cancellation"]


def letters(before: Collection[Json], after: Collection[Json], mode: Mode) -> tuple[Letter, ...]:
    """The mails of a write that found the attendees ``before`` and left the attendees ``after``."""
    if mode == "SendToNone":
        return ()
    old, new = _addresses(before), _addresses(after)
    written = [Letter(address, "request") for key, address in new.items() if key not in old]
    if mode in ("SendOnlyToAll", "SendToAllAndSaveCopy"):
        written += [Letter(address, "update") for key, address in new.items() if key in old]
    return (*written, *(Letter(address, "cancellation") for key, address in old.items() if key not in new))


def graph_mode(written: Iterable[str]) -> Mode:
    """How Graph mails a write of these properties."""
    names = set(written)
    if not names:
        return "SendToNone"
    return "SendToChangedAndSaveCopy" if names == {"attendees"} else "SendToAllAndSaveCopy"


def _addresses(attendees: Iterable[Json]) -> dict[str, str]:
    found = (str(attendee["emailAddress"]["address"]) for attendee in attendees)
    return {address.lower(): address for address in found}
