"""Events as they stand, and values for their properties: examples and hypothesis strategies."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from workers.update import Json

NAMES = ("Ann", "ben", "Cleo", "dora", "Emil")
ZONES = ("W. Europe Standard Time", "Pacific Standard Time", "UTC")

Properties = dict[str, Json]


def attendee(name: str, kind: str = "required", **known: Json) -> Properties:
    return {"type": kind, "emailAddress": {"address": f"{name.lower()}@contoso.com", "name": name}, **known}


def at(hour: int, day: int = 23, zone: str = ZONES[0]) -> dict[str, str]:
    return {"dateTime": f"2026-11-{day:02}T{hour:02}:00:00", "timeZone": zone}


def an_event(**properties: Json) -> Properties:
    """A meeting as it is read, with what a test cares for."""
    return {
        "subject": "Team building",
        "body": {"contentType": "html", "content": "<p>Bring <b>shoes</b></p>"},
        "start": at(9),
        "end": at(10),
        "isAllDay": False,
        "location": {"displayName": "Lobby", "locationType": "default"},
        "locations": [{"displayName": "Lobby", "locationType": "default"}],
        "attendees": [attendee("Ann", status={"response": "accepted"}), attendee("ben", "optional")],
        "categories": ["Red", "Blue"],
        "importance": "normal",
        "sensitivity": "normal",
        "showAs": "busy",
        "isReminderOn": True,
        "reminderMinutesBeforeStart": 15,
        "recurrence": None,
        **properties,
    }


def _members(of: st.SearchStrategy[Any], key: Any) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, max_size=4, unique_by=key)


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
bodies = st.builds(
    lambda kind, words: {
        "contentType": kind,
        "content": words if kind == "text" else f"<p>{' '.join(words.split())}</p>",
    },
    st.sampled_from(["text", "html"]),
    st.text("abc ", max_size=8),
)
attendees = _members(
    st.builds(
        lambda name, kind, known: attendee(name, kind, **known),
        st.sampled_from(NAMES),
        st.sampled_from(["required", "optional", "resource"]),
        st.sampled_from([{}, {"status": {"response": "accepted", "time": "2026-11-01T00:00:00Z"}}]),
    ),
    lambda one: one["emailAddress"]["address"],
)
categories = _members(st.sampled_from(["Red", "Blue", "Green", "red cross", "Urgent"]), str.lower)
locations = _members(
    st.builds(lambda name: {"displayName": name}, st.sampled_from(["Lobby", "Room 1", "Café"])),
    lambda one: one["displayName"],
)
times = st.builds(at, st.integers(0, 23), st.integers(1, 28), st.sampled_from(ZONES))

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "attendees": attendees,
    "body": bodies,
    "categories": categories,
    "end": times,
    "importance": st.sampled_from(["low", "normal", "high"]),
    "isAllDay": st.booleans(),
    "isReminderOn": st.booleans(),
    "location": st.builds(lambda name: {"displayName": name}, st.sampled_from(["Lobby", "Room 1", "Café"])),
    "locations": locations,
    "reminderMinutesBeforeStart": st.integers(0, 60),
    "sensitivity": st.sampled_from(["normal", "private"]),
    "showAs": st.sampled_from(["free", "busy", "oof"]),
    "start": times,
    "subject": texts,
}
"""Property → its values."""

CLEARABLE = ("attendees", "body", "categories", "location", "locations", "subject")


def values(name: str) -> st.SearchStrategy[Any]:
    """The values that a caller may set, null included where it clears."""
    return st.one_of(VALUES[name], st.none()) if name in CLEARABLE else VALUES[name]


events = st.fixed_dictionaries(VALUES).map(lambda properties: an_event(**properties))
"""Any event."""

settings_of = st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: values(name) for name in names})
)
"""Any ``set``."""
