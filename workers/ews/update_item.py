"""UpdateItem: a patch to an event, all of it or nothing.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/updateitem-operation
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-update-appointments-and-meetings-by-using-ews-in-exchange
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from workers.event.properties import OWN_ZONE, TIMES
from workers.ews import extended, location, recurrence
from workers.ews.change import Change
from workers.ews.fields import known, older
from workers.ews.get_item import EwsEvent, id_of, item_of, wanted
from workers.ews.soap import Answer, element, qualified
from workers.exchange import Event, Patch, Refused
from workers.settings import ServerVersion
from workers.update import Json

NAME = "UpdateItem"
WEEK_SINCE: ServerVersion = "Exchange2010_SP1"
"""The first version whose schema has the first day of a week."""


def build(event: Event, patch: Patch, version: ServerVersion) -> etree._Element:
    """The request. Raises Refused, naming the property, for what Exchange cannot hold: nothing has been sent then.

    Always NeverOverwrite against the ChangeKey that was read: the server's AutoResolve may keep the old value and
    answer Success, and its AlwaysOverwrite would trample a change that nobody has seen.
    """
    stamp = extended.write(extended.MARKER, " ".join(patch.marker)) if patch.marker else []
    updates = [change.render() for change in (*changes(event, patch, version), *stamp)]
    change = element(
        "t:ItemChange", element("t:ItemId", Id=event.id, ChangeKey=event.version), element("t:Updates", *updates)
    )
    return element(
        "m:UpdateItem",
        element("m:ItemChanges", change),
        ConflictResolution="NeverOverwrite",
        MessageDisposition="SaveOnly",
        SendMeetingInvitationsOrCancellations=patch.invitations[:1].upper() + patch.invitations[1:],
    )


def read(answer: Answer) -> tuple[str, str]:
    """The item's id and its new ChangeKey. Raises NotAnAnswer where a success does not tell them."""
    return id_of(item_of(answer))


def changes(event: Event, patch: Patch, version: ServerVersion) -> list[Change]:
    """The fields to set and to unset, in the table's order. Raises Refused."""
    asked = whole(patch.changes, event.properties)
    if isinstance(event, EwsEvent):
        if "recurrence" in asked and event.kind in ("Occurrence", "Exception"):
            raise no_recurrence()
        asked = recurrence.in_step(asked, event.properties.get("start"), event.series)
    made = []
    for field in wanted(asked):
        try:
            _check(field.name, asked, event.properties, version)
            made += field.write(asked[field.name], event.properties.get(field.name))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused("InvalidValue", f"{field.name}: {_said(error)}") from None
    for change in made:
        if change.value is not None and older(version, WEEK_SINCE):
            etree.strip_elements(change.value, qualified("t:FirstDayOfWeek"))
    return [change for change in made if known(change.uri, version)]


def whole(asked: Mapping[str, Json], before: Mapping[str, Json]) -> dict[str, Json]:
    """The changes with both start and end, or neither: if only one is sent, Exchange may change the duration or
    refuse."""
    if set(TIMES).isdisjoint(asked):
        return dict(asked)
    return {**{name: before[name] for name in TIMES if name in before}, **asked}


def no_recurrence() -> Refused:
    """The error for a recurrence that is to be written to a single meeting of a series."""
    return Refused("OccurrenceHasNoRecurrence", "recurrence: only the series has one, not its occurrences")


def _check(name: str, asked: Mapping[str, Json], before: Mapping[str, Json], version: ServerVersion) -> None:
    if name == "recurrence":
        start = _in_its_zone(asked.get("start") or before.get("start"))
        recurrence.check_zone(asked[name], start)
        recurrence.check_first_day(asked[name], start)
        if older(version, WEEK_SINCE) and asked[name]:
            recurrence.check_week(asked[name]["pattern"], WEEK_SINCE)
    if not older(version, "Exchange2013"):
        return
    if name == "showAs" and asked[name] == "workingElsewhere":
        raise ValueError(f"{asked[name]} exists from Exchange2013 on")
    if name == "location" and (lost := location.details(asked[name] or {})):
        raise ValueError(f"Exchange Web Services cannot hold its {', '.join(lost)} before Exchange2013")


def _in_its_zone(start: Json) -> Json:
    """None if that zone is not known, because the series may begin on another day there."""
    return start if start and OWN_ZONE not in start else None


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else f"not of the right shape ({error!r})"
