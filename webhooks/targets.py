"""Which backend serves what is asked for, and whether the client may touch it: for updates, subscriptions and mirrors
alike. ``path``: where the target stands in the body. Every function raises Problem: 422 with a pointer, or 403."""

from __future__ import annotations

from webhooks.faults import fault
from webhooks.problems import FORBIDDEN, Problem, invalid
from webhooks.schema.asked import AskedTarget
from workers.settings import Backend, Client, Settings
from workers.update import Occurrence, Target


def event(asked: AskedTarget, client: Client, settings: Settings, *path: str) -> tuple[Target, Backend]:
    """One event, and the backend that serves it."""
    owner = asked.mailbox if asked.mailbox is not None else f"group:{asked.group}"
    backend = calendar(owner, asked.backend, client, settings, *path)
    if asked.group is not None and backend.kind != "graph":
        raise invalid([fault("groups are served by Graph backends only", *path, "group")])
    target = Target(
        backend=backend.name,
        event=asked.event,
        mailbox=asked.mailbox,
        group=asked.group,
        calendar=asked.calendar,
        calendar_group=asked.calendar_group,
        version=asked.version,
        occurrence=Occurrence(asked.occurrence.index, asked.occurrence.start) if asked.occurrence else None,
    )
    return target, backend


def calendar(owner: str, name: str | None, client: Client, settings: Settings, *path: str) -> Backend:
    """The backend that serves the calendar of ``owner`` (see ``Target.owner``). ``name``: the backend that was asked
    for, if any."""
    where = "group" if owner.startswith("group:") else "mailbox"
    if name is not None and name not in settings.backends:
        why = "no backend of this name is configured; without a name it is chosen by the mailbox"
        raise invalid([fault(why, *path, "backend")])
    backend = settings.backends[name] if name is not None else settings.backend_for(owner)
    if backend is None:
        raise invalid([fault(f"no backend serves this {where}", *path, where)])
    if owner.lower() == "me" and not backend.is_somebody:
        why = f"the backend {backend.name} signs in as nobody in particular: name a mailbox"
        raise invalid([fault(why, *path, where)])
    if not client.may_touch(owner.lower(), backend):
        raise Problem(FORBIDDEN, f"Your client may not touch this {where}.")
    return backend
