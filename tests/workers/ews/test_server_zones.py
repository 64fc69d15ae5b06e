from __future__ import annotations

from collections.abc import Collection

from workers.ews.server_zones import ServerZones
from workers.exchange.memory import DAY


class Server:
    """Knows one zone, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []

    def __call__(self, zones: Collection[str]) -> Collection[str]:
        self.asked.append(set(zones))
        return [zone for zone in zones if zone == "Known"]


def test_what_the_server_does_not_know_is_lacking() -> None:
    assert ServerZones(lambda: 0).lacking({"Known", "New"}, Server()) == {"New"}


def test_a_zone_that_is_known_is_asked_for_once_a_day() -> None:
    now, server = [0.0], Server()
    zones = ServerZones(lambda: now[0])
    for now[0] in (0.0, DAY - 1, DAY, DAY + 1):
        assert zones.lacking({"Known"}, server) == frozenset()
    assert server.asked == [{"Known"}, {"Known"}]


def test_a_zone_that_is_not_known_is_asked_for_again() -> None:
    server = Server()
    zones = ServerZones(lambda: 0)
    for _ in range(2):
        assert zones.lacking({"Known", "New"}, server) == {"New"}
    assert server.asked == [{"Known", "New"}, {"New"}]


def test_nothing_is_asked_where_nothing_is_new() -> None:
    server = Server()
    assert ServerZones(lambda: 0).lacking((), server) == frozenset()
    assert server.asked == []
