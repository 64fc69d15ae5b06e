"""Which item a target means: ids of other kinds translated, and a meeting of a series found by its start."""

from __future__ import annotations

from dataclasses import replace

from workers.ews import convert_id, find_item, get_item, series
from workers.ews.call import Caller
from workers.ews.ids import entry_format, ews_form
from workers.ews.soap import Unwritable, writable
from workers.exchange import NotFound, Refused
from workers.update import Target


def located(caller: Caller, target: Target) -> Target:
    """The same event under the id that GetItem takes: an ItemId, or a master's id and an index.

    Raises Refused for an id that cannot be one, NotFound for a meeting that the series does not have.
    """
    try:
        named = replace(target, event=_ews_id(caller, target))
        return _meeting(caller, named) if named.occurrence and named.occurrence.index is None else named
    except Unwritable as error:
        raise Refused("InvalidValue", f"target.event: {error}") from None


def _ews_id(caller: Caller, target: Target) -> str:
    if (form := entry_format(writable(target.event))) is None:
        return ews_form(target.event)
    if target.mailbox is None or "@" not in target.mailbox:
        raise Refused("InvalidValue", "target.event: an entry id needs target.mailbox to be an SMTP address")
    request = convert_id.build(target.event, form, target.mailbox)
    return caller.ask(convert_id.NAME, request, target, convert_id.read)


def _meeting(caller: Caller, target: Target) -> Target:
    """The target by the id of the meeting itself."""
    assert target.occurrence is not None  # noqa: S101 - the caller looked
    moment = series.moment_asked(target.occurrence)
    found = caller.ask(get_item.NAME, series.build(target.event), target, series.read)
    item_id = found.exceptions.get(moment)
    if item_id is None:
        view = caller.ask(find_item.NAME, find_item.build(found.folder, moment), target, find_item.read)
        item_id = series.meeting_at(found, moment, view)
    if item_id is None:
        start = target.occurrence.start
        raise NotFound("OccurrenceNotFound", f"target.occurrence: no meeting of the series was to start at {start}")
    return replace(target, event=item_id, occurrence=None)
