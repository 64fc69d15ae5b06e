"""A store with a standby that takes over: what the standby had not copied yet is gone."""

from __future__ import annotations

from pathlib import Path

from redis import Redis

from tests.chaos.proxy import Proxy
from tests.chaos.store_server import StoreServer
from tests.until import until


class StoreWithStandby(StoreServer):
    """Two servers; our processes reach the one that leads, as through an address that follows it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "first")
        self._link = Proxy(self.port)
        self._front = Proxy(self.port)
        self._standby = StoreServer(folder / "second", follows=self._link.port)
        self.url = f"redis://127.0.0.1:{self._front.port}/0"
        until(self._copied, 20)

    def part(self) -> None:
        """From now on the standby hears nothing any more."""
        self._link.become("blackhole")

    def take_over(self) -> None:
        """The one that leads dies, and the standby leads."""
        super().kill()
        self._front.become("cut")
        self._standby.client().replicaof("NO", "ONE")
        self._front.lead_to(self._standby.port)
        self._front.become("pass")

    def client(self, database: int = 0) -> Redis:
        return self._standby.client(database) if self.died() else super().client(database)

    def close(self) -> None:
        super().close()
        self._standby.kill()
        self._link.close()
        self._front.close()

    def _copied(self) -> bool:
        return bool(self._standby.client().info("replication").get("master_link_status") == "up")
