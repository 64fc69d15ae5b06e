"""What the sandbox starts with: the events of Microsoft's two pages about updating, with ids that stay the same.

* https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-update-appointments-and-meetings-by-using-ews-in-exchange
* https://learn.microsoft.com/graph/api/event-update
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ops.sandbox.call import Json
from ops.sandbox.event import graph_form, item_id
from ops.sandbox.mailbox import Mailbox, new_mailbox
from ops.sandbox.store import Change
from ops.sandbox.world import Account, World

CLIENT_ID = "5f1d9b1c-7f0e-4e36-9a83-0f7c3f0b6a11"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - the sandbox keeps no secrets
REFRESH_TOKEN = "0.AAAAsandbox-refresh-token-of-anna"  # noqa: S105 - as above
SERVICE_USER = "HQ\\svc-rendezvous"
SERVICE_PASSWORD = "sandbox-password"  # noqa: S105 - as above

ANNA = new_mailbox("anna@contoso.com", "cloud", "9e0b5c7a-3c44-4a0c-8f5e-0d9f4d1c2b01", "Anna Weber")
OTTO = new_mailbox("otto@hq.example", "onPremises", "9e0b5c7a-3c44-4a0c-8f5e-0d9f4d1c2b02", "Otto Lang")
TEAM = new_mailbox("team@contoso.com", "group", "02bd9fd6-8f93-4758-87c3-1fb73740a315", "Project Team")

TENNIS_LESSON = item_id(OTTO.guid, "Tennis Lesson")
TEAM_BUILDING = item_id(OTTO.guid, "Team building exercise")
LETS_GO_FOR_LUNCH = item_id(ANNA.guid, "Let's go for lunch")
PROJECT_REVIEW = item_id(ANNA.guid, "Project review")
GROUP_MEETING = item_id(TEAM.guid, "Group meeting")
"""EWS ids; Graph's spelling of them is ``event.graph_form``."""

PACIFIC = "Pacific Standard Time"


def plant(world: World) -> None:
    """Fill an empty world."""
    world.provider.clients[CLIENT_ID] = CLIENT_SECRET
    world.provider.refresh_tokens[REFRESH_TOKEN] = ANNA.address
    for account in (
        Account(SERVICE_USER, SERVICE_PASSWORD, impersonates=True),
        Account(OTTO.address, SERVICE_PASSWORD, OTTO.address),
        Account(ANNA.address, SERVICE_PASSWORD, ANNA.address),
    ):
        world.accounts[account.name.lower()] = account
    for mailbox in (ANNA, OTTO, TEAM):
        world.store.add_mailbox(mailbox)
    _plant_ews_page(world)
    _plant_graph_page(world)


def group_of(mailbox: Mailbox, place: int = 0) -> str:
    """Graph's id of the calendar group that holds the mailbox's nth calendar."""
    return graph_form(mailbox.calendars[place].group)


def attendee(address: str, kind: Literal["required", "optional", "resource"] = "required", name: str = "") -> Json:
    """An attendee who has not answered."""
    return {"type": kind, "emailAddress": {"name": name or address, "address": address}}


def _plant_ews_page(world: World) -> None:
    lesson = {
        "subject": "Tennis Lesson",
        "body": _text("Focus on backhand this week."),
        **_times("2026-12-02T18:00:00", "2026-12-02T19:00:00", PACIFIC),
        "location": {"displayName": "Tennis club"},
    }
    exercise = {
        "subject": "Team building exercise",
        "body": _text("Let's learn to really work as a team and then have lunch!"),
        **_times("2026-12-03T12:00:00", "2026-12-03T14:00:00", PACIFIC),
        "location": {"displayName": "Conference Room 12"},
        "attendees": _invited("Mack.Chaves@contoso.com", "Sadie.Daniels@contoso.com"),
    }
    _plant(world, OTTO, TENNIS_LESSON, lesson)
    _plant(world, OTTO, TEAM_BUILDING, exercise)


def _plant_graph_page(world: World) -> None:
    lunch = {
        "subject": "Let's go for lunch",
        "body": {"contentType": "html", "content": "Does noon work for you?"},
        **_times("2026-12-04T12:00:00", "2026-12-04T14:00:00", PACIFIC),
        "location": {"displayName": "Harry's Bar"},
        "attendees": _invited("samanthab@contoso.com", "danas@contoso.com"),
    }
    review = {"subject": "Project review", **_times("2026-12-07T09:00:00", "2026-12-07T10:00:00", PACIFIC)}
    meeting = {"subject": "Group meeting", **_times("2026-12-08T09:00:00", "2026-12-08T10:00:00", "UTC")}
    _plant(world, ANNA, LETS_GO_FOR_LUNCH, lunch)
    _plant(world, ANNA, PROJECT_REVIEW, review, calendar=ANNA.calendars[1].id)
    _plant(world, TEAM, GROUP_MEETING, meeting)


def _plant(world: World, mailbox: Mailbox, event_id: str, properties: Json, calendar: str | None = None) -> None:
    world.store.create(mailbox, Change(properties), "human", event_id=event_id, calendar=calendar)


def _invited(*addresses: str) -> Iterable[Json]:
    return [attendee(address) for address in addresses]


def _text(content: str) -> Json:
    return {"contentType": "text", "content": content}


def _times(start: str, end: str, zone: str) -> Json:
    return {"start": {"dateTime": start, "timeZone": zone}, "end": {"dateTime": end, "timeZone": zone}}
