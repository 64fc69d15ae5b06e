import threading
from typing import cast

from tests.benchmarks.measure.latency import _crew, _looped
from tests.benchmarks.peers.loop import Loop, Run


class Peer:
    """One that waits until both are at it: by itself it would wait in vain."""

    def __init__(self, both: threading.Barrier) -> None:
        self.both = both
        self.asked: list[tuple[int, int]] = []

    def run(self, count: int, threads: int) -> Run:
        self.asked.append((count, threads))
        self.both.wait(10)
        return Run(0.1, 0.1)


def test_two_processes_of_a_peer_work_at_once_and_each_has_its_share() -> None:
    both = threading.Barrier(2)
    peers = [Peer(both), Peer(both)]
    assert _looped(cast("list[Loop]", peers), 400, 32) > 0
    assert [peer.asked for peer in peers] == [[(200, 32)], [(200, 32)]]


def test_a_peer_is_named_by_its_processes_and_threads() -> None:
    assert (_crew(1, 64), _crew(2, 32)) == ("one process of 64 threads", "2 processes of 32 threads")
