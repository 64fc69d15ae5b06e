from __future__ import annotations

from typing import Any

import pytest

from tests.webhooks.given import asked, faults, with_set


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("daily", {}),
        ("weekly", {"daysOfWeek": ["monday", "friday"], "firstDayOfWeek": "monday"}),
        ("absoluteMonthly", {"dayOfMonth": 31}),
        ("relativeMonthly", {"daysOfWeek": ["tuesday"], "index": "last"}),
        ("absoluteYearly", {"dayOfMonth": 29, "month": 2}),
        ("relativeYearly", {"daysOfWeek": ["sunday"], "index": "first", "month": 12}),
    ],
)
@pytest.mark.parametrize(
    "span",
    [{"type": "noEnd"}, {"type": "numbered", "numberOfOccurrences": 3}, {"type": "endDate", "endDate": "2027-01-01"}],
)
def test_all_patterns_with_all_ranges(kind: str, more: dict[str, Any], span: dict[str, Any]) -> None:
    series = {"pattern": {"type": kind, "interval": 2, **more}, "range": {"startDate": "2026-12-07", **span}}
    assert asked(with_set(recurrence=series)).intent.set["recurrence"] == series
    for needed in more.keys() - {"index", "firstDayOfWeek"}:
        lacking = {**series, "pattern": {key: value for key, value in series["pattern"].items() if key != needed}}
        assert needed in faults(with_set(recurrence=lacking))["/set/recurrence/pattern"]
