"""The seam of ``workers.exchange`` for Microsoft Graph: read an event, write a patch to it.

Not here: sockets (connection), paths, bodies and the meaning of errors (functions of values beside this file), and
retries, which are nobody's business but the engine's.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace

from workers.event.properties import EXTENDED, EXTENSION
from workers.exchange import (
    AccessDenied,
    Event,
    ExchangeError,
    NotFound,
    Patch,
    Refused,
    Unknown,
    VersionMoved,
    Written,
)
from workers.exchange.doubt import Phase
from workers.graph import body, exchange_ids, occurrence, open_extension, resources, supported_time_zones
from workers.graph.connection import Answer, Connection, unreadable
from workers.graph.mailbox import Mailboxes
from workers.graph.open_extension import Call
from workers.graph.paths import event_path, extension_path
from workers.graph.resources import GraphEvent
from workers.update import Json, Target


class GraphExchange:
    """One Graph endpoint, as ``workers.exchange.Exchange``. Shared by threads."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self._mailboxes = Mailboxes(connection)

    def read(self, target: Target, properties: Collection[str]) -> GraphEvent:
        """https://learn.microsoft.com/graph/api/event-get"""
        return self._read(occurrence.find(self._connection, self._mailboxes.translated(target)), properties)

    def write(self, target: Target, event: Event, patch: Patch) -> Written:
        """https://learn.microsoft.com/graph/api/event-update, after the open extensions, which have resources of
        their own and mail nobody."""
        if target.occurrence is not None and "recurrence" in patch.changes:
            raise Refused("OccurrenceHasNoRecurrence", "recurrence: only the series has one, not its occurrences")
        place = self._mailboxes.translated(target)
        if target.occurrence is not None:
            place = replace(place, event=event.id, occurrence=None)
        extending = _extending(place, event, patch)
        rest = replace(patch, changes={name: patch.changes[name] for name in patch.changes if not _extends(name)})
        content = resources.patch_body(rest, _known(event))
        self._check_zones(place, event, rest)
        done: list[str] = []
        try:
            for name, call in extending.items():
                self._extend(place, call)
                done.append(name)
            answer = self._rest(place, event, patch, content, done) if rest.changes or not done else None
        except ExchangeError as error:
            if not done or isinstance(error, Unknown):
                raise
            raise _after_extensions(error, done) from error
        return self._written(place, event, patch, answer)

    def _read(self, place: Target, properties: Collection[str], *, whole_body: bool = False) -> GraphEvent:
        event = self._get(place, properties, whole_body=whole_body)
        if body.stored_as_text(event.properties.get("body")):
            # It comes back letter for letter as somebody wrote it only if it is asked for in its own form.
            event = self._get(place, properties, text=True)
        others = open_extension.names(properties)[1:]
        apart = {EXTENSION + name: self._extension(place, name) for name in others}
        return replace(event, properties={**event.properties, **apart})

    def _get(
        self, place: Target, properties: Collection[str], *, text: bool = False, whole_body: bool = False
    ) -> GraphEvent:
        path = f"{event_path(place)}?{resources.query(properties)}"
        answer = self._connection.call("read", place, "GET", path, _prefer(place, text=text))
        return _event("read", answer, properties, whole_body=whole_body)

    def _extension(self, place: Target, name: str) -> Json:
        """https://learn.microsoft.com/graph/api/opentypeextension-get"""
        try:
            answer = self._connection.call("read", place, "GET", extension_path(place, name))
            return open_extension.value(json.loads(answer.body))
        except NotFound:
            return None
        except (ValueError, AttributeError, RecursionError) as error:
            raise unreadable("read", answer, f"this is no extension: {error}") from error

    def _extend(self, place: Target, call: Call) -> None:
        try:
            self._connection.call("write", place, call.method, call.path, content=call.body)
        except NotFound as error:
            if call.method != "DELETE":
                raise VersionMoved(error.code, f"{error.detail} The extension is gone.") from error

    def _rest(self, place: Target, event: Event, patch: Patch, content: bytes, done: Collection[str]) -> Answer:
        stands = self._unchanged(place, event) if done else event
        headers = {"If-Match": stands.version, **_prefer(place, text=_is_text(event, patch))}
        return self._connection.call("write", place, "PATCH", event_path(place), headers, content)

    def _unchanged(self, place: Target, event: Event) -> Event:
        """The event with the version that it has after its extensions were written. Raises VersionMoved if more has
        changed."""
        seen = self._read(place, [name for name in event.properties if not _extends(name)])
        stood = {name: value for name, value in event.properties.items() if not _extends(name)}
        if (seen.properties, seen.marker) != (stood, event.marker):
            raise VersionMoved("VersionMoved", "the event changed while its extensions were written")
        return replace(event, version=seen.version)

    def _check_zones(self, place: Target, event: Event, patch: Patch) -> None:
        new = supported_time_zones.new_zones(event.properties, patch.changes)
        if new:
            supported_time_zones.check(new, self._mailboxes.zones(place))

    def _written(self, place: Target, event: Event, patch: Patch, answer: Answer | None) -> Written:
        """Graph's yes. A PATCH is answered with the event, without what has to be expanded, and sometimes with nothing;
        of one meeting of a series it has told changes that it had not made. The version is that of our write, even if
        somebody came in before the event was read back."""
        properties = tuple(dict.fromkeys((*event.properties, *patch.changes)))
        whole = body.leads_to_meeting(patch.changes.get("body"), _known(event).join_url)
        apart = any(name.startswith((EXTENDED, EXTENSION)) for name in patch.changes)
        told = None
        if answer is not None and answer.body.strip():
            told = _event("write", answer, properties, patch.marker, whole_body=whole)
            if told.version == event.version:  # nothing was written, no marker either
                told = replace(told, marker=event.marker)
        doubtful = apart or told is None or _known(event).of_series
        after = self._read_back(place, properties, whole_body=whole) if doubtful else told
        version = told.version if told else answer.etag if answer else ""
        version = version or (after.version if after else "")
        notices = _lost_link(event, after) if after else ()
        seen = _as_read(after, patch) if after else None
        return Written(version, seen, answer.request_id if answer else None, notices)

    def _read_back(self, place: Target, properties: Collection[str], *, whole_body: bool) -> GraphEvent | None:
        """The event after a write whose answer does not show it. The write counts even if the event cannot be read
        now."""
        try:
            return self._read(place, properties, whole_body=whole_body)
        except ExchangeError:
            return None


def _extends(name: str) -> bool:
    return name.startswith(EXTENSION)


def _extending(place: Target, event: Event, patch: Patch) -> dict[str, Call]:
    return {
        EXTENSION + name: open_extension.call(
            place, name, event.properties.get(EXTENSION + name), patch.changes[EXTENSION + name]
        )
        for name in open_extension.names(patch.changes)
    }


def _after_extensions(error: ExchangeError, done: Collection[str]) -> ExchangeError:
    """The error of the rest of a write whose extensions have been written already. A refusal says so; after anything
    else the write is in doubt, because a part of it was applied."""
    kind = type(error) if isinstance(error, Refused | NotFound | AccessDenied) else Unknown
    said = f"{error.detail} Already changed: {', '.join(done)}."
    return kind(error.code, said, request_id=error.request_id, retry_after=error.retry_after)


def _known(event: Event) -> GraphEvent:
    """What we learnt when we read the event; of one that was not read by us we know nothing more."""
    if isinstance(event, GraphEvent):
        return event
    return GraphEvent(event.id, event.version, event.is_meeting, event.marker, event.properties)


def _is_text(event: Event, patch: Patch) -> bool:
    """Whether the body goes out as text, and so has to come back as text to be compared."""
    written = patch.changes.get("body") or {}
    return written.get("contentType") == "text" and not _known(event).join_block


def _prefer(place: Target, *, text: bool = False) -> dict[str, str]:
    """https://learn.microsoft.com/graph/api/event-get#request-headers: times in UTC; ids of the kind that was given."""
    wishes = ['outlook.timezone="UTC"']
    if text:
        wishes.append('outlook.body-content-type="text"')
    if exchange_ids.is_immutable(place.event):
        wishes.append('IdType="ImmutableId"')
    return {"Prefer": ", ".join(wishes)}


def _event(
    phase: Phase,
    answer: Answer,
    properties: Collection[str],
    marker: tuple[str, ...] = (),
    *,
    whole_body: bool = False,
) -> GraphEvent:
    try:
        return resources.read_event(answer.body, properties, marker, whole_body=whole_body)
    except resources.Unreadable as error:
        raise unreadable(phase, answer, error) from error


def _as_read(after: GraphEvent, patch: Patch) -> GraphEvent:
    """The event as a read would show it. A body that was not written is left out, for it is the one that was read: a
    PATCH tells it as HTML even where it is stored, and read, as text."""
    seen = {name: value for name, value in after.properties.items() if name != "body" or name in patch.changes}
    return replace(after, properties=seen)


def _lost_link(before: Event, after: GraphEvent) -> tuple[str, ...]:
    """A notice where the online meeting of the event can no longer be joined by the link that it had."""
    lost = _known(before).join_url
    if not lost or "body" not in after.properties or after.join_url == lost:
        return ()
    what = "has another join link now" if after.join_url else "lost its join link"
    return (f"The online meeting {what}: with the body its join block was replaced.",)
