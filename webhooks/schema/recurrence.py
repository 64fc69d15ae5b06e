"""A series: how it repeats and for how long, as Graph's patternedRecurrence.

https://learn.microsoft.com/graph/api/resources/patternedrecurrence
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from webhooks.schema.shape import Int, Shape, Zone

Day: TypeAlias = Literal["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "daily": (),
    "weekly": ("days_of_week",),
    "absoluteMonthly": ("day_of_month",),
    "relativeMonthly": ("days_of_week",),
    "absoluteYearly": ("day_of_month", "month"),
    "relativeYearly": ("days_of_week", "month"),
}
"""https://learn.microsoft.com/graph/api/resources/recurrencepattern: what each type must say beside ``interval``."""


def _date(text: str) -> str:
    try:
        if len(text) == len("2026-12-01"):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise ValueError("must be a date like 2026-12-01")


Date: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "date"}), AfterValidator(_date)]


class RecurrencePattern(Shape):
    """How often. Fields that the type does not use may be given as Graph fills them in: 0, or an empty list."""

    type: Literal["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"]
    """The unit, and whether days are given by date (absolute) or by weekday (relative)."""
    interval: Annotated[Int, Field(ge=1, le=2**31 - 1)]
    """It takes place every so many days, weeks, months or years; EWS allows only 1 in yearly patterns."""
    days_of_week: Annotated[list[Day], Field(default=None, max_length=7)]
    """On which weekdays: needed by weekly and relative patterns. If a relative pattern has several, EWS takes only all
    seven, Monday to Friday, or the weekend."""
    first_day_of_week: Annotated[Day, Field(default=None)]
    """The first day of a week, for weekly patterns; Exchange's default is ``sunday``."""
    day_of_month: Annotated[Int, Field(default=None, ge=0, le=31)]
    """On which day of the month: needed by absolute patterns."""
    month: Annotated[Int, Field(default=None, ge=0, le=12)]
    """In which month (January is 1): needed by yearly patterns."""
    index: Annotated[Literal["first", "second", "third", "fourth", "last"], Field(default=None)]
    """Which of these weekdays in the month, for relative patterns; Exchange's default is ``first``."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in _NEEDS[self.type]:
            if not getattr(self, name):
                raise ValueError(f"a pattern of type {self.type} needs {type(self).model_fields[name].alias}")
        return self


class RecurrenceRange(Shape):
    """For how long. ``startDate`` is the day of the first meeting."""

    type: Literal["endDate", "noEnd", "numbered"]
    """Whether the series ends on a day, never, or after a number of meetings."""
    start_date: Date
    """The day of the first meeting, like ``2026-12-01``; it must be the day of ``start``."""
    end_date: Annotated[Date, Field(default=None)]
    """The last day on which a meeting may be, like ``2026-12-31``: needed by ``endDate``."""
    number_of_occurrences: Annotated[Int, Field(default=None, ge=0, le=2**31 - 1)]
    """How many meetings there are: needed by ``numbered``."""
    recurrence_time_zone: Annotated[Zone, Field(default=None)]
    """The Windows or IANA name of the dates' time zone; EWS takes only the zone of ``start``."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type == "endDate" and self.end_date is None:
            raise ValueError("a range of type endDate needs endDate")
        if self.type == "endDate" and self.end_date < self.start_date:
            raise ValueError("endDate is before startDate")
        if self.type == "numbered" and not self.number_of_occurrences:
            raise ValueError("a range of type numbered needs numberOfOccurrences")
        return self


class PatternedRecurrence(Shape):
    pattern: RecurrencePattern
    """How often the event takes place."""
    range: RecurrenceRange
    """From when and for how long it repeats."""
