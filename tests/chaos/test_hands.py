import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ops.model import check
from tests.chaos import hands
from tests.chaos.__main__ import main
from tests.chaos.budget import Share
from tests.chaos.judge import Verdict
from tests.chaos.kept import keep, kept
from tests.chaos.report import Tried
from tests.chaos.trial import Plan, Row, Scenario
from tests.left import left_of
from tests.proof import commit
from tests.until import until


def test_a_scenario_that_fails_by_itself_is_told_as_no_proof(capfd: pytest.CaptureFixture[str]) -> None:
    def broken(_: Any, __: Plan) -> Row:
        raise RuntimeError("no port is free")

    tried = hands._try(Scenario("C1", "broken", broken), None, Share(3), 1)  # type: ignore[arg-type]  # it needs no stage
    assert not tried.row.sound and tried.row.remarks == ("could not be tried: no port is free",)
    assert "no port is free" in capfd.readouterr().err


def test_two_hands_keep_all_rows_and_a_run_that_was_cut_off_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        check, "available", lambda: False
    )  # the model is another half a minute, and `make model` is its
    command = ["--scenario", "C9", "--scenario", "D1", "--kills", "1", "--jobs", "2", "--keep", str(tmp_path)]
    ends = signal.getsignal(signal.SIGTERM)
    assert main(command) == 0
    assert signal.getsignal(signal.SIGTERM) == ends  # a process that only calls it ends as it did before
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["C9", "D1"]
    (tmp_path / "D1.json").unlink()
    capfd.readouterr()
    assert main([*command, "--report", str(tmp_path / "PROOF.md")]) == 0
    told = capfd.readouterr().out
    assert "D1 " in told and "C9 " not in told
    page = (tmp_path / "PROOF.md").read_text()
    assert page.index("| C9 |") < page.index("| D1 |")
    assert f"* D1: tried at {commit()} with seed " in page


def test_a_broken_promise_is_kept_and_what_proves_nothing_is_tried_again(tmp_path: Path) -> None:
    broken, nothing, sound = (one for one in hands.ALL if one.name in ("C1", "C2", "C3"))
    rows = (
        Row(3, 9, Verdict(lost=1), (0.5,), remarks=("why",)),
        Row(0, 0, Verdict()),
        Row(1, 2, Verdict(), stops=(1.5,)),
    )
    tried = [Tried(one, row, 1.5, ("a with seed 7",)) for one, row in zip((broken, nothing, sound), rows, strict=True)]
    for one in tried:
        keep(tmp_path, one)
    assert kept(tmp_path, hands.ALL) == [tried[0], tried[2]]


def test_what_is_tried_again_is_added_to_what_is_kept(tmp_path: Path) -> None:
    (scenario,) = (one for one in hands.ALL if one.name == "C1")
    first = Row(3, 9, Verdict(lost=1), (0.5, 2.0), (0.5,), ("why",), (1.0,))
    keep(tmp_path, Tried(scenario, first, 1.5, ("a with seed 7",)))
    keep(tmp_path, Tried(scenario, Row(1, 2, Verdict(stuck=1), (1.0,), (), (), (2.0,)), 2.0, ("b with seed 8",)))
    both = Row(4, 11, Verdict(lost=1, stuck=1), (0.5, 1.0, 2.0), (0.5,), ("why",), (1.0, 2.0))
    assert kept(tmp_path, hands.ALL) == [Tried(scenario, both, 3.5, ("a with seed 7", "b with seed 8"))]


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
    logs = until(lambda: len(list(tmp_path.glob("rendezvous-chaos-*/hand-*/*/web.log"))) == 2, 60)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    assert logs, "not both hands had begun"
    assert left_of(tmp_path) == []
