"""The page says what was counted, and a row in which nothing was hurt proves nothing."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.budget import Share, dealt, plans
from tests.chaos.judge import Verdict
from tests.chaos.page import written
from tests.chaos.report import Tried, line
from tests.chaos.trial import Row, Scenario


def tried(name: str, row: Row) -> Tried:
    return Tried(Scenario(name, "somebody dies", lambda stage, plan: row), row, 1.0)


KEPT = tried("C1", Row(3, 100, Verdict(), (0.1, 0.2)))
BROKEN = tried("C2", Row(3, 100, Verdict(lost=2)))
CONTROL = tried("B1", Row(3, 100, Verdict(lost=7), breaks=("lost",)))


def test_a_row_is_sound_where_nothing_is_broken_or_it_is_a_control() -> None:
    assert [one.row.sound for one in (KEPT, BROKEN, CONTROL)] == [True, False, True]
    assert line(BROKEN).startswith("C2!") and line(KEPT).startswith("C1 ")


def test_what_no_column_counts_makes_a_row_unsound_and_is_told_everywhere() -> None:
    row = replace(KEPT.row, remarks=("2 calls inside a pause",), faults=("calls inside a pause",))
    stormy = tried("N4", row)
    assert not row.sound and not (row + KEPT.row).sound
    assert line(stormy).startswith("N4!") and line(stormy).endswith("FAULT: calls inside a pause")
    text = written([stormy, KEPT], lease=2.0, patience=60.0)
    assert "2 calls inside a pause; **FAULT: calls inside a pause** |" in text
    assert (
        "0 callbacks doubled, 1 other faults." in text
        and "faults" not in written([KEPT], 2.0, 60.0).partition("In all")[2]
    )


def test_a_row_in_which_nothing_was_hurt_is_not_sound() -> None:
    assert not Row(0, 100, Verdict()).sound


def test_the_sum_leaves_controls_out() -> None:
    text = written([KEPT, BROKEN, CONTROL], lease=2.0, patience=60.0)
    assert "**6 hurts, 200 updates**: 2 lost, 0 doubled" in text


def test_every_line_of_the_table_has_the_same_columns() -> None:
    text = written([KEPT, BROKEN, CONTROL], lease=2.0, patience=60.0)
    table = [row for row in text.partition("| row |")[2].splitlines() if row.startswith("|")]
    assert len(table) == 4 and len({row.count("|") for row in table}) == 1


def test_the_page_names_neither_this_machine_nor_its_folders() -> None:
    text = written([KEPT], lease=2.0, patience=60.0)
    assert str(Path.home()) not in text and f" {socket.gethostname()} " not in text


def test_the_page_says_which_clocks_are_not_those_of_production() -> None:
    text = written([KEPT], lease=2.0, patience=60.0)
    assert "`lease` 2 s (15), `sweep` 0.2 s (1), `grace` 1 s (5)" in text and "waited for 4 s (30)" in text


def test_the_page_says_what_is_added_up_of_which_runs() -> None:
    both, first = ("a with seed 7", "b with seed 8"), ("a with seed 7",)
    rows = [replace(tried(name, KEPT.row), runs=runs) for name, runs in (("C0", both), ("C1", first), ("C2", first))]
    text = written(rows, lease=2.0, patience=60.0)
    assert "* C0: tried at a with seed 7 and at b with seed 8, the figures of the runs added up\n" in text
    assert "* all other rows: tried at a with seed 7\n" in text
    assert "* all rows: tried at a with seed 7\n" in written(rows[1:], lease=2.0, patience=60.0)


def test_kills_at_any_moment_are_told_by_themselves_too() -> None:
    spared, unspared = (
        Tried(replace(KEPT.scenario, name=name, kind="kills"), replace(KEPT.row, recovery=(wait,) * many), 1.0)
        for name, wait, many in (("C3", 1.0, 200), ("C12", 5.0, 1))
    )
    text = written([spared, unspared], lease=2.0, patience=60.0)
    assert "all such rows together, p99 ≤ lease + 2 s = 4 s | 1.00 s | met |" in text
    assert "C12 by itself, p99 ≤ lease + 2 s = 4 s | 5.00 s | not met |" in text


def test_the_page_says_how_far_the_long_run_came() -> None:
    killed = Tried(
        replace(KEPT.scenario, kind="kills"), replace(KEPT.row, stops=(1.0, 11.0), recovery_alone=(5.0,)), 1.0
    )
    text = written([killed], lease=2.0, patience=60.0)
    assert "| 10,000 kills | 3 | not met |" in text
    assert "≤ lease + 2 s = 4 s | 0.20 s | met |" in text
    assert "second one came meanwhile, p99 ≤ lease + 2 s = 4 s | 5.00 s | not met |" in text
    assert "≤ 10 s | 11.0 s | not met |" in text


def test_with_little_time_each_scenario_with_a_target_gets_its_part_of_it() -> None:
    long = Scenario("K", "killed", KEPT.scenario.run, target=900, each=1.0)
    brief = Scenario("L", "killed", KEPT.scenario.run, target=100, each=1.0)
    shares = plans([long, brief, KEPT.scenario], kills=3, minutes=5)
    assert shares["C1"] == Share(3)
    assert shares["K"].hurts == 900 and shares["K"].seconds == pytest.approx(9 * shares["L"].seconds)
    assert 200 < shares["K"].seconds + shares["L"].seconds < 300
    assert plans([long], kills=3) == {"K": Share(3)}


def test_scenarios_are_dealt_so_that_all_hands_have_as_much_to_do() -> None:
    many = [
        Scenario(name, "killed", KEPT.scenario.run, target=100, each=each)
        for name, each in zip("ABCD", (4, 1, 1, 2), strict=True)
    ]
    hands = dealt(many, plans(many, kills=3, minutes=10), 2)
    assert [[one.name for one in hand] for hand in hands] == [["A"], ["B", "C", "D"]]
    assert dealt(many, plans(many, kills=3), 1) == [many]
    assert dealt(many[:1], plans(many, kills=3), 4) == [many[:1]]
