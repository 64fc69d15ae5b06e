"""The examples of the two pages about updating events, as bodies of ``POST /v1/updates``.

* https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-update-appointments-and-meetings-by-using-ews-in-exchange
* https://learn.microsoft.com/graph/api/event-update
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ops.sandbox import seed
from ops.sandbox.call import Json
from ops.sandbox.event import graph_form


@dataclass(frozen=True, slots=True)
class SeedUpdate:
    """A title, the id of the event on the sandbox, and the body without a ``callbackUrl``."""

    title: str
    event: str
    body: Mapping[str, Json]


TEAM_BUILDING = SeedUpdate(
    "EWS UpdateItem: the team building exercise has moved",
    seed.TEAM_BUILDING,
    {
        "target": {"mailbox": seed.OTTO.address, "event": seed.TEAM_BUILDING, "backend": "hq"},
        "set": {
            "subject": "Team building exercise has moved!",
            "location": {"displayName": "4567 Contoso Way, Redmond, OH 33333, USA"},
        },
        "append": {
            "attendees": [
                {"type": "required", "emailAddress": {"address": "alisa@contoso.com"}},
                {"type": "resource", "emailAddress": {"address": "dlpprojector@contoso.com"}},
            ]
        },
        "conflictResolution": "alwaysOverwrite",
        "sendInvitations": "sendToAllAndSaveCopy",
    },
)

LUNCH = SeedUpdate(
    "Graph PATCH event: lunch becomes an online meeting",
    seed.LETS_GO_FOR_LUNCH,
    {
        "target": {"mailbox": seed.ANNA.address, "event": graph_form(seed.LETS_GO_FOR_LUNCH), "backend": "cloud"},
        "set": {
            "recurrence": None,
            "isOnlineMeeting": True,
            "onlineMeetingProvider": "teamsForBusiness",
            "isReminderOn": True,
            "reminderMinutesBeforeStart": 99,
            "hideAttendees": False,
            "categories": ["Red category"],
        },
    },
)


def curl(api_url: str, key: str) -> str:
    """A request to try by hand: the first page's other event, an appointment, so nobody is mailed."""
    body = {
        "target": {"mailbox": seed.OTTO.address, "event": seed.TENNIS_LESSON},
        "set": {"location": {"displayName": "Court 2"}},
    }
    return (
        f"curl -i {api_url}/v1/updates \\\n"
        f"  -H 'Authorization: Bearer {key}' -H \"Idempotency-Key: try-$(date +%s)\" \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d '{json.dumps(body)}'"
    )
