from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from workers import celery, engine
from workers.ews.call import Caller
from workers.graph.connection import Connection
from workers.settings import Settings


def test_all_that_call_a_backend_share_its_sign_in_and_its_connections(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Counter[str] = Counter()

    def count(kind: type[Connection | Caller]) -> None:
        begin: Any = kind.__init__

        def counted(self: Any, backend: Any, *more: Any, **named: Any) -> None:
            made[backend.name] += 1
            begin(self, backend, *more, **named)

        monkeypatch.setattr(kind, "__init__", counted)

    count(Connection)
    count(Caller)
    built = engine.build(settings, celery.create(settings), clock=lambda: datetime.now(UTC), dice=lambda: 0.5)
    assert {*built.exchanges} == {"cloud", "hq"}
    assert made == {"cloud": 1, "hq": 1}
