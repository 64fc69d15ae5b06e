"""What is kept in the store, between workers of two versions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.workers.store.test_watching import MIRROR, SNAPSHOT, a_subscription
from workers.changes.event_change import Snapshot
from workers.changes.notification import Notification
from workers.update import Json

RECORDS = (Notification("wch_1", "E", "updated", "v1", "{}"), SNAPSHOT, a_subscription(), MIRROR)


def grown(value: Json) -> Json:
    """The same as a newer version would store it: with one more field wherever there are fields."""
    return {name: grown(inner) for name, inner in value.items()} | {"new": 1} if isinstance(value, dict) else value


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_what_a_newer_worker_stores_an_older_one_can_read(record: Any) -> None:
    newer = grown(json.loads(record.to_json()))
    if isinstance(record, Snapshot):
        del newer["properties"]["new"]  # these are an event's
    assert type(record).from_json(json.dumps(newer)) == record
