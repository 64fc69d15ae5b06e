"""Who was mailed about an update, as far as the update itself shows it.

Exchange sends the mails and does not report them. We know the mode that we asked for, how many mails it meant at most,
and the attendees if they are among the properties that changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workers.event.invitations import CHANGED, EVERYBODY
from workers.event.properties import members
from workers.job import UpdateJob
from workers.update import Json

_MODES = {
    "sendOnlyToAll": "All attendees",
    EVERYBODY: "All attendees, with a copy in Sent Items",
    CHANGED[0]: "The attendees whom the change affects",
    CHANGED[1]: "The attendees whom the change affects, with a copy in Sent Items",
}
_ADDED, _REMOVED, _KEPT = "added: an invitation", "taken out: a cancellation", "invited before: an update"


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody who was to get a mail, and why: which kind of mail it is."""

    address: str
    why: str


@dataclass(frozen=True, slots=True)
class Mailing:
    """``said``: all of it in one phrase. ``people``: the addressees, empty if they are not known."""

    said: str
    people: tuple[Addressee, ...] = ()


def mailing(job: UpdateJob) -> Mailing:
    """Who was mailed about this update."""
    result = job.result
    if result is None:
        return Mailing(_without_result(job))
    mode = result.get("invitations")
    if result.get("noop"):
        return Mailing("Nobody: nothing had to be written")
    if mode is None:
        return Mailing("Perhaps the attendees: it is not known any more how the change was applied")
    if mode not in _MODES:
        return Mailing("Nobody")
    changed = result["changed"]
    people = _people(mode, changed) if "attendees" in changed else ()
    return Mailing(f"{_MODES[mode]}{_count(result['mails'])}", people)


def _without_result(job: UpdateJob) -> str:
    if job.error is not None and job.error.get("class") == "unknownOutcome":
        return "Perhaps the attendees: it is not known whether the change was applied"
    return "Nobody" if job.state.settled else "Nobody yet"


def _count(mails: int) -> str:
    return f": {mails} mail{'' if mails == 1 else 's'} at most" if mails else ""


def _people(mode: str, changed: Mapping[str, Mapping[str, Json]]) -> tuple[Addressee, ...]:
    """Who came and who went and, unless that is all that changed and only they are mailed, who stayed."""
    before, after = (members("attendees", changed["attendees"].get(side)) for side in ("before", "after"))
    added = [Addressee(address, _ADDED) for address in after if address not in before]
    removed = [Addressee(address, _REMOVED) for address in before if address not in after]
    if mode in CHANGED and changed.keys() == {"attendees"}:
        return (*added, *removed)
    return (*added, *removed, *(Addressee(address, _KEPT) for address in after if address in before))
