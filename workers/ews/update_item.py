"""UpdateItem: a patch to an event, all of it or nothing.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/updateitem-operation
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-update-appointments-and-meetings-by-using-ews-in-exchange
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from workers.ews import recurrence
from workers.ews.change import Change, stamp
from workers.ews.fields import FIELDS, VERSIONS, known
from workers.ews.get_item import id_of, item_of, wanted
from workers.ews.soap import Answer, element
from workers.exchange import Event, Patch, Refused
from workers.properties import TIMES
from workers.update import Json

NAME = "UpdateItem"


def build(event: Event, patch: Patch, version: str) -> etree._Element:
    """The request. Raises Refused, naming the property, for what Exchange cannot hold: nothing has been sent then.

    Always NeverOverwrite against the ChangeKey that was read: the server's AutoResolve may keep the old value and
    answer Success, and its AlwaysOverwrite would trample a change that nobody has seen.
    """
    updates = [change.render() for change in changes(event, patch, version)]
    if patch.marker:
        updates.append(stamp(patch.marker))
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


def changes(event: Event, patch: Patch, version: str) -> list[Change]:
    """The fields to set and to unset, in the table's order. Raises Refused."""
    asked = whole(patch.changes, event.properties)
    made = []
    for name in wanted(asked):
        try:
            _check(name, asked, event.properties, version)
            made += FIELDS[name].write(asked[name], event.properties.get(name))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused("InvalidValue", f"{name}: {_said(error)}") from None
    return [change for change in made if known(change.uri, version)]


def whole(asked: Mapping[str, Json], before: Mapping[str, Json]) -> dict[str, Json]:
    """What is asked, start and end both or neither: Exchange may change the duration or refuse if one comes alone."""
    if set(TIMES).isdisjoint(asked):
        return dict(asked)
    return {**{name: before[name] for name in TIMES if name in before}, **asked}


def _check(name: str, asked: Mapping[str, Json], before: Mapping[str, Json], version: str) -> None:
    if name == "recurrence":
        recurrence.check_zone(asked[name], asked.get("start") or before.get("start"))
    if asked[name] == "workingElsewhere" and VERSIONS.index(version) < VERSIONS.index("Exchange2013"):
        raise ValueError(f"{asked[name]} exists from Exchange2013 on")


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else f"not of the right shape ({error!r})"
