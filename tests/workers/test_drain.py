from __future__ import annotations

import subprocess
import sys

LEAVING = """
import time
from types import SimpleNamespace
from celery.signals import worker_shutting_down
from workers import drain

drain.GRACE, drain.AT_LATEST = 0.1, 0.5
leases = SimpleNamespace(close=lambda: None, held=lambda: ())
drain.connect(SimpleNamespace(leases=leases, store=SimpleNamespace(hand_back=lambda held: time.sleep(600))))
worker_shutting_down.send(sender=None)
time.sleep(600)
"""


def test_a_worker_that_is_stopped_ends_in_time_although_the_store_hangs() -> None:
    assert subprocess.run([sys.executable, "-c", LEAVING], timeout=30).returncode == 0
