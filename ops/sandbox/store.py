"""The one store of events that both APIs look at.

Every write is one step under one lock: the plan sees the event as it stands and says what to change, or refuses. So
preconditions are checked against the version that is really overwritten. Thread-safe.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import RLock

from ops.sandbox.call import Json
from ops.sandbox.event import DEFAULTS, Event, item_id, utc_now
from ops.sandbox.journal import Action, Author, Entry, Invitation, Journal
from ops.sandbox.mailbox import Mailbox
from ops.sandbox.mailing import Letter, Mode, letters
from ops.sandbox.rules import settled


class Missing(Exception):
    """No such mailbox, calendar or event."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a write asks for: new values by property, extended properties (None deletes), and who is to be mailed."""

    properties: Mapping[str, Json] = field(default_factory=dict)
    extended: Mapping[str, str | None] = field(default_factory=dict)
    mode: Mode = "SendToNone"


Plan = Callable[[Event], Change]


@dataclass(slots=True)
class Store:
    """All mailboxes and events."""

    journal: Journal
    on_write: Callable[[Event], None] = lambda event: None
    """Called after each applied write, in the thread of the write; not for Exchange's own touches."""
    _mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    _events: dict[str, Event] = field(default_factory=dict)
    _counter: int = 0x1A2B3C
    _lock: RLock = field(default_factory=RLock)

    def add_mailbox(self, mailbox: Mailbox) -> Mailbox:
        """Open a mailbox, known by its address and by its object id."""
        with self._lock:
            self._mailboxes[mailbox.address.lower()] = mailbox
            self._mailboxes[mailbox.object_id.lower()] = mailbox
        return mailbox

    def mailbox(self, name: str) -> Mailbox:
        """A mailbox by address or object id; ``Missing``."""
        try:
            return self._mailboxes[name.lower()]
        except KeyError:
            raise Missing(name) from None

    def mailboxes(self) -> tuple[Mailbox, ...]:
        """Every mailbox once."""
        return tuple({mailbox.address: mailbox for mailbox in self._mailboxes.values()}.values())

    def event(self, event_id: str, mailbox: Mailbox | None = None) -> Event:
        """An event by its EWS id, in this mailbox if one is given; ``Missing``."""
        event = self._events.get(event_id)
        if event is None or (mailbox is not None and event.mailbox != mailbox.address):
            raise Missing(event_id)
        return event

    def events(self, mailbox: Mailbox, calendar: str | None = None) -> tuple[Event, ...]:
        """The events of a mailbox or of one calendar, by start."""
        with self._lock:
            found = [event for event in self._events.values() if event.mailbox == mailbox.address]
        return tuple(
            sorted(
                (event for event in found if calendar in (None, event.calendar)), key=lambda item: item.moment("start")
            )
        )

    def create(
        self,
        mailbox: Mailbox,
        change: Change,
        author: Author,
        *,
        calendar: str | None = None,
        event_id: str | None = None,
        is_organizer: bool = True,
        call: str = "",
        pretend: bool = False,
    ) -> Event:
        """Make a new event. Raises ``rules.Invalid``. ``pretend`` stores nothing."""
        with self._lock:
            blank = self._blank(mailbox, calendar or mailbox.default.id, event_id, is_organizer)
            event, entry, mails = self._next(blank, change, author, "create", call)
            if pretend:
                return event
            self._events[event.id] = event
            self.journal.record(replace(entry, version_before=None), mails)
            return event

    def write(self, event_id: str, plan: Plan, author: Author, *, call: str = "", pretend: bool = False) -> Event:
        """Change an event as ``plan`` says. If the plan raises an error, it passes through and nothing is stored.

        ``pretend`` goes through all of it, but stores and mails nothing.
        """
        with self._lock:
            before = self.event(event_id)
            event, entry, mails = self._next(before, plan(before), author, "update", call)
            if pretend:
                return before
            self._events[event.id] = event
            self.journal.record(entry, mails)
        self.on_write(event)
        return event

    def touch(self, event_id: str) -> Event:
        """Change the version and nothing else, as Exchange does by itself some seconds after a write."""
        with self._lock:
            event, entry, _ = self._next(self.event(event_id), Change(), "exchange", "touch", "")
            self._events[event.id] = event
            self.journal.record(entry)
            return event

    def delete(self, event_id: str, author: Author, call: str = "") -> None:
        """Delete an event; ``Missing``."""
        with self._lock:
            _, entry, _ = self._next(self.event(event_id), Change(), author, "delete", call)
            del self._events[event_id]
            self.journal.record(entry)

    def _blank(self, mailbox: Mailbox, calendar: str, event_id: str | None, is_organizer: bool) -> Event:
        if calendar not in {known.id for known in mailbox.calendars}:
            raise Missing(calendar)
        unique = uuid.uuid4()
        return Event(
            id=event_id or item_id(mailbox.guid, unique.hex),
            mailbox=mailbox.address,
            calendar=calendar,
            uid=f"040000008200E00074C5B7101A82E008{unique.hex.upper()}",
            store_guid=mailbox.guid,
            counter=self._counter,
            created=utc_now(),
            modified=utc_now(),
            properties=DEFAULTS,
            organizer=mailbox.address if is_organizer else "somebody.else@contoso.com",
            is_organizer=is_organizer,
        )

    def _next(
        self,
        before: Event,
        change: Change,
        author: Author,
        action: Action,
        call: str,
    ) -> tuple[Event, Entry, tuple[Invitation, ...]]:
        """The event after a change, the journal's line about it and its mails; nothing is stored yet."""
        properties = settled(before, change.properties)
        extended = {**before.extended, **change.extended}
        mode: Mode = change.mode if before.is_organizer else "SendToNone"
        mails = letters(before["attendees"], properties["attendees"], mode)
        self._counter += 1
        now = utc_now()
        after = replace(
            before,
            counter=self._counter,
            modified=now,
            properties=properties,
            extended={key: value for key, value in extended.items() if value is not None},
            was_sent=before.was_sent or mode != "SendToNone",
            sequence=before.sequence + bool(mails),
        )
        entry = self._entry(before, after, change, author, action, call, now)
        return after, entry, _invitations(entry, after, mails, mode)

    def _entry(
        self, before: Event, after: Event, change: Change, author: Author,
        action: Action, call: str, now: datetime,
    ) -> Entry:  # fmt: skip
        changed = {
            name: {"before": before[name], "after": value}
            for name, value in after.properties.items()
            if value != before[name]
        }
        return Entry(
            number=len(self.journal.entries) + 1,
            at=now.isoformat(),
            mailbox=after.mailbox,
            calendar=after.calendar,
            event=after.id,
            author=author,
            action=action,
            written=tuple(sorted(change.properties)),
            changed=changed,
            extended=dict(change.extended),
            version_before=before.change_key,
            version_after=after.change_key,
            call=call,
        )


def _invitations(entry: Entry, event: Event, mails: tuple[Letter, ...], mode: Mode) -> tuple[Invitation, ...]:
    return tuple(
        Invitation(
            at=entry.at,
            mailbox=event.mailbox,
            event=event.id,
            attendee=letter.attendee,
            kind=letter.kind,
            mode=mode,
            subject=event["subject"],
            about=tuple(sorted(entry.changed)),
            write=entry.number,
        )
        for letter in mails
    )
