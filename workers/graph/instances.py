"""One meeting of a series by its number or its moment: list instances.

https://learn.microsoft.com/graph/api/event-list-instances. An occurrence that was moved keeps the moment at which it
was to start (``originalStart``); one that was cancelled keeps its number and is listed by the master alone, in
``cancelledOccurrences``. Pure. Not here: HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import quote, urlencode, urlsplit

from workers.event.zones import instant, to_iana, wall_clock
from workers.exchange import NotFound, Refused
from workers.graph.resources import Unreadable
from workers.graph.times import in_utc
from workers.update import Json

PAGE = 500
MASTER = "$select=id,recurrence,cancelledOccurrences,isAllDay,originalStartTimeZone"
"""The query of a GET of the series."""

_DAY = timedelta(days=1)
_NEARBY = timedelta(weeks=54)
"""How far an occurrence may be moved: not beyond its neighbours, which in hardly any pattern are further apart."""
_STEP = {"daily": 1, "weekly": 7, "absoluteMonthly": 31, "relativeMonthly": 35, "absoluteYearly": 366,
         "relativeYearly": 372}  # fmt: skip
"""Days at most from one occurrence to the next at an interval of 1."""
_FOREVER = 3_000_000
"""Days: beyond the last year that there is."""


@dataclass(frozen=True, slots=True)
class Instance:
    """``original``: the moment, in UTC, at which it was to start."""

    id: str
    original: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in UTC; instances within it are listed by when they really are."""

    begin: datetime
    end: datetime

    def query(self) -> str:
        """The query of a GET, percent-encoded."""
        bounds = {"startDateTime": _iso(self.begin), "endDateTime": _iso(self.end)}
        return urlencode({**bounds, "$select": "id,originalStart,start", "$top": str(PAGE)}, quote_via=quote, safe="$,")


def moment(start: str) -> datetime:
    """``target.occurrence.start`` in UTC. Raises Refused."""
    try:
        asked = datetime.fromisoformat(start.upper())
        if asked.tzinfo is not None:
            return asked.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Refused("InvalidTarget", f"target.occurrence.start: {start!r} is no moment with an offset")


def may_be_a_day(start: datetime) -> bool:
    """Whether it may be a whole day as Graph tells it: midnight in UTC, whatever the zone of the series."""
    return start.time() == time.min


def windows_around(start: datetime) -> tuple[Window, Window]:
    """Where to look for the occurrence of this moment: where it was to be, then wherever it may have been moved."""
    return _window(start, _DAY), _window(start, _NEARBY)


@dataclass(frozen=True, slots=True)
class Series:
    """What the master tells of its occurrences. ``cancelled``: the days, in its own ``zone``, of those that were."""

    recurrence: Json
    cancelled: tuple[date, ...]
    zone: str
    all_day: bool = False

    def window(self, index: int) -> Window:
        """Where the first ``index`` occurrences are, wherever they were moved. Raises Unreadable."""
        try:
            pattern, span = self.recurrence["pattern"], self.recurrence["range"]
            step = _STEP[pattern["type"]] * int(pattern["interval"])
            first = date.fromisoformat(span["startDate"])
            last = date.fromisoformat(span["endDate"]) if span["type"] == "endDate" else date.max
        except (KeyError, TypeError, ValueError) as error:
            raise Unreadable(f"this is no recurrence: {error}") from error
        weekdays = len(pattern.get("daysOfWeek") or [1]) if pattern["type"] == "weekly" else 1
        rounds = -(-index // weekdays) + 1
        return Window(_noon(first, -step), min(_noon(first, step * rounds), _noon(last, step)))

    def numbered(self, index: int, instances: Iterable[Instance]) -> str:
        """The id of the ``index``-th occurrence, the cancelled ones counted as EWS counts them. Raises NotFound, and
        Refused where nobody tells when its days begin."""
        if self.all_day and to_iana(self.zone) is None:
            sentence = "target.occurrence.index: Graph does not tell the zone of these days; name the occurrence's id"
            raise Refused("TimeZoneNotSupported", sentence)
        listed: dict[date, str | None] = dict.fromkeys(self.cancelled)
        listed |= {self._day(one.original): one.id for one in instances}
        if index > len(listed):
            raise missing(f"the series has only {len(listed)} occurrences, and number {index} was asked for")
        found = listed[sorted(listed)[index - 1]]
        if found is None:
            raise missing(f"occurrence number {index} was cancelled")
        return found

    def begin(self, asked: datetime) -> datetime:
        """When an occurrence was to start that is asked for as Graph tells whole days: by midnight in UTC, whatever the
        zone of those days."""
        if not self.all_day or to_iana(self.zone) is None:
            return asked
        try:
            return instant(asked.replace(tzinfo=None).isoformat(), self.zone)
        except ValueError:  # before the first year there
            return asked

    def _day(self, when: datetime) -> date:
        return date.fromisoformat(wall_clock(when, self.zone if to_iana(self.zone) else "UTC")[:10])


def series(body: bytes) -> Series:
    """The answer to MASTER. Raises Refused where the event is no series, Unreadable."""
    try:
        document = json.loads(body)
        if not document.get("recurrence"):
            raise Refused("NotASeries", "target.occurrence: target.event names no series")
        cancelled = map(_cancelled, document.get("cancelledOccurrences") or [])
        days = tuple(day for day in cancelled if day is not None)
        all_day = document.get("isAllDay") is True
        return Series(document["recurrence"], days, _zone(document, all_day=all_day), all_day)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(f"this is no series: {error}") from error


def read(body: bytes) -> tuple[list[Instance], str | None]:
    """One page, and the query of the next. Raises Unreadable."""
    try:
        document = json.loads(body)
        page = [Instance(instance["id"], _original(instance)) for instance in document["value"]]
        following = document.get("@odata.nextLink")
        return page, urlsplit(following).query if following else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unreadable(f"this is no page of instances: {error}") from error


def at(start: datetime, instances: Iterable[Instance]) -> Instance | None:
    """The one that was to start at this moment. Exchange keeps these moments in whole minutes."""
    return next((one for one in instances if _minute(one.original) == _minute(start)), None)


def missing(sentence: str) -> NotFound:
    """The error for an occurrence that is not there."""
    return NotFound("OccurrenceNotFound", f"target.occurrence: {sentence}.")


def _zone(document: Json, *, all_day: bool) -> str:
    """The zone in which the series has its days, empty where that is not told: of whole days, ``originalStartTimeZone``
    may be the zone that the request preferred, which is UTC."""
    told = (document["recurrence"].get("range") or {}).get("recurrenceTimeZone")
    if told and to_iana(told):
        return str(told)
    own = str(document.get("originalStartTimeZone") or "UTC")
    return "" if all_day and to_iana(own) == to_iana("UTC") else own


def _original(instance: Json) -> datetime:
    original = instance.get("originalStart")
    if original:
        return _minute(datetime.fromisoformat(original).astimezone(UTC))
    return in_utc(instance["start"])


def _cancelled(occurrence_id: str) -> date | None:
    """``OID.<master>.2026-12-01`` → the day on which it was to be."""
    try:
        return date.fromisoformat(occurrence_id.rpartition(".")[2])
    except ValueError:
        return None


def _minute(when: datetime) -> datetime:
    return when.replace(second=0, microsecond=0)


def _window(start: datetime, around: timedelta) -> Window:
    return Window(_shifted(start, -around), _shifted(start, around))


def _noon(day: date, days: int) -> datetime:
    return _shifted(datetime.combine(day, time(12), UTC), timedelta(days=max(-_FOREVER, min(days, _FOREVER))))


def _shifted(when: datetime, by: timedelta) -> datetime:
    try:
        return when + by
    except OverflowError:
        return (datetime.min if by < timedelta() else datetime.max).replace(tzinfo=UTC, microsecond=0)


def _iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
