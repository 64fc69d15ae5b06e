"""Who is mailed about a write: which of the five modes, and how many people that is.

Pure. The modes are EWS's (https://learn.microsoft.com/exchange/client-developer/web-service-reference/updateitem);
Graph has none: it mails the changed attendees when only attendees change, and everybody otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workers.event.properties import EXTENSION, members
from workers.exchange import Event, Refused
from workers.update import BackendKind, Json, SendInvitations

NOBODY = "sendToNone"
EVERYBODY = "sendToAllAndSaveCopy"
CHANGED = ("sendOnlyToChanged", "sendToChangedAndSaveCopy")


def choose(asked: SendInvitations, event: Event, changes: Mapping[str, Json], kind: BackendKind) -> str:
    """The mode for this write. Nobody is mailed about an appointment: a send mode may turn it into a meeting. Nor about
    open extensions, which Graph keeps beside the event.

    Raises Refused for ``sendToNone`` where Graph would mail all the same.
    """
    if not (event.is_meeting or changes.get("attendees")) or all(name.startswith(EXTENSION) for name in changes):
        return NOBODY
    if kind == "graph":
        if asked == NOBODY:
            raise Refused(
                "SendToNoneOnGraph",
                "Graph always mails the attendees of a meeting; sendInvitations sendToNone cannot be kept there. "
                "Ask for auto, or write through an ews backend.",
            )
        return CHANGED[1] if changes.keys() == {"attendees"} else EVERYBODY
    return EVERYBODY if asked == "auto" else asked


def recipients(mode: str, event: Event, changes: Mapping[str, Json]) -> frozenset[str]:
    """The addresses that Exchange will mail, by the mode's documentation. Attendees who are removed get a
    cancellation; whatever else changes affects everybody."""
    if mode == NOBODY:
        return frozenset()
    before = _guests(event.properties.get("attendees"))
    after = _guests(changes["attendees"]) if "attendees" in changes else before
    return before ^ after if mode in CHANGED and changes.keys() == {"attendees"} else before | after


def mails(people: frozenset[str], exceptions: Sequence[Json] = ()) -> int:
    """How many mails Exchange may send: one to each of ``people`` and, for a series, one more about each of its
    ``exceptions`` to the attendees of that exception.

    An upper bound, as observed (https://github.com/microsoftgraph/microsoft-graph-docs/issues/2309); Microsoft promises
    no number.
    """
    if not people:
        return 0
    return len(people) + sum(len(_guests(one.get("attendees"))) or len(people) for one in exceptions)


def _guests(attendees: Json) -> frozenset[str]:
    """The attendees without the organizer, who may be listed among them and is not mailed about their own meeting."""
    return frozenset(
        address
        for address, attendee in members("attendees", attendees).items()
        if (attendee.get("status") or {}).get("response") != "organizer"
    )


def check_limit(limit: int | None, count: int) -> None:
    """Raise Refused if more mails would go out than the caller allows."""
    if limit is not None and count > limit:
        raise Refused("TooManyRecipients", f"{count} people would be mailed, and maxRecipients is {limit}.")
