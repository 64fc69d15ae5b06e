"""The store that is hurt is the one that production has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.store_server import CONFIGURATION, StoreServer


@pytest.mark.parametrize("fsync", ["always", "everysec"])
def test_a_store_that_is_hurt_is_set_up_by_ops_redis_conf_but_for_what_its_scenario_changes(
    tmp_path: Path, fsync: str
) -> None:
    lines = [line.split(maxsplit=1) for line in CONFIGURATION.read_text().splitlines() if line and line[0] != "#"]
    wanted = {name: value.strip('"') for name, value in lines} | {"maxmemory": str(3 * 2**30), "appendfsync": fsync}
    server = StoreServer(tmp_path, fsync=fsync)
    try:
        assert {name: server.client().config_get(name)[name] for name in wanted} == wanted
    finally:
        server.close()
