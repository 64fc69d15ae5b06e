import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import hands
from tests.chaos.budget import Share
from tests.chaos.trial import Plan, Row, Scenario


def test_a_scenario_that_fails_by_itself_is_told_as_no_proof(capfd: pytest.CaptureFixture[str]) -> None:
    def broken(_: Any, __: Plan) -> Row:
        raise RuntimeError("no port is free")

    tried = hands._try(Scenario("C1", "broken", broken), None, Share(3), 1)  # type: ignore[arg-type]  # it needs no stage
    assert not tried.row.sound and tried.row.remarks == ("could not be tried: no port is free",)
    assert "no port is free" in capfd.readouterr().err


def test_two_hands_tell_of_all_rows_in_the_matrix_order(tmp_path: Path) -> None:
    chosen = [one for one in hands.ALL if one.name in ("C9", "D1")]
    plans = {one.name: Share(1) for one in chosen}
    tried = hands.side_by_side([[chosen[1]], [chosen[0]]], plans, 7, tmp_path)
    assert [one.scenario.name for one in tried] == [one.name for one in chosen]
    assert all(one.row.sound for one in tried)


def test_several_hands_that_are_told_to_end_leave_nothing_behind(tmp_path: Path) -> None:
    command = (
        sys.executable,
        "-m",
        "tests.chaos",
        "--scenario",
        "C12",
        "--scenario",
        "V1",
        "--jobs",
        "2",
        "--kills",
        "500",
    )
    environ = {"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    root = Path(__file__).parents[2]
    process = subprocess.Popen(command, cwd=root, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(600):
        if len(list(tmp_path.glob("rendezvous-chaos-*/hand-*/*/web.log"))) == 2:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    for _ in range(100):
        if not (left := _mentioning(str(tmp_path))):
            break
        time.sleep(0.1)
    assert left == []


def _mentioning(folder: str) -> list[str]:
    """The processes whose command line or environment names the folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            told = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        except OSError:
            continue
        if folder.encode() in told:
            found.append(place.name)
    return found
