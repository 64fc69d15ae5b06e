"""Whether what is asked can be taken in: the configuration, the caller's rights, the clock → an update, or a problem.

Pure: the moment and the id are passed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from webhooks import targets
from webhooks.faults import Fault, fault
from webhooks.problems import invalid
from webhooks.schema import Asked
from webhooks.schema.extended import place_of
from workers.callbacks.public_net import refusal
from workers.event.properties import TIMES, writable_on
from workers.event.zones import to_windows
from workers.settings import Backend, Client, Settings
from workers.update import Update

LIFE = timedelta(hours=24)
LIFE_AT_MOST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Admitted:
    """``room``: how many updates may run at once in the mailbox."""

    update: Update
    room: int


def admit(
    asked: Asked, client: Client, settings: Settings, *, update_id: str, now: datetime, traceparent: str | None
) -> Admitted:
    """The update that is to be stored. Raises Problem: 422 with a pointer, or 403."""
    target, backend = targets.event(asked.target, client, settings, "target")
    if faults := (*_unwritable(asked, backend), *uncalled(asked.callback_url, client)):
        raise invalid(faults)
    update = Update(
        id=update_id,
        client=client.name,
        target=target,
        intent=asked.intent,
        created_at=now,
        deadline=asked.deadline or now + LIFE,
        conflict_resolution=asked.conflict_resolution,
        send_invitations=asked.send_invitations,
        max_recipients=asked.max_recipients,
        callback_url=asked.callback_url,
        metadata=asked.metadata or {},
        traceparent=traceparent,
    )
    return Admitted(update, backend.max_concurrency)


def overdue(asked: Asked, now: datetime) -> Fault | None:
    """Why the deadline cannot be taken. Judged apart from the rest, because it changes with the clock: a request that
    was accepted once is answered as accepted, however late it is repeated."""
    if asked.deadline is None:
        return None
    if asked.deadline <= now:
        return fault("the deadline has passed", "deadline")
    if asked.deadline > now + LIFE_AT_MOST:
        return fault(f"the deadline must be within {LIFE_AT_MOST.days} days", "deadline")
    return None


def uncalled(url: str | None, client: Client) -> Iterator[Fault]:
    """Why a ``callbackUrl`` cannot be called back."""
    if url is None:
        return
    if not client.webhook_secrets:
        yield fault("your client has no webhook secret that callbacks are signed with", "callbackUrl")
    elif why := refusal(url, client.callback_networks):
        yield fault(why, "callbackUrl")


def _unwritable(asked: Asked, backend: Backend) -> Iterator[Fault]:
    for operation in ("set", "append", "remove", "expect"):
        for name, value in getattr(asked.intent, operation).items():
            if not writable_on(backend.kind, name):
                cleared = operation == "set" and name in asked.cleared
                place = ("clear", asked.cleared.index(name)) if cleared else (operation, *place_of(name))
                yield fault(f"the backend {backend.name} ({backend.kind}) has no {name}", *place)
            elif backend.kind == "ews" and name in TIMES and to_windows(value["timeZone"]) is None:
                yield fault("Exchange Web Services has no name for this time zone", operation, name, "timeZone")
