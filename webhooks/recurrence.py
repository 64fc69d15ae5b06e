"""A series: how it repeats and for how long, as Graph's patternedRecurrence.

https://learn.microsoft.com/graph/api/resources/patternedrecurrence
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from webhooks.shape import Int, Shape, Zone

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
    """How often. What the type does not use may be there as Graph fills it in: 0, or an empty list."""

    type: Literal["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"]
    interval: Annotated[Int, Field(ge=1, le=2**31 - 1)]
    days_of_week: Annotated[list[Day], Field(default=None, max_length=7)]
    first_day_of_week: Annotated[Day, Field(default=None)]
    day_of_month: Annotated[Int, Field(default=None, ge=0, le=31)]
    month: Annotated[Int, Field(default=None, ge=0, le=12)]
    index: Annotated[Literal["first", "second", "third", "fourth", "last"], Field(default=None)]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in _NEEDS[self.type]:
            if not getattr(self, name):
                raise ValueError(f"a pattern of type {self.type} needs {type(self).model_fields[name].alias}")
        return self


class RecurrenceRange(Shape):
    """For how long. ``startDate`` is the day of the first meeting."""

    type: Literal["endDate", "noEnd", "numbered"]
    start_date: Date
    end_date: Annotated[Date, Field(default=None)]
    number_of_occurrences: Annotated[Int, Field(default=None, ge=0, le=2**31 - 1)]
    recurrence_time_zone: Annotated[Zone, Field(default=None)]

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
    range: RecurrenceRange
