"""What Exchange itself makes of a write, whichever API it came through: pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from ops.sandbox.call import Json
from ops.sandbox.event import NO_RESPONSE, Event
from ops.sandbox.zones import instant

LONGEST = timedelta(days=5 * 365 + 1)
CONFLICT = (
    "The send or update operation could not be performed because the change key passed in the request does not match "
    "the current change key for the item."
)
JOIN = "https://teams.microsoft.example/l/meetup-join/"


class Invalid(Exception):
    """The event would be invalid. ``code`` is EWS's; Graph has one code for all of these."""

    def __init__(self, code: str, text: str):
        super().__init__(text)
        self.code = code
        self.text = text


def settled(event: Event, changes: Mapping[str, Json]) -> dict[str, Json]:
    """The event's properties after ``changes``, with all others that Exchange changes because of them."""
    after = {**event.properties, **changes}
    if "locations" in changes:
        after["location"] = _joined(changes["locations"])
    elif "location" in changes:
        after["locations"] = [changes["location"]] if changes["location"].get("displayName") else []
    if "attendees" in changes:
        after["attendees"] = _keeping_answers(event["attendees"], changes["attendees"])
    _settle_online_meeting(event, changes, after)
    _check_times(after)
    _check_recurrence(changes, after)
    return after


def _joined(locations: Collection[Json]) -> Json:
    named = [place for place in locations if place.get("displayName")]
    return named[0] if len(named) == 1 else {"displayName": "; ".join(place["displayName"] for place in named)}


def _keeping_answers(before: Collection[Json], after: Collection[Json]) -> list[Json]:
    """Attendees as written, each once; those who stay keep their answers."""
    answers = {attendee["emailAddress"]["address"].lower(): attendee["status"] for attendee in before}
    kept = {
        attendee["emailAddress"]["address"].lower(): {
            **attendee,
            "status": answers.get(attendee["emailAddress"]["address"].lower(), dict(NO_RESPONSE)),
        }
        for attendee in after
    }
    return list(kept.values())


def _settle_online_meeting(event: Event, changes: Mapping[str, Json], after: dict[str, Json]) -> None:
    """Once made, an online meeting lives in the body's join block; without the block there is none.

    https://learn.microsoft.com/graph/api/event-update#request-body
    """
    made = event["onlineMeeting"] is not None
    if made and "body" in changes and event["onlineMeeting"]["joinUrl"] not in after["body"]["content"]:
        after.update(onlineMeeting=None, isOnlineMeeting=False)
    elif made:
        after.update(isOnlineMeeting=True, onlineMeetingProvider=event["onlineMeetingProvider"])
    elif after["isOnlineMeeting"]:
        url = JOIN + event.uid.lower()
        provider = after["onlineMeetingProvider"]
        after["onlineMeetingProvider"] = "teamsForBusiness" if provider == "unknown" else provider
        after["onlineMeeting"] = {"joinUrl": url}
        block = f'<div class="me-email-text"><a href="{url}">Join the meeting</a></div>'
        after["body"] = {"contentType": "html", "content": after["body"]["content"] + block}


def _check_times(after: Mapping[str, Json]) -> None:
    start, end = (instant(after[name]["dateTime"], after[name]["timeZone"]) for name in ("start", "end"))
    if end < start:
        raise Invalid("ErrorCalendarEndDateIsEarlierThanStartDate", "The end date is earlier than the start date.")
    if end - start > LONGEST:
        raise Invalid("ErrorCalendarDurationIsTooLong", "The duration is longer than five years.")
    if after["isAllDay"] and not all(_is_midnight(after[name]["dateTime"]) for name in ("start", "end")):
        raise Invalid("ErrorPropertyValidationFailure", "An all-day event starts and ends at midnight.")


def _check_recurrence(changes: Mapping[str, Json], after: Mapping[str, Json]) -> None:
    if not changes.get("recurrence"):
        return
    span = changes["recurrence"]["range"]
    if span["startDate"] != after["start"]["dateTime"][:10]:
        raise Invalid("ErrorPropertyValidationFailure", "The recurrence does not begin on the day of the event.")
    if span["type"] == "endDate" and span["endDate"] < span["startDate"]:
        raise Invalid("ErrorRecurrenceHasNoOccurrence", "The recurrence has no occurrence.")


def _is_midnight(wall: str) -> bool:
    return datetime.fromisoformat(wall).time() == datetime.min.time()
