"""The page says what was counted, and a row in which nothing was hurt proves nothing."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.chaos.judge import Verdict
from tests.chaos.report import Tried, line, page
from tests.chaos.trial import Row, Scenario


def tried(name: str, row: Row) -> Tried:
    return Tried(Scenario(name, "somebody dies", lambda stage, plan: row), row, 1.0)


KEPT = tried("C1", Row(3, 100, Verdict(), (0.1, 0.2)))
BROKEN = tried("C2", Row(3, 100, Verdict(lost=2)))
CONTROL = tried("B1", Row(3, 100, Verdict(lost=7), control=True))


def test_a_row_is_sound_where_nothing_is_broken_or_it_is_a_control() -> None:
    assert [one.row.sound for one in (KEPT, BROKEN, CONTROL)] == [True, False, True]
    assert line(BROKEN).startswith("C2!") and line(KEPT).startswith("C1 ")


def test_a_row_in_which_nothing_was_hurt_is_not_sound() -> None:
    assert not Row(0, 100, Verdict()).sound


def test_the_sum_leaves_controls_out() -> None:
    text = page([KEPT, BROKEN, CONTROL], seed=1, kills=3, lease=2.0, patience=60.0)
    assert "**6 hurts, 200 updates**: 2 lost, 0 doubled" in text


def test_every_line_of_the_table_has_the_same_columns() -> None:
    text = page([KEPT, BROKEN, CONTROL], seed=1, kills=3, lease=2.0, patience=60.0)
    table = [row for row in text.splitlines() if row.startswith("|")]
    assert len(table) == 5 and len({row.count("|") for row in table}) == 1


def test_the_page_names_neither_this_machine_nor_its_folders() -> None:
    text = page([KEPT], seed=1, kills=3, lease=2.0, patience=60.0)
    assert str(Path.home()) not in text and f" {socket.gethostname()} " not in text
