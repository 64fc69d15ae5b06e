"""The cheap Exchange is one that the product takes for an Exchange; callers are counted as they were answered."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.benchmarks.load import Job, LoadError, put
from tests.benchmarks.rig import Rig, raised
from workers.engine import connections, exchanges
from workers.exchange import Exchange, Patch, Throttled, VersionMoved
from workers.update import Target


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with raised(tmp_path_factory.mktemp("rig")) as rig:
        yield rig


@pytest.fixture(params=["hq", "cloud"])
def place(request: pytest.FixtureRequest) -> Target:
    return Target(request.param, f"AAMk-{request.param}", "anna@hq.example")


@pytest.fixture
def exchange(rig: Rig, place: Target) -> Exchange:
    return exchanges(connections(rig.settings()))[place.backend]


PATCH = Patch({"subject": "Has moved"}, "sendToNone", ("upd_1",))


def test_a_write_is_read_back_with_its_marker_under_a_new_version(exchange: Exchange, place: Target) -> None:
    before = exchange.read(place, ["subject"])
    written = exchange.write(place, before, PATCH)
    after = exchange.read(place, ["subject"])
    assert after.properties["subject"] == "Has moved" and after.marker == ("upd_1",)
    assert before.version != after.version == written.version
    assert written.event is not None and written.event.properties["subject"] == "Has moved"


def test_a_write_against_an_old_version_is_refused(exchange: Exchange, place: Target) -> None:
    before = exchange.read(place, ["subject"])
    exchange.write(place, before, PATCH)
    with pytest.raises(VersionMoved):
        exchange.write(place, before, PATCH)


def test_a_throttled_mailbox_is_told_when_to_come_again(exchange: Exchange, place: Target) -> None:
    with pytest.raises(Throttled) as refused:
        exchange.read(replace(place, mailbox="throttled@hq.example"), ["subject"])
    assert refused.value.retry_after is not None


def test_an_answer_that_is_no_202_is_no_measurement(rig: Rig) -> None:
    with pytest.raises(LoadError, match="501"):
        put(Job(rig.exchange, "/EWS/Exchange.asmx", "{}", connections=2, requests=4))
