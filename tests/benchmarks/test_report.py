from pathlib import Path

from lxml import etree

from tests.benchmarks import report
from tests.benchmarks.measurement import Measured, Series, Target
from tests.benchmarks.plan import Plan
from tests.benchmarks.plot import svg

MISSED = Measured("accept", "p99 of a 202", "ms", Series("Rendezvous", (3, 4)), Series("Flask & delay()", (1, 2)),
                  Target("at most", 1.5), "why")  # fmt: skip
ALONE = Measured("idle", "all processes", "%", Series("Rendezvous", (0.5,)), None, Target("at most", 1.0))


def test_a_target_that_is_missed_is_said_to_be_so_everywhere() -> None:
    assert "≤ 1.5 wanted: not met" in report.line(MISSED)
    assert "**not met**" in report.section([MISSED], Plan(), 1, 0, "proof")
    assert "1 of 2 targets are met" in report.section([MISSED, ALONE], Plan(), 1, 0, "proof")
    assert "wanted ≤ 1.5: not met" in svg([MISSED])


def test_every_row_has_its_picture(tmp_path: Path) -> None:
    report.write(tmp_path / "PROOF.md", [MISSED, ALONE], Plan(), 1, 0)
    assert {file.name for file in (tmp_path / "proof").iterdir()} == {"accept.svg", "idle.svg"}
    assert "(proof/accept.svg)" in (tmp_path / "PROOF.md").read_text()


def test_a_picture_is_well_formed_and_the_same_each_time() -> None:
    picture = svg([MISSED, ALONE])
    assert str(etree.fromstring(picture).tag).endswith("svg") and picture == svg([MISSED, ALONE])
    assert "Flask &amp; delay()" in picture and "prefers-color-scheme: dark" in picture


def test_bars_are_as_long_as_their_medians() -> None:
    bars = etree.fromstring(svg([MISSED])).findall("{*}rect")
    ours, theirs = (float(bar.attrib["width"]) for bar in bars)
    assert round(ours / theirs, 2) == round(3.5 / 1.5, 2)
