"""Where an event is: a target's path below Graph's base URL.

The forms are those of https://learn.microsoft.com/graph/api/event-update, spelled as there. Every segment is
percent-encoded, so that an id with ``/`` or ``+`` stays one segment. Not here: the base URL, the query.
"""

from __future__ import annotations

from urllib.parse import quote

from workers.exchange import Refused
from workers.update import Target

DEFAULT = "default"


def event_path(target: Target) -> str:
    """``/users/anna@contoso.com/calendars/AAMk…/events/AAMk…`` and its eleven sisters.

    Raises Refused where the target has no path in Graph.
    """
    return f"{owner_path(target)}{_calendar(target)}/events/{_segment('event', target.event)}"


def extension_path(target: Target, name: str) -> str:
    """One of the event's open extensions: https://learn.microsoft.com/graph/api/opentypeextension-get"""
    return f"{event_path(target)}/extensions/{_segment('extensions', name)}"


def owner_path(target: Target) -> str:
    """``/me``, ``/users/anna@contoso.com`` or ``/groups/…``. Raises Refused as above."""
    if target.group is not None:
        return f"/groups/{_segment('group', target.group)}"
    return "/me" if target.owner == "me" else f"/users/{_segment('mailbox', target.mailbox or '')}"


def _calendar(target: Target) -> str:
    if target.calendar_group is None:
        if target.calendar is None:
            return ""
        return "/calendar" if target.calendar == DEFAULT else _calendar_by_id(target.calendar)
    if target.calendar is None or target.calendar == DEFAULT:
        raise _no_path("calendar", "within a calendarGroup Graph knows a calendar only by its id")
    if target.calendar_group == DEFAULT:
        return f"/calendargroup{_calendar_by_id(target.calendar)}"
    return f"/calendargroups/{_segment('calendarGroup', target.calendar_group)}{_calendar_by_id(target.calendar)}"


def _calendar_by_id(calendar: str) -> str:
    return f"/calendars/{_segment('calendar', calendar)}"


def _segment(field: str, value: str) -> str:
    # Percent-encoding leaves dots alone, and a server or proxy resolves these two: another object would be addressed.
    if value in ("", ".", ".."):
        raise _no_path(field, f"{value!r} is no id")
    try:
        return quote(value, safe="@")
    except UnicodeEncodeError:
        raise _no_path(field, "this is not valid Unicode") from None


def _no_path(field: str, sentence: str) -> Refused:
    return Refused("InvalidTarget", f"target.{field}: {sentence}")
