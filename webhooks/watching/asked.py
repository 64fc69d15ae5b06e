"""The bodies of ``POST /v1/subscriptions`` and ``POST /v1/mirrors``, and whether they can be accepted: JSON, the
configuration, the caller's rights → a subscription or a mirror, or a problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from webhooks import problems, targets
from webhooks.admission import uncalled
from webhooks.faults import Fault, fault
from webhooks.schema import fault_of
from webhooks.schema.asked import AskedTarget
from webhooks.schema.rules import broken_target
from webhooks.schema.shape import Name, Owner, Shape, Text
from workers.changes.event_change import TOLD_BY_DEFAULT
from workers.changes.subscription import Mirror, Subscription
from workers.event.properties import PROPERTIES, writable_on
from workers.identifiers import new_id
from workers.settings import Backend, Client, Settings
from workers.update import Json, rfc3339

S = TypeVar("S", bound=Shape)


class AskedSubscription(Shape):
    """Asks for callbacks about changes in a mailbox."""

    mailbox: Owner
    """Whose calendar: a user principal name, an SMTP address or an object id; or ``me``, the account that the backend
    signs in as."""
    backend: Annotated[Name, Field(default=None)]
    """The name of a configured backend; by default chosen as for an update. A Graph backend needs ``public_url`` in the
    configuration."""
    callback_url: Annotated[Text, Field(min_length=1, max_length=2048)]
    """Where to POST each change as ``calendar.event.changed``; the same rules as for an update's ``callbackUrl``."""
    properties: Annotated[list[str], Field(default=None, min_length=1, max_length=len(PROPERTIES))]
    """The properties whose changes to report; deleted events are always reported, new ones where one of these is set.
    By default ``attendees categories end importance isAllDay isReminderOn location recurrence
    reminderMinutesBeforeStart sensitivity showAs start subject``.
    A change of another property is reported once the event has been read with it; if nobody has asked for the property
    before, that takes a while in a calendar with many events."""


class AskedMirror(Shape):
    """Keeps ``properties`` of the event ``to`` as they are in ``from``. Two mirrors keep two events equal both ways; if
    both events are changed at once, the older mirror wins. Mirrors may lead in circles: no change goes through the same
    mirror twice."""

    from_: Annotated[AskedTarget, Field(alias="from")]
    """The event whose changes are followed, given like an update's ``target``. A Graph backend needs ``public_url`` in
    the configuration. It cannot be an event in a group's calendar or a single meeting of a series, because Exchange
    reports changes in mailboxes only, and of a series as a whole. Its ``calendar`` and ``version`` are ignored."""
    to: AskedTarget
    """The event that is kept equal, by updates with ``alwaysOverwrite``; given like an update's ``target``, and not the
    event ``from``. Its ``version`` is ignored. Name a meeting of a series by its own id, not as an ``occurrence``."""
    properties: Annotated[list[str], Field(min_length=1, max_length=len(PROPERTIES))]
    """Which properties to keep equal; both backends must be able to write them."""
    callback_url: Annotated[Text, Field(default=None, min_length=1, max_length=2048)]
    """Where to POST how each update ended, and that the source was deleted; the same rules as for an update's
    ``callbackUrl``. Without a URL there is no callback."""


def subscription(content: Mapping[str, Json], client: Client, settings: Settings, now: datetime) -> Subscription:
    """Raises Problem: 422 with pointers, or 403."""
    asked = _read(AskedSubscription, content)
    backend = targets.calendar(asked.mailbox, asked.backend, client, settings)
    properties = asked.properties or sorted(name for name in TOLD_BY_DEFAULT if writable_on(backend.kind, name))
    _check(*_unheard(backend, settings), *_unknown(properties, backend), *uncalled(asked.callback_url, client))
    return Subscription(
        id=new_id("sub"),
        client=client.name,
        backend=backend.name,
        mailbox=asked.mailbox,
        callback_url=asked.callback_url,
        properties=tuple(dict.fromkeys(properties)),
        created_at=rfc3339(now),
    )


def mirror(content: Mapping[str, Json], client: Client, settings: Settings, now: datetime) -> Mirror:
    """Raises Problem: 422 with pointers, or 403."""
    asked = _read(AskedMirror, content, _broken(content))
    source, its = targets.event(asked.from_, client, settings, "from")
    to, other = targets.event(asked.to, client, settings, "to")
    _check(
        *_unheard(its, settings, "from"),
        *_unknown(asked.properties, its),
        *_unknown(asked.properties, other),
        *uncalled(asked.callback_url, client),
        *([fault("an event cannot be kept equal to itself", "to")] if source.line == to.line else []),
    )
    return Mirror(
        id=new_id("mir"),
        client=client.name,
        source=replace(source, version=None),
        to=replace(to, version=None),
        properties=tuple(dict.fromkeys(asked.properties)),
        callback_url=asked.callback_url,
        created_at=rfc3339(now),
    )


def _read(shape: type[S], content: Mapping[str, Json], broken: Iterable[Fault] = ()) -> S:
    try:
        asked = shape.model_validate(content)
    except ValidationError as error:
        _check(*(fault_of(one, content) for one in error.errors(include_url=False)), *broken)
        raise
    _check(*broken)
    return asked


def _broken(content: Mapping[str, Json]) -> Iterator[Fault]:
    """Every rule that a mirror's two events break."""
    source, to = (end if isinstance(end := content.get(name), dict) else {} for name in ("from", "to"))
    yield from broken_target(source, "from")
    yield from broken_target(to, "to")
    if "group" in source:
        yield fault("a group's calendar cannot be watched for changes", "from", "group")
    if "occurrence" in source:
        yield fault("a single meeting cannot be watched for changes, only its series as a whole", "from", "occurrence")
    if "occurrence" in to:
        yield fault("name the meeting by its own id in event", "to", "occurrence")


def _check(*faults: Fault) -> None:
    if faults:
        raise problems.invalid(list(dict.fromkeys(faults)))


def _unheard(backend: Backend, settings: Settings, *path: str) -> Iterator[Fault]:
    if backend.kind == "graph" and settings.public_url is None:
        yield fault(
            "Graph cannot tell us of changes: the operator has to set public_url in the configuration", *path, "mailbox"
        )


def _unknown(properties: Sequence[str], backend: Backend) -> Iterator[Fault]:
    for position, name in enumerate(properties):
        if name not in PROPERTIES:
            yield fault("there is no such property", "properties", position)
        elif not writable_on(backend.kind, name):
            yield fault(f"the backend {backend.name} ({backend.kind}) has no {name}", "properties", position)
