from __future__ import annotations

import subprocess
import sys

import pytest

LEAVING = """
import time
from types import SimpleNamespace
from celery.signals import worker_init, worker_shutting_down
from workers import drain
from workers.store import StoreUnavailable

def hand_back(held):
    print("handed back", *[grant.id for grant in held])
    {outcome}

drain.GRACE, drain.AT_LATEST = 0.1, 0.5 if {hangs} else 60
bell = SimpleNamespace(ring=lambda *rings: print("rung", *rings), flush=lambda timeout: print("flushed"), check=None)
leases = SimpleNamespace(
    start=lambda: print("started"), close=lambda: print("closed"), held=lambda: (SimpleNamespace(id="upd_1"),)
)
drain.Watchdog = lambda store, leases, kinds, check: SimpleNamespace(start=lambda: print("watched for", *kinds))
drain.connect(SimpleNamespace(leases=leases, bell=bell, store=SimpleNamespace(hand_back=hand_back)))
queues = SimpleNamespace(consume_from=[drain.QUEUES["update"]])
app = SimpleNamespace(amqp=SimpleNamespace(queues=queues))
worker_init.send(sender=type("Consumer", (), dict(app=app)))
worker_shutting_down.send(sender=None)
time.sleep(600)
"""


SAID = ("watched", "started", "closed", "handed", "rung", "flushed")


def said_while_leaving(outcome: str, *, hangs: bool = False) -> list[str]:
    program = LEAVING.format(outcome=outcome, hangs=hangs)
    ended = subprocess.run([sys.executable, "-u", "-c", program], timeout=30, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    begun, *rest = [line for line in ended.stdout.splitlines() if line.split()[0] in SAID]
    assert begun.startswith("watched for update")
    assert rest[:2] == ["started", "closed"]
    return rest[2:]


def test_a_worker_that_is_stopped_ends_in_time_although_the_store_hangs() -> None:
    assert said_while_leaving("time.sleep(600)", hangs=True) == ["handed back upd_1"]


@pytest.mark.parametrize(
    ("outcome", "rung"),
    [("return ('upd_2', 'upd_3')", ["rung upd_2 upd_3", "flushed"]), ("raise StoreUnavailable('away')", [])],
)
def test_a_worker_that_is_stopped_hands_its_jobs_back_and_rings_for_who_comes_next(
    outcome: str, rung: list[str]
) -> None:
    assert said_while_leaving(outcome) == ["handed back upd_1", *rung]
