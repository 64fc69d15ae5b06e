from __future__ import annotations

import pytest

from workers import celery
from workers.celery.bell import BrokerUnavailable
from workers.celery.queues import lengths
from workers.settings import Settings


def test_each_queue_tells_how_many_bells_hang_in_it(settings: Settings) -> None:
    app = celery.create(settings)
    assert lengths(app) == {"updates": 0, "callbacks": 0, "notifications": 0}
    for number in range(3):
        app.send_task("apply_update", args=[str(number)], queue="updates")
    app.send_task("tend_watch", args=["x"], queue="notifications")
    assert lengths(app) == {"updates": 3, "callbacks": 0, "notifications": 1}


def test_a_broker_that_is_away_says_so(settings: Settings) -> None:
    away = settings.model_copy(update={"broker_url": "redis://127.0.0.1:9/0"})
    with pytest.raises(BrokerUnavailable, match="the broker does not answer"):
        lengths(celery.create(away))
